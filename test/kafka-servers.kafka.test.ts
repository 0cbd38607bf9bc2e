import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { countBrokers } from '../scripts/servers/kafka-metadata.ts';
import { readTopicByJava } from './support/kafka-console-reader.ts';
import { type KafkaRecord, readTopic, writeTopic } from './support/kafka-reader.ts';
import { createTopic } from './support/kafka-tools.ts';
import { privateKafka, sharedKafka, type TestKafka } from './support/kafka-under-test.ts';
import { uniqueName } from './support/servers.ts';

const WRITTEN: readonly (readonly [string, string])[] = [
  ['a', 'one'],
  ['b', 'two\nlines, and a comma'],
  ['', '{"é":"\u0001 12 34"}'],
];

describe('a broker for tests', () => {
  let kafka: TestKafka;
  before(async () => {
    kafka = await sharedKafka();
  });

  it('gives both readers what kcat wrote, byte for byte', async () => {
    const topic = uniqueName('read');
    await createTopic(kafka, topic);
    await writeTopic(kafka, topic, WRITTEN);
    const records = await readTopic(kafka, { topic });
    assert.deepEqual(
      records.map(plain),
      WRITTEN.map(([key, value], offset) => ({ partition: 0, offset, key, value, headers: [] })),
    );
    assert.deepEqual(await readTopicByJava(kafka, { topic }), records);
  });
});

describe('a broker that is killed', () => {
  it('has what it acknowledged when it is restarted on its port', async () => {
    const kafka = await privateKafka();
    after(() => kafka.stop());
    await createTopic(kafka, 'kept');
    await writeTopic(kafka, 'kept', WRITTEN);
    const records = await readTopic(kafka, { topic: 'kept' });
    await kafka.kill();
    await assert.rejects(countBrokers(kafka.port), /ECONNREFUSED/);
    await kafka.restart();
    assert.deepEqual(await readTopic(kafka, { topic: 'kept' }), records);
    assert.equal(records.length, WRITTEN.length);
  });
});

function plain({ partition, offset, key, value, headers }: KafkaRecord): unknown {
  return { partition, offset, key: key?.toString('utf8'), value: value?.toString('utf8'), headers };
}
