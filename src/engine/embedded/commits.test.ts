import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../pipeline/batch.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { CommitResult, Sink } from '../../pipeline/sink.ts';
import type { CheckpointStore, StoredCheckpoint } from '../engine.ts';
import { Commits } from './commits.ts';
import { RunState } from './run-state.ts';

const OWNER = { installation: 'i', task: '1', incarnation: 'x' };
const TABLE = { database: 'shop', table: 'orders' };
const PROGRESS = {
  table: TABLE,
  state: 'STREAMING',
  chunksDone: 0,
  chunksAll: 0,
  rows: 0,
  failure: null,
  resume: null,
} as const;

/** A commit that ends when the test says so. */
interface Flight {
  readonly checkpoint: Checkpoint;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

function scene({ holds = false } = {}) {
  const state = new RunState({ sequence: 0, offset: { position: 0 }, version: 1, tables: [PROGRESS] });
  const load = { rows: 0, bytes: 0, isFull: false };
  const flights: Flight[] = [];
  const saved: StoredCheckpoint[] = [];
  const events: string[] = [];
  const sink = {
    commitIntervalMs: 10,
    holdsCheckpoint: holds,
    load: () => load,
    commit: (checkpoint: Checkpoint) =>
      new Promise<CommitResult>((resolve, reject) => flights.push({ checkpoint, resolve, reject })),
  } as unknown as Sink;
  const store: CheckpointStore = {
    load: async () => null,
    save: async (_, stored) => {
      events.push(`saved ${stored.checkpoint.sequence}`);
      saved.push(stored);
    },
    forget: async () => {},
  };
  const commits = new Commits({
    sink,
    store,
    owner: OWNER,
    state,
    onSaved: (failed) => events.push(`done, ${failed.length} failed`),
  });
  const take = (position: number, changes: Partial<Batch> = {}) =>
    state.take(
      {
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
      },
      0,
    );
  return { state, load, flights, saved, events, commits, take };
}

const FINE: CommitResult = { failed: [], rowsWritten: 3 };

void test('rows are committed when the sink’s interval has passed, or it is full, a mere offset after a second, and nothing never', async () => {
  const { commits, take, load, flights } = scene();
  assert.equal(commits.dueIn(5000), null);
  load.rows = 1;
  take(1);
  assert.equal(commits.dueIn(5000), 0);
  const first = commits.start(5000);
  load.rows = 0;
  flights[0]?.resolve(FINE);
  await first;
  assert.equal(commits.dueIn(5001), null);
  take(2);
  assert.deepEqual([commits.dueIn(5001), commits.dueIn(6000)], [999, 0]);
  load.rows = 1;
  assert.deepEqual([commits.dueIn(5001), commits.dueIn(5010)], [9, 0]);
  load.isFull = true;
  assert.equal(commits.dueIn(5001), 0);
});

void test('one commit is on its way at a time, and covers what was taken before it', async () => {
  const { commits, take, load, flights, saved } = scene();
  load.rows = 1;
  take(1);
  const first = commits.start(0);
  take(2);
  assert.equal(commits.dueIn(100), null);
  flights[0]?.resolve(FINE);
  await first;
  assert.equal(commits.dueIn(100), 0);
  const second = commits.start(100);
  flights[1]?.resolve(FINE);
  await second;
  assert.deepEqual(
    saved.map(({ checkpoint: { sequence, offset } }) => [sequence, offset]),
    [
      [1, { position: 1 }],
      [2, { position: 2 }],
    ],
  );
});

void test('no commit ends within a source transaction, unless the sink has no more room', () => {
  const { commits, take, load } = scene();
  load.rows = 1000;
  load.bytes = 64 << 20;
  take(1, { transactionEnd: false });
  assert.equal(commits.dueIn(5000), null);
  load.isFull = true;
  assert.equal(commits.dueIn(5000), 0);
  load.isFull = false;
  take(2);
  assert.equal(commits.dueIn(5000), 0);
});

void test('a checkpoint is remembered after its rows are durable (I1)', async () => {
  const { commits, take, flights, saved, events } = scene();
  take(1);
  const first = commits.start(0);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events, []);
  flights[0]?.resolve(FINE);
  await first;
  assert.deepEqual(events, ['saved 1', 'done, 0 failed']);
  assert.equal(saved[0]?.heldBySink, false);
});

void test('after a commit that failed no other one starts: what became of it is unknown', async () => {
  const { commits, take, load, flights, saved } = scene();
  load.rows = 1;
  take(1);
  const first = commits.start(0);
  flights[0]?.reject(new Error('cut'));
  await assert.rejects(first, /cut/);
  take(2);
  assert.equal(commits.dueIn(100_000), null);
  assert.deepEqual(saved, []);
});

void test('a table that the sink left out is FAILED in the checkpoint of that very commit', async () => {
  const { commits, take, flights, saved, events } = scene();
  take(1);
  const first = commits.start(0);
  const error = new PipelineError('table', 'Sink.Refused', 'no such column', { table: TABLE, hint: 'Add it.' });
  flights[0]?.resolve({ failed: [{ table: TABLE, error }], rowsWritten: 0 });
  await first;
  const failure = { code: 'Sink.Refused', message: 'no such column', remedy: 'Add it.' };
  assert.deepEqual(saved[0]?.checkpoint.tables, [{ ...PROGRESS, state: 'FAILED', failure }]);
  assert.deepEqual(events, ['saved 1', 'done, 1 failed']);
});

void test('a checkpoint that the sink holds is copied when a state or version changed, and at the end', async () => {
  const { commits, take, flights, saved } = scene({ holds: true });
  const commit = async () => {
    const started = commits.start(Date.now());
    flights.at(-1)?.resolve(FINE);
    await started;
  };
  take(1);
  await commit();
  take(2);
  await commit();
  take(3, { version: 2 });
  await commit();
  take(4);
  const finished = commits.finish();
  flights.at(-1)?.resolve(FINE);
  await finished;
  assert.deepEqual(
    saved.map(({ checkpoint, heldBySink }) => [checkpoint.sequence, heldBySink]),
    [
      [1, true],
      [3, true],
      [4, true],
    ],
  );
});

void test('the last commit is left out within a transaction, and when there is nothing to commit', async () => {
  const { commits, take, flights, load } = scene();
  await commits.finish();
  load.rows = 5;
  take(1, { transactionEnd: false });
  await commits.finish();
  assert.deepEqual(flights, []);
});
