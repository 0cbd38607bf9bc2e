import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../pipeline/batch.ts';
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

void test('an idle source gives nothing to save, until its offset moves', () => {
  const state = new RunState({ sequence: 4, offset: { position: 10 }, version: 1, tables: [] });
  state.take(batch(10));
  assert.deepEqual([state.unsaved, state.moved], [false, false]);
  state.take(batch(11));
  assert.deepEqual([state.unsaved, state.moved], [false, true]);
  assert.deepEqual(state.checkpoint(), { sequence: 5, offset: { position: 11 }, version: 1, tables: [] });
  assert.deepEqual([state.unsaved, state.moved], [false, false]);
});

void test('the lag is the age of the oldest change that is not durable, also while its commit is on its way', () => {
  const state = new RunState(null);
  assert.equal(state.lagMs(5000), 0);
  state.take(batch(1, { rows: 1, timeMicros: 1_000_000 }));
  state.take(batch(2, { rows: 1, timeMicros: 3_000_000 }));
  assert.equal(state.lagMs(5000), 4000);
  const first = state.checkpoint();
  state.take(batch(3, { rows: 1, timeMicros: 4_000_000 }));
  assert.equal(state.lagMs(5000), 4000);
  state.saved(first, 5000);
  assert.equal(state.lagMs(5000), 1000);
  state.saved(state.checkpoint(), 5000);
  assert.equal(state.lagMs(9000), 0);
});
