import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  batchOf,
  newestIn,
  openCluster,
  openProducer,
  recordsSeen,
} from '../../../../test/support/kafka-protocol-under-test.ts';
import { privateKafka, sharedKafka, type TestKafka } from '../../../../test/support/kafka-under-test.ts';
import { uniqueName } from '../../../../test/support/servers.ts';

/** What we find out about each release, and the version of its produce requests. */
const RELEASES = [
  { version: '4.2.0', release: 'Kafka 4.2', transactionVersion: 2, produceVersion: 13 },
  { version: '3.9.2', release: 'Kafka 3.9', transactionVersion: 0, produceVersion: 11 },
  { version: '3.3.2', release: 'Kafka 3.3', transactionVersion: 0, produceVersion: 9 },
  { version: '2.6.3', release: 'Kafka 2.6', transactionVersion: 0, produceVersion: 8 },
] as const;

void describe('releases of Kafka', () => {
  for (const { version, release, transactionVersion, produceVersion } of RELEASES) {
    void it(`${version} is known, and writes transactions whole or not at all`, async () => {
      const kafka = version === '4.2.0' ? await sharedKafka() : await startOld(version);
      const end = new AbortController();
      after(() => end.abort());
      const cluster = await openCluster(kafka.port, end.signal);
      const { brokers: _, ...facts } = cluster.facts;
      const expected = { version: release, transactionVersion, produceVersion, hasTransactions: true };
      assert.deepEqual(facts, { ...expected, hasIdempotence: true });

      const topic = uniqueName('release');
      await cluster.createTopics([{ name: topic, partitions: -1, replication: -1, configs: {} }]);
      const usual = await cluster.brokerConfigs();
      const found = (await cluster.topics([topic])).get(topic);
      assert.deepEqual([found?.partitions, found?.replication], [usual.partitions, usual.replication]);

      const old = await openProducer(cluster, 'transactional', topic);
      for (const [value, end] of [
        ['1', 'commit'],
        ['aborted', 'abort'],
        ['2', 'commit'],
      ] as const) {
        await old.send([batchOf(topic, 0, [['a', value]]), batchOf(topic, 0, [['b', value]])]);
        await old.endTransaction(end);
      }
      await old.send([batchOf(topic, 0, [['a', 'left open']])]);
      const producer = await openProducer(cluster, 'transactional', topic);
      await assert.rejects(old.send([batchOf(topic, 0, [['a', 'late']])]), { code: 'Kafka.Fenced' });
      await producer.send([batchOf(topic, 0, [['b', '3']])]);
      await producer.endTransaction('commit');
      const idempotent = await openProducer(cluster, 'idempotent', topic);
      await idempotent.send([batchOf(topic, 0, [['i', '1']]), batchOf(topic, 0, [['i', '2']])]);
      const seen = ['0 a=1', '0 b=1', '0 a=2', '0 b=2', '0 b=3', '0 i=1', '0 i=2'];
      assert.deepEqual(await recordsSeen(kafka, topic, seen.length), seen);
      assert.deepEqual(await newestIn(cluster, topic, 0), { a: '2', b: '3', i: '2' });
      assert.equal((await cluster.topicConfigs([topic])).get(topic)?.cleanupPolicy, 'delete');
    });
  }
});

async function startOld(version: Exclude<(typeof RELEASES)[number]['version'], '4.2.0'>): Promise<TestKafka> {
  const kafka = await privateKafka({ version });
  after(() => kafka.stop());
  return kafka;
}
