import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { batchOf, openCluster, openProducer } from '../../../../test/support/kafka-protocol-under-test.ts';
import { ScriptedBroker } from '../../../../test/support/scripted-broker.ts';
import { pause } from '../../../lib/retry.ts';
import type { Cluster } from './cluster.ts';

void describe('a broker that has just started beside a ZooKeeper', () => {
  let broker: ScriptedBroker;
  let cluster: Cluster;
  let end: AbortController;

  beforeEach(async () => {
    end = new AbortController();
    broker = await ScriptedBroker.start(1);
    cluster = await openCluster(broker.port, end.signal, { requestTimeoutMs: 1000 });
  });
  afterEach(() => {
    end.abort();
    broker.stop();
  });

  void it('is asked again when it has heard of nothing', async () => {
    broker.knows('nothing', 'nothing');
    assert.deepEqual([...(await cluster.topics([broker.topic])).keys()], [broker.topic]);
  });

  void it('is asked again for a topic that was there, or must be', async () => {
    broker.knows('no topics', 'nothing', 'no topics');
    const expected = new Set([broker.topic]);
    assert.deepEqual([...(await cluster.topics([broker.topic], expected)).keys()], [broker.topic]);
    broker.knows('no topics', 'no topics');
    assert.deepEqual([...(await cluster.topics([broker.topic])).keys()], [broker.topic]);
  });

  void it('is asked again for a topic whose partitions it has not heard of', async () => {
    broker.knows('no partitions', 'no partitions');
    assert.equal((await cluster.topics([broker.topic])).get(broker.topic)?.partitions, 1);
  });

  void it('is believed that there is no topic which nobody has seen', async () => {
    broker.knows('no topics');
    assert.deepEqual(await cluster.topics([broker.topic]), new Map());
  });

  void it('does not end a producer', async () => {
    const producer = await openProducer(cluster, 'idempotent', '');
    await producer.send([batchOf(broker.topic, 0, [['a', 'b']])]);
    const unknownTopic = 3;
    broker.replies(new Map([[0, unknownTopic]]));
    broker.knows('no topics', 'no topics');
    await producer.send([batchOf(broker.topic, 0, [['a', 'b']])]);
    assert.deepEqual(broker.requests, [[0], [0], [0]]);
  });
});

void describe('opening a cluster', () => {
  void it('ends at once when it is aborted, however far it has come', async () => {
    // It must read to see that its client went.
    const silent = createServer((socket) => socket.on('error', () => {}).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const sasl = { mechanism: 'PLAIN' as const, username: 'u', password: 'p' };
    for (const settings of [{}, { sasl }, { ssl: { mode: 'required' as const } }]) {
      const stop = new AbortController();
      const opening = openCluster(port, stop.signal, { ...settings, requestTimeoutMs: 8000 });
      await once(silent, 'connection');
      await pause(50);
      const begun = performance.now();
      stop.abort();
      await assert.rejects(opening, { name: 'AbortError' });
      await assert.rejects(openCluster(port, stop.signal, settings), { name: 'AbortError' });
      assert.ok(performance.now() - begun < 1000);
    }
    silent.close();
  });
});
