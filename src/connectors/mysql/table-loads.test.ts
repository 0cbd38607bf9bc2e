import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { CapturedTable } from './captured-table.ts';
import type { Chunk, ChunkReader } from './chunk-reader.ts';
import { TextRows } from './protocol/text-rows.ts';
import { TableLoads } from './table-loads.ts';
import type { MysqlTable } from './types.ts';

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

/** A chunk reader that a test answers by hand. */
function scripted() {
  const calls: { resolve: (chunk: Chunk) => void; reject: (error: unknown) => void }[] = [];
  const reader = {
    read: () => new Promise<Chunk>((resolve, reject) => calls.push({ resolve, reject })),
    close: () => {},
  };
  return { calls, reader: reader as unknown as ChunkReader };
}

function chunkOf(ids: readonly number[], high: number, last: boolean): Chunk {
  const rows = new TextRows();
  for (const id of ids) {
    const text = Buffer.from(` ${id}`);
    text[0] = text.length - 1;
    rows.row(text, 0, text.length);
  }
  return { rows, high: at(high), cursor: [String(ids.at(-1))], last, selectedMicros: 0 };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

void test('a chunk waits until the stream has come to its HIGH, then the next one begins behind it', async () => {
  const { calls, reader } = scripted();
  let woken = 0;
  const loads = new TableLoads(
    reader,
    () => (woken += 1),
    () => 0,
  );
  const t = table('t');
  loads.add(t);
  assert.deepEqual(
    loads.atBoundary(start(100)).map((part) => part.kind),
    ['progress'],
  );
  assert.equal(loads.waiting, false);
  calls[0]?.resolve(chunkOf([1, 2], 200, false));
  await settle();
  assert.deepEqual([woken, loads.waiting], [1, true]);
  assert.deepEqual(loads.atBoundary(start(199)), []);
  assert.deepEqual(
    loads.atBoundary(start(200)).map((part) => (part.kind === 'rows' ? part.count : part.kind)),
    [2, 'progress'],
  );
  assert.deepEqual([t.state, t.cursor, t.chunksDone, t.rows], ['SNAPSHOTTING', ['2'], 1, 2]);
  loads.atBoundary(start(200));
  calls[1]?.resolve(chunkOf([3], 200, true));
  await settle();
  loads.atBoundary(start(200));
  assert.deepEqual([t.state, t.rows, loads.waiting], ['STREAMING', 3, false]);
});

void test('rests behind a chunk while others write, and not when nobody does', async () => {
  const { calls, reader } = scripted();
  let now = 0;
  const loads = new TableLoads(
    reader,
    () => {},
    () => now,
  );
  loads.add(table('t'));
  const chunk = async (from: number, high: number) => {
    loads.atBoundary(start(from));
    const begunAtOnce = calls.length > 0;
    while (calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    now += 20;
    calls.shift()?.resolve(chunkOf([from], high, false));
    await settle();
    loads.atBoundary(start(high));
    return begunAtOnce;
  };
  assert.deepEqual(
    [await chunk(100, 100), await chunk(100, 200), await chunk(200, 200), await chunk(200, 200)],
    [true, true, false, true],
  );
});

void test('a chunk whose table changed its shape meanwhile is read again', async () => {
  const { calls, reader } = scripted();
  const loads = new TableLoads(reader, () => {});
  const t = table('t');
  loads.add(t);
  loads.atBoundary(start(100));
  assert.ok(t.window);
  t.window.void = true;
  calls[0]?.resolve(chunkOf([1], 100, true));
  await settle();
  assert.deepEqual(loads.atBoundary(start(100)), []);
  assert.deepEqual([t.state, t.cursor, t.chunksDone], ['SNAPSHOTTING', null, 0]);
});

void test('an outage while a chunk is read ends the stream; what concerns the table alone ends the table', async () => {
  const { calls, reader } = scripted();
  const loads = new TableLoads(reader, () => {});
  loads.add(table('t'));
  loads.atBoundary(start(100));
  calls[0]?.reject(new PipelineError('table', 'Table.Unreadable', 'gone'));
  await settle();
  assert.equal(loads.takeTableError()?.table.id.table, 't');
  const others = new TableLoads(reader, () => {});
  others.add(table('u'));
  others.atBoundary(start(100));
  calls[1]?.reject(new PipelineError('transient', 'MySQL.Unavailable', 'cut'));
  await settle();
  assert.equal(others.waiting, true);
  assert.throws(() => others.atBoundary(start(100)), { code: 'MySQL.Unavailable' });
});

void test('a table that leaves while its chunk is read takes the chunk with it', async () => {
  const { calls, reader } = scripted();
  const loads = new TableLoads(reader, () => {});
  const [t, u] = [table('t'), table('u')];
  loads.add(t);
  loads.add(u);
  loads.atBoundary(start(100));
  loads.remove(t);
  calls[0]?.resolve(chunkOf([1], 100, true));
  await settle();
  loads.atBoundary(start(100));
  assert.deepEqual([t.chunksDone, u.state], [0, 'SNAPSHOTTING']);
});
