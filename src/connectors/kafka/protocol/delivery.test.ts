import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { batchOf, openCluster, openProducer } from '../../../../test/support/kafka-protocol-under-test.ts';
import { ScriptedBroker } from '../../../../test/support/scripted-broker.ts';
import type { Cluster } from './cluster.ts';
import type { Producer } from './producer.ts';

const TOO_LARGE = 10;
const NOT_LEADER = 6;
const TIMED_OUT = 7;
const DUPLICATE = 46;
const LOST = { code: 'Sink.Unavailable', kind: 'transient' };

void describe('answers to produce requests', () => {
  let broker: ScriptedBroker;
  let cluster: Cluster;
  const end = new AbortController();

  before(async () => {
    broker = await ScriptedBroker.start(3);
    cluster = await openCluster(broker.port, end.signal, { requestTimeoutMs: 1000 });
  });
  after(() => {
    end.abort();
    broker.stop();
  });

  const batch = (partition: number) => batchOf(broker.topic, partition, [['a', 'b']]);
  const open = async (mode: 'idempotent' | 'plain'): Promise<Producer> => {
    broker.requests.length = 0;
    return openProducer(cluster, mode, '');
  };

  void it('settle each partition by itself: what was refused for the moment goes again, alone and before what follows it', async () => {
    const producer = await open('idempotent');
    broker.replies(new Map([[1, NOT_LEADER]]), new Map([[0, DUPLICATE]]), new Map([[1, NOT_LEADER]]));
    await producer.send([batch(0), batch(1), batch(0), batch(2)]);
    assert.deepEqual(broker.requests, [[0, 1, 2], [0], [1], [1]]);
    await producer.send([batch(1)]);
    assert.deepEqual(broker.requests.at(-1), [1]);
  });

  void it('end the producer when one is refused for good, with what else is under way', async () => {
    const producer = await open('idempotent');
    broker.replies(new Map(), new Map([[1, TOO_LARGE]]));
    const others = producer.send([batch(0), batch(0), batch(0)]);
    const error = { code: 'Kafka.MessageTooLarge', topic: broker.topic };
    await Promise.all([assert.rejects(producer.send([batch(1)]), error), assert.rejects(others, error)]);
    assert.deepEqual(broker.requests, [[0], [1, 0]]);
    await assert.rejects(producer.send([batch(2)]), error);
  });

  for (const reply of ['hang up', 'half', 'silence', new Map([[0, TIMED_OUT]]), new Map([[0, null]])] as const) {
    const what = typeof reply === 'string' ? reply : `error ${reply.get(0)}`;
    void it(`that leave the fate of a batch open (${what}) end a plain producer, and make an idempotent one ask again`, async () => {
      const plain = await open('plain');
      broker.replies(reply);
      await assert.rejects(plain.send([batch(0)]), LOST);
      assert.deepEqual(broker.requests, [[0]]);
      const idempotent = await open('idempotent');
      broker.replies(reply, reply);
      await idempotent.send([batch(0)]);
      assert.deepEqual(broker.requests, [[0], [0], [0]]);
    });
  }

  void it('that nobody can read leave the fate of a batch open, too', async () => {
    const producer = await open('plain');
    broker.replies('garbage');
    await assert.rejects(producer.send([batch(0)]), LOST);
    assert.equal(producer.isBroken, true);
  });
});
