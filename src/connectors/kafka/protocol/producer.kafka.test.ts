import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRecordsBatch } from '@platformatic/kafka';
import {
  batchOf,
  newestIn,
  newTopic,
  openCluster,
  openProducer,
  recordsSeen,
} from '../../../../test/support/kafka-protocol-under-test.ts';
import { sharedKafka, type TestKafka } from '../../../../test/support/kafka-under-test.ts';
import { uniqueName } from '../../../../test/support/servers.ts';
import type { Cluster } from './cluster.ts';
import type { ProducerBatch } from './produce.ts';
import { readNewest } from './topic-reader.ts';

void describe('a producer', () => {
  let kafka: TestKafka;
  let cluster: Cluster;
  const end = new AbortController();

  before(async () => {
    kafka = await sharedKafka();
    cluster = await openCluster(kafka.port, end.signal);
  });
  after(() => end.abort());

  void it('shows readers of committed records whole transactions, and none that was aborted', async () => {
    const topic = await newTopic(cluster, 2);
    const producer = await openProducer(cluster, 'transactional', topic);
    await producer.send([batchOf(topic, 0, [['a', '1']]), batchOf(topic, 1, [['b', '1']])]);
    await producer.send([batchOf(topic, 0, [['a', '2']])]);
    assert.deepEqual(await recordsSeen(kafka, topic, 0), []);
    await producer.endTransaction('commit');
    await producer.send([batchOf(topic, 0, [['a', 'aborted']]), batchOf(topic, 1, [['b', 'aborted']])]);
    await producer.endTransaction('abort');
    await producer.endTransaction('commit');
    await producer.send([
      batchOf(topic, 1, [
        ['b', '3'],
        ['c', null],
      ]),
    ]);
    await producer.endTransaction('commit');
    assert.deepEqual((await recordsSeen(kafka, topic, 5)).toSorted(), ['0 a=1', '0 a=2', '1 b=1', '1 b=3', '1 c=null']);
    assert.deepEqual(await newestIn(cluster, topic, 0), { a: '2' });
    assert.deepEqual(await newestIn(cluster, topic, 1), { b: '3', c: null });
    producer.close();
  });

  void it('keeps the order of a partition over calls that do not wait for each other', async () => {
    const topic = await newTopic(cluster, 3);
    const producer = await openProducer(cluster, 'transactional', topic);
    const calls = Array.from({ length: 40 }, (_, call) =>
      producer.send([0, 1, 2, 0].map((partition, of) => batchOf(topic, partition, [[`${call}`, `${of}`]]))),
    );
    await Promise.all(calls);
    await producer.endTransaction('commit');
    const seen = await recordsSeen(kafka, topic, 160);
    for (const partition of [0, 1, 2]) {
      const of = partition === 0 ? [0, 3] : [partition];
      const expected = Array.from({ length: 40 }, (_, call) => of.map((one) => `${partition} ${call}=${one}`)).flat();
      assert.deepEqual(
        seen.filter((record) => record.startsWith(`${partition} `)),
        expected,
      );
    }
    producer.close();
  });

  void it('cuts off another one of its transactional id, whose open transaction is undone', async () => {
    const topic = await newTopic(cluster, 1);
    const zombie = await openProducer(cluster, 'transactional', topic);
    await zombie.send([batchOf(topic, 0, [['a', 'open']])]);
    const producer = await openProducer(cluster, 'transactional', topic);
    const refused = { code: 'Kafka.Fenced', kind: 'transient', topic };
    await assert.rejects(zombie.send([batchOf(topic, 0, [['a', 'late']])]), refused);
    await assert.rejects(zombie.endTransaction('commit'), refused);
    assert.equal(zombie.isBroken, true);
    await producer.send([batchOf(topic, 0, [['a', 'new']])]);
    await producer.endTransaction('commit');
    assert.deepEqual(await recordsSeen(kafka, topic, 1), ['0 a=new']);
    producer.close();
  });

  void it('writes without transactions, idempotent or plain', async () => {
    const topic = await newTopic(cluster, 1);
    for (const mode of ['idempotent', 'plain'] as const) {
      const producer = await openProducer(cluster, mode, topic);
      await producer.send([batchOf(topic, 0, [['m', mode]]), batchOf(topic, 0, [['n', mode]])]);
      await producer.endTransaction('commit');
      producer.close();
      assert.equal(producer.isBroken, true);
    }
    const expected = ['0 m=idempotent', '0 n=idempotent', '0 m=plain', '0 n=plain'];
    assert.deepEqual(await recordsSeen(kafka, topic, 4), expected);
  });

  void it('says what a topic does not take', async () => {
    const topic = uniqueName('refusing');
    const configs = { 'max.message.bytes': '2000', 'cleanup.policy': 'compact' };
    await cluster.createTopics([{ name: topic, partitions: 1, replication: 1, configs }]);
    const large = batchOf(topic, 0, [['a', 'x'.repeat(3000)]]);
    const keyless = {
      topic,
      partition: 0,
      count: 1,
      records: createRecordsBatch([{ topic, value: Buffer.from('v') }]).buffer,
    };
    const cases: readonly (readonly [ProducerBatch, object])[] = [
      [large, { code: 'Kafka.MessageTooLarge', topic, bytes: large.records.length }],
      [keyless, { code: 'Kafka.RecordRefused', topic }],
      [batchOf(`${topic}-missing`, 0, [['a', 'b']]), { code: 'Kafka.TopicMissing', topic: `${topic}-missing` }],
    ];
    for (const [refused, error] of cases) {
      const producer = await openProducer(cluster, 'idempotent', topic);
      await assert.rejects(producer.send([refused]), error);
      await assert.rejects(producer.send([batchOf(topic, 0, [['a', 'b']])]), error);
    }
    const tooLong = { transactionTimeoutMs: 2e9 };
    await assert.rejects(openProducer(cluster, 'transactional', topic, tooLong), {
      code: 'Kafka.SettingRefused',
      kind: 'fatal',
    });
  });

  void it('ends at once when the run is stopped', async () => {
    const stop = new AbortController();
    const own = await openCluster(kafka.port, stop.signal);
    const topic = await newTopic(own, 1);
    const producer = await openProducer(own, 'transactional', topic);
    const sending = producer.send([batchOf(topic, 0, [['a', 'b']])]);
    stop.abort();
    await assert.rejects(sending);
    await assert.rejects(own.topics([topic]), { name: 'AbortError' });
  });
});

void describe('reading a partition', () => {
  const end = new AbortController();
  after(() => end.abort());

  void it('finds what was committed behind a transaction that another producer has open', async () => {
    const kafka = await sharedKafka();
    const cluster = await openCluster(kafka.port, end.signal);
    const topic = await newTopic(cluster, 1);
    const other = await openProducer(cluster, 'transactional', `${topic}-other`);
    const ours = await openProducer(cluster, 'transactional', topic);
    await ours.send([batchOf(topic, 0, [['a', '1']])]);
    await ours.endTransaction('commit');
    await other.send([batchOf(topic, 0, [['x', 'open']])]);
    await ours.send([batchOf(topic, 0, [['a', '2']])]);
    await ours.endTransaction('commit');
    assert.deepEqual(await recordsSeen(kafka, topic, 1), ['0 a=1']);
    // A new one settles what the old one has ended.
    await openProducer(cluster, 'transactional', topic);
    assert.deepEqual(await newestIn(cluster, topic, 0), { a: '2' });
    const missing = { topic: `${topic}-missing`, partition: 0, isWanted: () => true };
    await assert.rejects(readNewest(cluster, missing), { code: 'Kafka.TopicMissing' });
  });
});
