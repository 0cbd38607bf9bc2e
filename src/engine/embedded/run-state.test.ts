import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../pipeline/batch.ts';
import type { TableProgress } from '../../pipeline/checkpoint.ts';
import { RunState } from './run-state.ts';

function batch(position: number, changes: Partial<Batch> = {}): Batch {
  return {
    parts: [],
    rows: 0,
    bytes: 0,
    offset: { position },
    transactionEnd: true,
    version: 1,
    timeMicros: null,
    caughtUp: true,
    heldSinceMicros: null,
    ...changes,
  };
}

const PROGRESS: TableProgress = {
  table: { database: 'd', table: 't' },
  state: 'STREAMING',
  chunksDone: 0,
  chunksAll: 0,
  rows: 0,
  failure: null,
  resume: null,
};

void test('an idle source gives nothing to save, until its offset moves', () => {
  const state = new RunState({ sequence: 4, offset: { position: 10 }, version: 1, tables: [] });
  state.take(batch(10), 9000);
  assert.deepEqual([state.unsaved, state.moved], [false, false]);
  state.take(batch(11), 9000);
  assert.deepEqual([state.unsaved, state.moved], [false, true]);
  assert.deepEqual(state.checkpoint(), { sequence: 5, offset: { position: 11 }, version: 1, tables: [] });
  assert.deepEqual([state.unsaved, state.moved], [false, false]);
});

void test('the lag is the age of the oldest change that is not durable, also while its commit is on its way', () => {
  const state = new RunState(null);
  assert.equal(state.lagMs(5000), 0);
  state.take(batch(1, { rows: 1, timeMicros: 1_000_000 }), 9000);
  state.take(batch(2, { rows: 1, timeMicros: 3_000_000 }), 9000);
  assert.equal(state.lagMs(5000), 4000);
  const first = state.checkpoint();
  state.take(batch(3, { rows: 1, timeMicros: 4_000_000 }), 9000);
  assert.equal(state.lagMs(5000), 4000);
  state.saved(first, 5000);
  assert.equal(state.lagMs(5000), 1000);
  state.saved(state.checkpoint(), 5000);
  assert.equal(state.lagMs(9000), 0);
});

void test('the watermark is the time before which all changes are durable', () => {
  const state = new RunState(null);
  const busy = { rows: 1, parts: [{ kind: 'progress', progress: PROGRESS }], caughtUp: false } as const;
  assert.equal(state.watermarkAt, null);
  state.take(batch(1, { ...busy, timeMicros: 5_000_999 }), 9000);
  assert.equal(state.watermarkAt, null);
  const first = state.checkpoint();
  state.take(batch(2, { ...busy, timeMicros: 7_000_000 }), 9001);
  assert.equal(state.watermarkAt, null);
  state.saved(first, 9002);
  assert.equal(state.watermarkAt, 5000, 'what was taken behind the checkpoint is not durable');
  // A change may have an older time than one before it.
  state.take(batch(3, { ...busy, timeMicros: 6_500_000 }), 9003);
  state.saved(state.checkpoint(), 9004);
  assert.equal(state.watermarkAt, 7000);
  state.take(batch(3), 9500);
  assert.equal(state.watermarkAt, 9500, 'the source has no more, and all it had is durable');
  state.take(batch(4), 9600);
  assert.equal(state.watermarkAt, 9500, 'of a transaction without rows of ours the offset is still to be saved');
  const idle = state.checkpoint();
  state.take(batch(4), 9700);
  state.saved(idle, 9701);
  assert.equal(state.watermarkAt, 9600);
  state.take(batch(4), 9800);
  assert.equal(state.watermarkAt, 9800);
});
