import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clusterSize } from '../scripts/servers/kafka-metadata.ts';
import { readTopicByJava } from './support/kafka-console-reader.ts';
import { type KafkaRecord, readTopic, writeTopic } from '../scripts/servers/kafka-reader.ts';
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
    assert.deepEqual(await readTopicByJava(kafka, { topic, max: records.length }), records);
  });
});

describe('older brokers', () => {
  for (const version of ['3.9.2', '3.3.2'] as const) {
    it(`${version} keeps what was written in a transaction`, async () => {
      const kafka = await privateKafka({ version });
      after(() => kafka.stop());
      assert.equal(kafka.version, `Kafka ${version}`);
      await createTopic(kafka, 'kept');
      await writeTopic(kafka, 'kept', WRITTEN, { transactionalId: 'writer' });
      assert.equal((await readTopic(kafka, { topic: 'kept' })).length, WRITTEN.length);
    });
  }
});

describe('a broker that is killed', () => {
  for (const version of ['4.2.0', '2.6.3'] as const) {
    it(`${version} has what it acknowledged when it is restarted on its port`, async () => {
      const kafka = await privateKafka({ version });
      after(() => kafka.stop());
      await createTopic(kafka, 'kept');
      await writeTopic(kafka, 'kept', WRITTEN, { transactionalId: 'writer' });
      const records = await readTopic(kafka, { topic: 'kept' });
      assert.equal(records.length, WRITTEN.length);
      await kafka.kill();
      await assert.rejects(clusterSize(kafka.port), /ECONNREFUSED/);
      await kafka.restart();
      assert.deepEqual(await readTopic(kafka, { topic: 'kept' }), records);
    });
  }
});

function plain({ partition, offset, key, value, headers }: KafkaRecord): unknown {
  return { partition, offset, key: key?.toString('utf8'), value: value?.toString('utf8'), headers };
}
