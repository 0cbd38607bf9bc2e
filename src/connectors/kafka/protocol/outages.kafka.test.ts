import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { KafkaServer } from '../../../../scripts/servers/kafka.ts';
import { freePort } from '../../../../scripts/servers/free-port.ts';
import {
  batchOf,
  newestIn,
  newTopic,
  openCluster,
  openProducer,
  recordsSeen,
} from '../../../../test/support/kafka-protocol-under-test.ts';
import { checkpointOf, openKafkaSink, toTopic } from '../../../../test/support/kafka-sink-under-test.ts';
import { bootstrap, kafkaTool } from '../../../../test/support/kafka-tools.ts';
import { privateKafka } from '../../../../test/support/kafka-under-test.ts';
import { batchOf as batchOfRows, inserts } from '../../../../test/support/scripted-rows.ts';
import { uniqueName } from '../../../../test/support/servers.ts';
import { newTable } from '../../../../test/support/sink-contract.ts';
import { StallingProxy } from '../../../../test/support/stalling-proxy.ts';
import type { Cluster } from './cluster.ts';

const TIMEOUT_MS = 2000;
const LOST = { code: 'Sink.Unavailable', kind: 'transient' };

void describe('when the broker or the way to it fails', () => {
  let kafka: KafkaServer;
  let proxy: StallingProxy;
  let cluster: Cluster;
  let port: number;
  let end: AbortController;

  before(async () => {
    port = await freePort();
    const quotas = { 'quota.window.num': '2', 'quota.window.size.seconds': '1' };
    const properties = { ...quotas, 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500' };
    kafka = await privateKafka({ advertised: [port], properties });
  });
  after(async () => {
    await kafka.stop();
  });
  beforeEach(async () => {
    end = new AbortController();
    proxy = await StallingProxy.open(kafka.port, port);
    cluster = await openCluster(port, end.signal, { requestTimeoutMs: TIMEOUT_MS });
  });
  afterEach(() => {
    end.abort();
    proxy.close();
  });

  void it('writes once what was written and not acknowledged, if brokers can tell', async () => {
    const topic = await newTopic(cluster, 1);
    const producer = await openProducer(cluster, 'idempotent', topic);
    await producer.send([batchOf(topic, 0, [['a', '1']])]);
    proxy.loseAnswers();
    await producer.send([batchOf(topic, 0, [['a', '2']]), batchOf(topic, 0, [['a', '3']])]);
    assert.deepEqual(await recordsSeen(kafka, topic, 3), ['0 a=1', '0 a=2', '0 a=3']);
  });

  void it('gives up a transaction whose fate is unknown; the next producer undoes it', async () => {
    const topic = await newTopic(cluster, 1);
    const producer = await openProducer(cluster, 'transactional', topic);
    await producer.send([batchOf(topic, 0, [['a', '1']])]);
    proxy.loseAnswers();
    await assert.rejects(producer.send([batchOf(topic, 0, [['a', '2']])]), LOST);
    await assert.rejects(producer.endTransaction('commit'), LOST);
    assert.equal(producer.isBroken, true);
    const next = await openProducer(cluster, 'transactional', topic);
    await next.send([batchOf(topic, 0, [['a', '3']])]);
    await next.endTransaction('commit');
    assert.deepEqual(await recordsSeen(kafka, topic, 1), ['0 a=3']);
  });

  void it('finds a commit whose answer was lost to be done', async () => {
    const topic = await newTopic(cluster, 1);
    const producer = await openProducer(cluster, 'transactional', topic);
    await producer.send([batchOf(topic, 0, [['a', '1']])]);
    proxy.loseAnswers();
    await assert.rejects(producer.endTransaction('commit'), LOST);
    await openProducer(cluster, 'transactional', topic);
    assert.deepEqual(await recordsSeen(kafka, topic, 1), ['0 a=1']);
  });

  void it('notices a broker that has fallen silent, and never waits for it to close', async () => {
    const topic = await newTopic(cluster, 1);
    const producer = await openProducer(cluster, 'transactional', topic);
    await producer.send([batchOf(topic, 0, [['a', '1']])]);
    proxy.stall({ alsoNew: true });
    const begun = performance.now();
    const large = batchOf(topic, 0, [['a', 'x'.repeat(900_000)]]);
    await assert.rejects(producer.send([large]), LOST);
    await assert.rejects(cluster.topics([topic]), LOST);
    await assert.rejects(openProducer(cluster, 'transactional', topic), LOST);
    const waited = performance.now() - begun;
    assert.ok(waited < 12 * TIMEOUT_MS, `it took ${waited} ms`);
    const closing = performance.now();
    producer.close();
    cluster.close();
    assert.ok(performance.now() - closing < TIMEOUT_MS / 2);
  });

  void it('goes on after the broker was killed and came back', async () => {
    const topic = await newTopic(cluster, 2);
    const producer = await openProducer(cluster, 'transactional', topic);
    await producer.send([batchOf(topic, 0, [['a', '1']])]);
    await producer.endTransaction('commit');
    await producer.send([batchOf(topic, 0, [['a', 'undone']])]);
    await kafka.kill();
    await assert.rejects(producer.send([batchOf(topic, 1, [['b', 'undone']])]), LOST);
    await assert.rejects(cluster.topics([topic]), LOST);
    await kafka.restart();
    const next = await openProducer(cluster, 'transactional', topic);
    await next.send([batchOf(topic, 0, [['a', '2']]), batchOf(topic, 1, [['b', '2']])]);
    await next.endTransaction('commit');
    assert.deepEqual((await recordsSeen(kafka, topic, 3)).toSorted(), ['0 a=1', '0 a=2', '1 b=2']);
  });

  void it('waits for a broker that throttles, however short the time for an answer is', async () => {
    const clientId = 'throttled';
    const quota = ['--entity-type', 'clients', '--entity-name', clientId, '--add-config', 'producer_byte_rate=1000000'];
    await kafkaTool('kafka.admin.ConfigCommand', [...bootstrap(kafka), '--alter', ...quota]);
    const throttled = await openCluster(port, end.signal, { clientId, requestTimeoutMs: TIMEOUT_MS });
    const topic = await newTopic(throttled, 10);
    const producer = await openProducer(throttled, 'transactional', topic, {
      requestBytesMax: 200_000,
      inFlightMax: 2,
    });
    const begun = performance.now();
    const batches = Array.from({ length: 60 }, (_, at) => batchOf(topic, at % 10, [[`${at}`, 'x'.repeat(100_000)]]));
    await producer.send(batches);
    await producer.endTransaction('commit');
    const waited = performance.now() - begun;
    assert.ok(waited > 2000, `6 MB at 1 MB/s took ${waited} ms`);
    assert.equal((await recordsSeen(kafka, topic, 60)).length, 60);
  });

  void it('says that a transaction took too long', async () => {
    const topic = await newTopic(cluster, 1);
    const options = { transactionTimeoutMs: 1000 };
    const producer = await openProducer(cluster, 'transactional', topic, options);
    await producer.send([batchOf(topic, 0, [['a', '1']])]);
    let fenced: unknown = null;
    for (let second = 0; second < 20 && fenced === null; second += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      fenced = await producer.send([batchOf(topic, 0, [['a', '2']])]).then(
        () => null,
        (error: unknown) => error,
      );
    }
    assert.equal((fenced as { code?: unknown }).code, 'Kafka.Fenced');
    assert.deepEqual(await recordsSeen(kafka, topic, 0), []);
  });

  void it('reads all that is there from a broker that throttles, and answers with nothing meanwhile', async () => {
    const clientId = 'slow-reader';
    const quota = ['--entity-type', 'clients', '--entity-name', clientId, '--add-config', 'consumer_byte_rate=1500000'];
    await kafkaTool('kafka.admin.ConfigCommand', [...bootstrap(kafka), '--alter', ...quota]);
    const topic = await newTopic(cluster, 1);
    const producer = await openProducer(cluster, 'idempotent', topic);
    for (const key of ['a', 'b', 'c', 'd']) await producer.send([batchOf(topic, 0, [[key, 'x'.repeat(500_000)]])]);
    const found = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const reader = await openCluster(port, end.signal, { clientId, requestTimeoutMs: 10_000 });
        return Object.keys(await newestIn(reader, topic, 0)).join('');
      }),
    );
    assert.deepEqual(found, ['abcd', 'abcd', 'abcd', 'abcd']);
  });

  void it('ends in smaller transactions what a broker that throttles would not let through in time', async () => {
    const clientId = 'slow';
    const quota = ['--entity-type', 'clients', '--entity-name', clientId, '--add-config', 'producer_byte_rate=2000000'];
    await kafkaTool('kafka.admin.ConfigCommand', [...bootstrap(kafka), '--alter', ...quota]);
    const table = newTable({ k: { kind: 'integer', bytes: 4, unsigned: false }, v: { kind: 'text' } }, ['k']);
    const topic = uniqueName('topic');
    const options = { clientId, partitions: 4, transactionTimeoutMs: 5000, requestTimeoutMs: TIMEOUT_MS };
    const sink = openKafkaSink({ ...kafka, port }, { options });
    const rows = 160;
    const failures: unknown[] = [];
    for (let at = 0, sequence = 0; at < rows && failures.length < 4; ) {
      const recovered = await sink.recover();
      await sink.prepare([toTopic(table, topic)]);
      at = Number((recovered?.offset as { at?: number } | undefined)?.at ?? 0);
      sequence = recovered?.sequence ?? 0;
      try {
        while (at < rows) {
          do {
            await sink.write(batchOfRows(inserts(table, [[at, 'x'.repeat(100_000)]])));
            at += 1;
          } while (at < rows && !sink.load().isFull);
          sequence += 1;
          await sink.commit({ ...checkpointOf(sequence, table), offset: { at } });
        }
      } catch (error) {
        failures.push((error as { code?: unknown }).code);
        at = 0;
      }
    }
    assert.deepEqual(failures, ['Kafka.Fenced']);
    assert.equal((await recordsSeen(kafka, topic, rows)).length, rows);
    await sink.close();
  });
});
