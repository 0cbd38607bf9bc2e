import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRIPTED_PLACE } from '../../../../test/support/scripted-rows.ts';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import { CapturedTable } from '../captured-table.ts';
import type { TableId } from '../../../pipeline/table.ts';
import type { Chunk, ChunkReader, Refused, ShapeSeen } from './chunk-reader.ts';
import { TextRows } from '../protocol/text-rows.ts';
import { TableLoads } from './table-loads.ts';
import type { MysqlTable } from '../types.ts';

const column = {
  name: 'id',
  type: { kind: 'integer', bytes: 4, unsigned: false },
  nullable: false,
  sourceType: 'int',
  comment: '',
  generated: false,
} as const;
const at = (position: number) => ({ file: 'binlog.000001', position });
const start = (position: number) => ({ position: at(position), gtids: '' });

function table(name: string): CapturedTable {
  const shape: MysqlTable = {
    version: { id: { database: 'd', table: name }, columns: [column], key: [0] },
    columns: [{ column, log: { code: 3, meta: 0 }, charset: null }],
  };
  return CapturedTable.fresh({ shape, from: at(4), load: 'full', emptyFirst: false, rowBytes: 0, chunksAll: 1 });
}

/** Loads whose chunk readers a test answers by hand, in the order in which chunks are asked for. */
function scripted({
  parallelism = 1,
  rowsPerSecondMax = null as number | null,
  now = (): number => 0,
  keyBytesMax = 1 << 20,
} = {}) {
  const calls: {
    table: string;
    resolve: (found: Chunk | Refused | ShapeSeen) => void;
    reject: (error: unknown) => void;
  }[] = [];
  const reshaped: unknown[] = [];
  const reader = {
    read: ({ version }: MysqlTable) =>
      new Promise((resolve, reject) => calls.push({ table: version.id.table, resolve, reject })),
    shape: ({ table: name }: TableId) =>
      new Promise((resolve, reject) => calls.push({ table: `shape of ${name}`, resolve, reject })),
    rest: () => {},
    recycle: () => {},
    close: () => {},
  };
  let woken = 0;
  const loads = new TableLoads({
    parallelism,
    rowsPerSecondMax,
    heldBytesMax: 8 << 20,
    keyBytesMax,
    now,
    reader: () => reader as unknown as ChunkReader,
    reshape: (of, shape) => {
      reshaped.push([of.id.table, shape]);
      of.suspect = false;
      return [];
    },
    placeOf: ({ file, position }) => ({ ...SCRIPTED_PLACE, file, position }),
    timeHere: () => 0,
    wake: () => (woken += 1),
  });
  return { calls, loads, reshaped, woken: () => woken };
}

function chunkOf(ids: readonly number[], high: number, last: boolean): Chunk {
  const rows = new TextRows(Buffer.alloc(64));
  for (const id of ids) {
    const text = Buffer.from(` ${id}`);
    text[0] = text.length - 1;
    rows.row(text, 0, text.length);
  }
  return { kind: 'chunk', rows, high: at(high), cursor: [String(ids.at(-1))], last, selectedMicros: 0 };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

void test('a chunk waits until the stream has come to its HIGH, while the next one is read behind it', async () => {
  const { calls, loads, woken } = scripted();
  const t = table('t');
  loads.add(t);
  assert.deepEqual(
    loads.atBoundary(start(100)).map((part) => part.kind),
    ['progress'],
  );
  assert.equal(loads.waiting, false);
  await settle();
  calls[0]?.resolve(chunkOf([1, 2], 200, false));
  await settle();
  assert.deepEqual([woken(), loads.waiting], [1, true]);
  assert.deepEqual(loads.atBoundary(start(199)), []);
  await settle();
  assert.equal(calls.length, 2, 'the next chunk is asked for before the first is merged');
  assert.deepEqual(
    loads.atBoundary(start(200)).map((part) => (part.kind === 'rows' ? part.count : part.kind)),
    [2, 'progress'],
  );
  assert.deepEqual([t.state, t.cursor, t.chunksDone, t.rows], ['SNAPSHOTTING', ['2'], 1, 2]);
  calls[1]?.resolve(chunkOf([3], 200, true));
  await settle();
  loads.atBoundary(start(200));
  assert.deepEqual([t.state, t.rows, loads.waiting], ['STREAMING', 3, false]);
});

void test('reads no more rows a second than it may, over all tables', async () => {
  let now = 0;
  const { calls, loads } = scripted({ rowsPerSecondMax: 100, now: () => now });
  loads.add(table('t'));
  loads.atBoundary(start(100));
  await settle();
  calls[0]?.resolve(chunkOf([1, 2], 100, false));
  await settle();
  loads.atBoundary(start(100));
  await settle();
  assert.equal(calls.length, 1, 'two rows take 20 ms');
  now = 20;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.equal(calls.length, 2);
});

void test('loads as many tables at the same time as it may', async () => {
  for (const parallelism of [1, 2]) {
    const { calls, loads } = scripted({ parallelism });
    for (const name of ['t', 'u', 'v']) {
      const big = table(name);
      big.chunksAll = 10;
      loads.add(big);
    }
    loads.atBoundary(start(100));
    await settle();
    assert.deepEqual(
      calls.map((call) => call.table),
      ['t', 'u'].slice(0, parallelism),
    );
    loads.close();
  }
});

void test('a chunk whose table changed its shape meanwhile is read again, with what was read behind it', async () => {
  const { calls, loads } = scripted();
  const t = table('t');
  loads.add(t);
  loads.atBoundary(start(100));
  await settle();
  calls[0]?.resolve(chunkOf([1], 200, false));
  await settle();
  loads.atBoundary(start(100));
  t.windows.void();
  await settle();
  calls[1]?.resolve(chunkOf([2], 200, true));
  await settle();
  assert.deepEqual(loads.atBoundary(start(200)), []);
  assert.deepEqual([t.state, t.cursor, t.chunksDone], ['SNAPSHOTTING', null, 0]);
  await settle();
  calls[2]?.resolve(chunkOf([1, 2], 200, true));
  await settle();
  loads.atBoundary(start(200));
  assert.deepEqual([t.state, t.rows, t.chunksDone], ['STREAMING', 2, 1]);
});

void test('an outage while a chunk is read ends the stream; what concerns the table alone ends the table', async () => {
  const { calls, loads } = scripted();
  loads.add(table('t'));
  loads.atBoundary(start(100));
  await settle();
  const error = new PipelineError('table', 'Table.Unreadable', 'gone');
  calls[0]?.resolve({ kind: 'refused', error, high: at(200) });
  await settle();
  loads.atBoundary(start(199));
  assert.deepEqual(loads.takeFailed(), [], 'the log may tell why');
  loads.atBoundary(start(200));
  assert.deepEqual(
    loads.takeFailed().map((failed) => failed.table.id.table),
    ['t'],
  );
  const other = scripted();
  other.loads.add(table('u'));
  other.loads.atBoundary(start(100));
  await settle();
  other.calls[0]?.reject(new PipelineError('transient', 'MySQL.Unavailable', 'cut'));
  await settle();
  assert.equal(other.loads.waiting, true);
  assert.throws(() => other.loads.atBoundary(start(100)), { code: 'MySQL.Unavailable' });
});

void test('a table that leaves while its chunk is read takes the chunk with it', async () => {
  const { calls, loads } = scripted();
  const [t, u] = [table('t'), table('u')];
  loads.add(t);
  loads.add(u);
  loads.atBoundary(start(100));
  await settle();
  loads.remove(t);
  calls[0]?.resolve(chunkOf([1], 100, true));
  await settle();
  loads.atBoundary(start(100));
  assert.deepEqual([t.chunksDone, u.state], [0, 'SNAPSHOTTING']);
});

void test('a refusal that a change explains is no failure: the chunk is read again in the new shape', async () => {
  const { calls, loads } = scripted();
  const t = table('t');
  loads.add(t);
  loads.atBoundary(start(100));
  await settle();
  calls[0]?.resolve({
    kind: 'refused',
    error: new PipelineError('table', 'Table.Unreadable', 'no column'),
    high: at(200),
  });
  await settle();
  t.windows.void();
  loads.atBoundary(start(200));
  await settle();
  assert.deepEqual([loads.takeFailed(), calls.map((call) => call.table)], [[], ['t', 't']]);
});

void test('of a table in doubt the shape is read before rows are, and holds only if no statement came before its HIGH', async () => {
  const { calls, loads, reshaped } = scripted();
  const t = table('t');
  t.suspect = true;
  loads.add(t);
  loads.atBoundary(start(100));
  await settle();
  calls[0]?.resolve({ kind: 'shape', shape: null, high: at(200) });
  await settle();
  t.windows.void();
  loads.atBoundary(start(200));
  await settle();
  assert.deepEqual(reshaped, []);
  calls[1]?.resolve({ kind: 'shape', shape: t.shape, high: at(300) });
  await settle();
  loads.atBoundary(start(300));
  loads.atBoundary(start(300));
  await settle();
  assert.deepEqual([reshaped, calls.map((call) => call.table)], [[['t', t.shape]], ['shape of t', 'shape of t', 't']]);
});

void test('reads nothing any more once it is closed, also what waited for its turn', async () => {
  const { calls, loads } = scripted({ rowsPerSecondMax: 100 });
  loads.add(table('t'));
  loads.atBoundary(start(100));
  await settle();
  calls[0]?.resolve(chunkOf([1, 2], 100, false));
  await settle();
  loads.atBoundary(start(100));
  await settle();
  loads.close();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(calls.length, 1);
});

void test('keys that the stream touches while a chunk is read take no more than they may, and take nothing behind it', async () => {
  const { calls, loads } = scripted({ keyBytesMax: 1000 });
  const t = table('t');
  t.chunksAll = 10;
  loads.add(t);
  const read = async (touched: readonly number[]) => {
    loads.atBoundary(start(100));
    await settle();
    const call = calls.pop();
    t.windows.collect(
      chunkOf(touched, 0, false).rows.all({ table: t.shape.version, timeMicros: 0, place: SCRIPTED_PLACE }),
    );
    t.windows.collect(
      chunkOf(touched, 0, false).rows.all({ table: t.shape.version, timeMicros: 0, place: SCRIPTED_PLACE }),
    );
    call?.resolve(chunkOf([1, 2, 3], 100, false));
    await settle();
    return loads.atBoundary(start(100)).map((part) => (part.kind === 'rows' ? part.count : part.kind));
  };
  const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
  assert.deepEqual(await read(numbers(3, 12)), [2, 'progress']);
  assert.deepEqual(await read(numbers(3, 100)), [], 'too many: it is read again');
  assert.deepEqual(await read(numbers(3, 12)), [2, 'progress']);
});
