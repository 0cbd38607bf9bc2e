import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { KafkaBroker, KafkaServer } from '../../../../scripts/servers/kafka.ts';
import { freePort } from '../../../../scripts/servers/free-port.ts';
import { batchOf, openCluster, openProducer, recordsSeen } from '../../../../test/support/kafka-protocol-under-test.ts';
import { bootstrap, describeTopic, kafkaTool } from '../../../../test/support/kafka-tools.ts';
import { privateKafka } from '../../../../test/support/kafka-under-test.ts';
import { uniqueName } from '../../../../test/support/servers.ts';
import { pause } from '../../../lib/retry.ts';
import type { Cluster } from './cluster.ts';

void describe('a cluster of three brokers', () => {
  let kafka: KafkaServer;
  let cluster: Cluster;
  const end = new AbortController();

  before(async () => {
    kafka = await privateKafka({ brokers: 3 });
    cluster = await openCluster(kafka.port, end.signal, { requestTimeoutMs: 5000 });
  });
  after(async () => {
    end.abort();
    await kafka.stop();
  });

  void it('is known whole through one of them', () => {
    assert.deepEqual(
      cluster.facts.brokers.map(({ id, port }) => ({ id, port })).toSorted((a, b) => a.id - b.id),
      kafka.brokers.map(({ id, port }) => ({ id, port })),
    );
  });

  void it('is found through any address that works', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const brokers = [
      { host: '127.0.0.1', port: (silent.address() as AddressInfo).port },
      { host: '127.0.0.1', port: await freePort() },
      { host: '127.0.0.1', port: kafka.brokers[1]?.port ?? 0 },
    ];
    const begun = performance.now();
    const found = await openCluster(kafka.port, end.signal, { brokers, requestTimeoutMs: 8000 });
    silent.close();
    assert.equal(found.facts.brokers.length, 3);
    assert.ok(performance.now() - begun < 4000);
    await assert.rejects(openCluster(kafka.port, end.signal, { brokers: brokers.slice(1, 2) }), /ECONNREFUSED/);
  });

  void it('takes each record once while leaders are killed and elected', async () => {
    const topic = await replicated(1);
    const writer = await openProducer(cluster, 'idempotent', topic);
    await writer.send([batchOf(topic, 0, [['a', '1']])]);
    const first = await leader(topic);
    await first.kill();
    await writer.send([batchOf(topic, 0, [['a', '2']]), batchOf(topic, 0, [['a', '3']])]);
    // Knows another leader than there will be, once the first is back and preferred.
    const transactional = await openProducer(cluster, 'transactional', topic);
    await transactional.send([batchOf(topic, 0, [['t', '1']])]);
    await transactional.endTransaction('commit');
    const other = kafka.brokers.find(({ id }) => id !== first.id);
    assert.notEqual((await leader(topic, other)).id, first.id);
    await first.restart();
    await electPreferred(topic, first.id);
    await transactional.send([batchOf(topic, 0, [['t', '2']])]);
    await transactional.endTransaction('commit');
    await writer.send([batchOf(topic, 0, [['a', '4']])]);
    const seen = ['0 a=1', '0 a=2', '0 a=3', '0 t=1', '0 t=2', '0 a=4'];
    assert.deepEqual(await recordsSeen(first, topic, seen.length), seen);
  });

  void it('is waited for when it has too few replicas', async () => {
    const topic = await replicated(3);
    const [, , last] = kafka.brokers;
    assert.ok(last);
    const producer = await openProducer(cluster, 'idempotent', topic);
    await producer.send([batchOf(topic, 0, [['a', '1']])]);
    await last.kill();
    await untilInSync(topic, 2);
    let done = false;
    const sending = producer.send([batchOf(topic, 0, [['a', '2']])]).then(() => {
      done = true;
    });
    await pause(1500);
    assert.equal(done, false);
    await last.restart();
    await sending;
    assert.deepEqual(await recordsSeen(kafka, topic, 2), ['0 a=1', '0 a=2']);
  });

  async function replicated(minInSync: number): Promise<string> {
    const name = uniqueName('replicated');
    const configs = { 'min.insync.replicas': String(minInSync) };
    await cluster.createTopics([{ name, partitions: 1, replication: 3, configs }]);
    await untilInSync(name, 3);
    return name;
  }

  /** By a tool, so that our own cluster hears of it as late as it does otherwise. */
  async function leader(topic: string, through: KafkaBroker = kafka): Promise<KafkaBroker> {
    const id = Number(/Leader: (\d+)/.exec(await describeTopic(through, topic))?.[1]);
    const broker = kafka.brokers.find((one) => one.id === id);
    assert.ok(broker);
    return broker;
  }

  async function untilInSync(topic: string, count: number): Promise<void> {
    for (const until = performance.now() + 20_000; performance.now() < until; ) {
      const inSync = /Isr: ([\d,]+)/.exec(await describeTopic(kafka, topic))?.[1]?.split(',') ?? [];
      if (inSync.length === count) return;
    }
    assert.fail(`there are never ${count} replicas in sync`);
  }

  async function electPreferred(topic: string, wanted: number): Promise<void> {
    const args = [...bootstrap(kafka), '--election-type', 'preferred', '--topic', topic, '--partition', '0'];
    for (const until = performance.now() + 20_000; performance.now() < until; ) {
      await kafkaTool('org.apache.kafka.tools.LeaderElectionCommand', args).catch(() => {});
      if ((await leader(topic)).id === wanted) return;
    }
    assert.fail('the preferred leader was not elected');
  }
});
