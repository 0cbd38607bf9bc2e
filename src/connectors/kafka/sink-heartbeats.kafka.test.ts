import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readTopic } from '../../../scripts/servers/kafka-reader.ts';
import { checkpointOf, openKafkaSink, progressOf, toTopic } from '../../../test/support/kafka-sink-under-test.ts';
import { sharedKafka, type TestKafka } from '../../../test/support/kafka-under-test.ts';
import { batchOf } from '../../../test/support/scripted-rows.ts';
import { uniqueName } from '../../../test/support/servers.ts';
import { newTable } from '../../../test/support/sink-contract.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { TableState } from '../../pipeline/checkpoint.ts';

void describe('heartbeats of the Kafka sink', () => {
  let kafka: TestKafka;
  before(async () => {
    kafka = await sharedKafka();
  });

  async function opened(options: { readonly partitions: number; readonly memoryBytes?: number }) {
    const clock = { ms: 1_700_000_000_000, now: () => clock.ms };
    const table = newTable({ k: { kind: 'integer', bytes: 4, unsigned: false } }, ['k']);
    const topic = uniqueName('topic');
    const { partitions, ...rest } = options;
    const sink = openKafkaSink(kafka, { options: { heartbeatSeconds: 10, partitions }, clock, ...rest });
    await sink.recover();
    await sink.prepare([toTopic(table, topic)]);
    return { sink, table, topic, clock };
  }

  void it('say nothing as long as nobody knows how far the log was read', async () => {
    const { sink, table, clock } = await opened({ partitions: 1 });
    clock.ms += 10_000;
    const behind: Batch = { ...batchOf(), caughtUp: false };
    await sink.write(behind);
    assert.equal(sink.load().rows, 0);
    await sink.write({ ...behind, timeMicros: 1_600_000_000_000_000 });
    assert.equal(sink.load().rows, 1);
    await sink.commit(checkpointOf(1, table));
    await sink.close();
  });

  void it('take no more memory than there is: the rest of many partitions comes with the next batches', async () => {
    const { sink, table, topic, clock } = await opened({ partitions: 40, memoryBytes: 128 * 1024 });
    clock.ms += 10_000;
    const commits: boolean[] = [];
    for (let sequence = 1; sequence <= 4; sequence += 1) {
      await sink.write(batchOf());
      commits.push(sink.load().isFull);
      await sink.commit(checkpointOf(sequence, table));
    }
    assert.deepEqual(commits, [true, true, false, false]);
    await sink.close();
    let partitions: number[] = [];
    for (const deadline = Date.now() + 5000; partitions.length < 40 && Date.now() < deadline; )
      partitions = (await readTopic(kafka, { topic })).map(({ partition }) => partition);
    assert.deepEqual(
      partitions.toSorted((a, b) => a - b),
      Array.from({ length: 40 }, (_, partition) => partition),
    );
  });

  void it('say nothing of a table that has failed, until it is loaded again', async () => {
    const { sink, table, clock } = await opened({ partitions: 1 });
    const states: (readonly [TableState, number])[] = [];
    for (const [sequence, state] of (['FAILED', 'SNAPSHOTTING'] as const).entries()) {
      clock.ms += 10_000;
      await sink.write(batchOf({ kind: 'progress', progress: progressOf(table, state) }));
      states.push([state, sink.load().rows]);
      await sink.commit(checkpointOf(sequence + 1, table));
    }
    assert.deepEqual(states, [
      ['FAILED', 0],
      ['SNAPSHOTTING', 1],
    ]);
    await sink.close();
  });
});
