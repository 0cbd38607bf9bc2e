import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableProgress, TableState } from '../../pipeline/checkpoint.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import { DEFAULT_DDL_POLICIES } from '../../pipeline/policies.ts';
import type { Route } from '../../pipeline/route.ts';
import { reconcile } from './reconcile.ts';

function route(table: string, changes: Partial<Route> = {}): Route {
  return { table: { database: 'shop', table }, target: { schema: 'shop', table }, load: 'full', since: 1, ...changes };
}

function define(routes: readonly Route[], filled: readonly string[] = []): PipelineDef {
  return {
    owner: { installation: 'i', task: '1', incarnation: 'x' },
    version: 5,
    source: { name: 'source', type: 'memory', settings: {}, options: {} },
    sink: { name: 'sink', type: 'memory', settings: {}, options: {} },
    routes,
    policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: { count: 1, intervalMinutes: 1 } },
    start: null,
    filled: filled.map((table) => ({ schema: 'shop', table })),
  };
}

function progress(table: string, state: TableState): TableProgress {
  const failure = state === 'FAILED' ? { code: 'Table.Odd', message: 'odd', remedy: null } : null;
  return {
    table: { database: 'shop', table },
    state,
    chunksDone: 2,
    chunksAll: 4,
    rows: 9,
    failure,
    resume: { at: 1 },
  };
}

void test('at a first start every table starts afresh, and only a target that this task filled before is emptied', () => {
  const a = route('a');
  const b = route('b');
  assert.deepEqual(reconcile(define([a, b], ['b']), null, true), {
    tables: [
      { route: a, progress: null, emptyFirst: false },
      { route: b, progress: null, emptyFirst: true },
    ],
    failed: [],
  });
});

void test('a table goes on where it was, whatever it was doing, and one that is new joins', () => {
  const [a, b, c, d] = [route('a'), route('b'), route('c'), route('d', { since: 5 })];
  const states = [progress('a', 'WAITING'), progress('b', 'SNAPSHOTTING'), progress('c', 'STREAMING')];
  assert.deepEqual(reconcile(define([a, b, c, d]), { version: 4, tables: states }, false), {
    tables: [
      { route: a, progress: states[0], emptyFirst: false },
      { route: b, progress: states[1], emptyFirst: false },
      { route: c, progress: states[2], emptyFirst: false },
      { route: d, progress: null, emptyFirst: false },
    ],
    failed: [],
  });
});

void test('a table that left and came back since starts afresh into an emptied target, even if its leaving was never applied', () => {
  const a = route('a', { since: 5 });
  const b = route('b', { since: 2 });
  const tables = [progress('a', 'STREAMING'), progress('b', 'REMOVED')];
  assert.deepEqual(reconcile(define([a, b], ['a', 'b']), { version: 4, tables }, false), {
    tables: [
      { route: a, progress: null, emptyFirst: true },
      { route: b, progress: null, emptyFirst: true },
    ],
    failed: [],
  });
});

void test('a table of a version that was applied goes on after it', () => {
  const a = route('a', { since: 5 });
  const was = progress('a', 'SNAPSHOTTING');
  assert.deepEqual(reconcile(define([a], ['a']), { version: 5, tables: [was] }, false), {
    tables: [{ route: a, progress: was, emptyFirst: false }],
    failed: [],
  });
});

void test('a failed table stays as it is, or starts afresh where failed ones are to be tried again', () => {
  const a = route('a');
  const was = progress('a', 'FAILED');
  const applied = { version: 5, tables: [was] };
  assert.deepEqual(reconcile(define([a], ['a']), applied, false), { tables: [], failed: [was] });
  assert.deepEqual(reconcile(define([a], ['a']), applied, true), {
    tables: [{ route: a, progress: null, emptyFirst: true }],
    failed: [],
  });
  const back = route('a', { since: 6 });
  assert.deepEqual(reconcile(define([back], ['a']), applied, false), {
    tables: [{ route: back, progress: null, emptyFirst: true }],
    failed: [],
  });
});

void test('a failed table of which no row was ever written leaves what it finds in the target', () => {
  const a = route('a');
  assert.deepEqual(reconcile(define([a]), { version: 5, tables: [progress('a', 'FAILED')] }, true), {
    tables: [{ route: a, progress: null, emptyFirst: false }],
    failed: [],
  });
});

void test('a target is not emptied where existing rows are not loaded', () => {
  const a = route('a', { load: 'none' });
  assert.deepEqual(reconcile(define([a], ['a']), null, true), {
    tables: [{ route: a, progress: null, emptyFirst: false }],
    failed: [],
  });
});

void test('a filled target of the same name in another schema is another target', () => {
  const a = route('a', { target: { schema: 'other', table: 'a' } });
  assert.deepEqual(reconcile(define([a], ['a']), null, true).tables, [{ route: a, progress: null, emptyFirst: false }]);
});

void test('a failed table is loaded also where none was asked for: its changes were not kept', () => {
  const a = route('a', { load: 'none' });
  assert.deepEqual(reconcile(define([a], ['a']), { version: 5, tables: [progress('a', 'FAILED')] }, true), {
    tables: [{ route: { ...a, load: 'full' }, progress: null, emptyFirst: true }],
    failed: [],
  });
});
