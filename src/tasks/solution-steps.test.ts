import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunStatus } from '../engine/engine.ts';
import type { Failure, TableProgress, TableState } from '../pipeline/checkpoint.ts';
import { solutionRun } from './solution-steps.ts';
import type { DefinedTable } from './task-definition.ts';
import type { InstanceStatus } from './task-service.ts';

const FAILURE: Failure = { code: 'Test.Failed', message: 'it failed', remedy: null };

function table(name: string, load: DefinedTable['load'] = 'full'): DefinedTable {
  const target = { schema: 'public', table: name };
  return { table: { database: 'shop', table: name }, target, key: ['id'], load, since: 1, columns: [] };
}

function at(name: string, state: TableState, chunks: [done: number, all: number], rows = 0): TableProgress {
  const [chunksDone, chunksAll] = chunks;
  const failure = state === 'FAILED' ? FAILURE : null;
  return { table: { database: 'shop', table: name }, state, chunksDone, chunksAll, rows, failure, resume: null };
}

function runOf(...tables: TableProgress[]): RunStatus {
  return {
    phase: 'running',
    appliedVersion: 1,
    wantedVersion: 1,
    lagMs: null,
    heldMs: null,
    offset: null,
    tables,
    failure: null,
    nextTryAt: null,
    failovers: 0,
    rowsRead: 0,
    rowsWritten: 0,
    bytesRead: 0,
    dirtyRows: 0,
    ddl: {},
    checkpointAt: null,
    watermarkAt: null,
  };
}

/** In short: `run: success a+ b+ | run a+ b. | run a~ b.`, with . wait, ~ run, + success, ! fail. */
function shown(
  status: InstanceStatus,
  run: RunStatus | null,
  tables = [table('a'), table('b')],
  hasFailed = false,
): string {
  const found = solutionRun({ status, hasFailed, run, tables });
  const marks = { wait: '.', run: '~', success: '+', fail: '!' };
  const steps = found.steps.map((step) =>
    [step.status, ...step.tables.map((one) => `${one.name.split('.')[1] ?? ''}${marks[one.status]}`)].join(' '),
  );
  return `${found.status}: ${steps.join(' | ')}`;
}

void test('a solution that never ran waits at each step', () => {
  assert.equal(shown('NORUN', null), 'wait: wait a. b. | wait a. b. | wait a. b.');
});

void test('its steps follow its tables: prepared, loading, streaming', () => {
  assert.equal(shown('WAIT', null), 'wait: run a~ b~ | wait a. b. | wait a. b.');
  const [waiting, loading, streaming] = [
    at('b', 'WAITING', [0, 1]),
    at('a', 'SNAPSHOTTING', [1, 4]),
    at('a', 'STREAMING', [4, 4]),
  ];
  assert.equal(
    shown('RUN', runOf(at('a', 'WAITING', [0, 4]), waiting)),
    'run: success a+ b+ | wait a. b. | wait a. b.',
  );
  assert.equal(shown('RUN', runOf(loading, waiting)), 'run: success a+ b+ | run a~ b. | wait a. b.');
  assert.equal(shown('RUN', runOf(streaming, waiting)), 'run: success a+ b+ | run a+ b. | run a~ b.');
  assert.equal(
    shown('RUN', runOf(streaming, at('b', 'STREAMING', [1, 1]))),
    'run: success a+ b+ | success a+ b+ | run a~ b~',
  );
});

void test('a table that joins a running solution is seen in each step, and the others stay where they are', () => {
  const run = runOf(at('a', 'STREAMING', [4, 4]));
  assert.equal(shown('RUN', run), 'run: run a+ b~ | run a+ b. | run a~ b.');
});

void test('a stopped solution keeps what is done, and waits with the rest', () => {
  const run = runOf(at('a', 'STREAMING', [4, 4]), at('b', 'SNAPSHOTTING', [1, 2]));
  assert.equal(shown('PAUSE', run), 'wait: success a+ b+ | wait a+ b. | wait a. b.');
});

void test('a table that failed fails the step that it was in, and no other table', () => {
  const flows = at('a', 'STREAMING', [4, 4]);
  assert.equal(
    shown('RUN', runOf(flows, at('b', 'FAILED', [0, 0]))),
    'run: fail a+ b! | run a+ b. | run a~ b.',
    'its target could not be made',
  );
  assert.equal(
    shown('RUN', runOf(flows, at('b', 'FAILED', [1, 2]))),
    'run: success a+ b+ | fail a+ b! | run a~ b.',
    'it was being loaded',
  );
  assert.equal(
    shown('RUN', runOf(flows, at('b', 'FAILED', [2, 2]))),
    'run: success a+ b+ | success a+ b+ | run a~ b!',
    'it was streaming',
  );
});

void test('a run that ended by itself fails the first step that was not over', () => {
  const loading = runOf(at('a', 'STREAMING', [4, 4]), at('b', 'SNAPSHOTTING', [1, 2]));
  assert.equal(shown('PAUSE', loading, undefined, true), 'fail: success a+ b+ | fail a+ b. | wait a. b.');
  const streaming = runOf(at('a', 'STREAMING', [4, 4]), at('b', 'STREAMING', [2, 2]));
  assert.equal(shown('PAUSE', streaming, undefined, true), 'fail: success a+ b+ | success a+ b+ | fail a. b.');
  assert.equal(shown('PAUSE', null, undefined, true), 'fail: fail a. b. | wait a. b. | wait a. b.');
});

void test('tables that are not loaded are not in the step that loads, which is over once there are targets', () => {
  const tables = [table('a', 'none'), table('b', 'none')];
  assert.equal(shown('NORUN', null, tables), 'wait: wait a. b. | wait | wait a. b.');
  const run = runOf(at('a', 'STREAMING', [0, 0]), at('b', 'FAILED', [0, 0]));
  assert.equal(shown('RUN', run, tables), 'run: success a+ b+ | success | run a~ b!');
});

void test('a step names targets while they are made, and sources with their rows while they are loaded', () => {
  const tables = [table('a'), { ...table('b'), target: { schema: '', table: 'topic_b' } }];
  const run = runOf(at('a', 'SNAPSHOTTING', [1, 2], 10));
  const { steps } = solutionRun({ status: 'RUN', hasFailed: false, run, tables });
  assert.deepEqual(steps, [
    {
      kind: 'structure',
      status: 'run',
      tables: [
        { name: 'public.a', status: 'success', rows: null },
        { name: 'topic_b', status: 'run', rows: null },
      ],
    },
    {
      kind: 'load',
      status: 'run',
      tables: [
        { name: 'shop.a', status: 'run', rows: 10 },
        { name: 'shop.b', status: 'wait', rows: 0 },
      ],
    },
    {
      kind: 'stream',
      status: 'wait',
      tables: [
        { name: 'shop.a', status: 'wait', rows: null },
        { name: 'shop.b', status: 'wait', rows: null },
      ],
    },
  ]);
});
