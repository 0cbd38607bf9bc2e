import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { batchOf, openCluster, openProducer } from '../../../../test/support/kafka-protocol-under-test.ts';
import { ScriptedBroker } from '../../../../test/support/scripted-broker.ts';
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
