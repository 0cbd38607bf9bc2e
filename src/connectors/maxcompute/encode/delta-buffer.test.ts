import assert from 'node:assert/strict';
import test from 'node:test';
import { parseColumnType } from '../protocol/column-type.ts';
import { bucketOf, hashOfInteger } from '../protocol/key-hash.ts';
import { RowStream, WIRE_TYPE } from '../protocol/row-stream.ts';
import { UPSERT_COLUMNS } from '../protocol/upsert-session.ts';
import { DeltaBuffer } from './delta-buffer.ts';
import { readRows } from '../../../../test/support/maxcompute/read-rows.ts';

const COLUMNS = [parseColumnType('bigint'), parseColumnType('string')];
const TYPES = [...COLUMNS, ...UPSERT_COLUMNS.map(({ type }) => type)];

interface Change {
  readonly key: number;
  /** Null for a delete. */
  readonly text: string | null;
  /** As where the key does not lead the row: its bytes stand in front of those of the row. */
  readonly apart?: boolean;
}

function put(buffer: DeltaBuffer, memory: RowStream, { key, text, apart = false }: Change): void {
  const row = new RowStream();
  row.field(1, WIRE_TYPE.VARINT);
  row.integer(key);
  const keyBytes = row.at;
  if (text !== null) {
    row.field(2, WIRE_TYPE.BYTES);
    row.ascii(text);
  }
  const keyStart = memory.at;
  if (apart) memory.copyBytes(row.bytes, 0, keyBytes);
  const start = memory.at;
  const crc = memory.keepCopy(row);
  buffer.put(memory, {
    keyStart,
    keyEnd: keyStart + keyBytes,
    start,
    end: memory.at,
    crc,
    hash: hashOfInteger('default', key),
    isDelete: text === null,
  });
}

/** What an upsert session would be told, by bucket. */
function told(buffer: DeltaBuffer, memory: RowStream, buckets: number): Map<number, (string | null)[][]> {
  const { order, from } = buffer.byBucket(buckets);
  const found = new Map<number, (string | null)[][]>();
  for (let bucket = 0; bucket < buckets; bucket++) {
    const stream = new RowStream();
    for (let at = from[bucket] ?? 0; at < (from[bucket + 1] ?? 0); at++)
      buffer.writeRow(order[at] ?? 0, memory.bytes, COLUMNS.length, stream);
    const rows = readRows(stream.finish(), TYPES);
    found.set(
      bucket,
      rows.map((row) => [row[0], row[1], row[4]].map((value) => (value === null ? null : String(value as string)))),
    );
  }
  return found;
}

void test('a session is told of the last change of each key, in the bucket of its key, with CRCs that hold', () => {
  const buffer = new DeltaBuffer();
  const memory = new RowStream();
  put(buffer, memory, { key: 1, text: 'one' });
  put(buffer, memory, { key: 2, text: 'two', apart: true });
  put(buffer, memory, { key: 3, text: 'three' });
  put(buffer, memory, { key: 1, text: 'uno' });
  put(buffer, memory, { key: 2, text: null });
  put(buffer, memory, { key: 3, text: null });
  put(buffer, memory, { key: 3, text: 'back again' });
  assert.equal(buffer.count, 3);
  const all = [...told(buffer, memory, 4)].flatMap(([bucket, rows]) => rows.map((row) => [bucket, ...row]));
  const bucket = (key: number) => bucketOf(hashOfInteger('default', key), 4);
  assert.deepEqual(
    all.sort((a, b) => Number(a[1]) - Number(b[1])),
    [
      [bucket(1), '1', 'uno', '85'],
      [bucket(2), '2', null, '68'],
      [bucket(3), '3', 'back again', '85'],
    ],
  );
});

void test('a change as long as the one it replaces takes no more memory', () => {
  const buffer = new DeltaBuffer();
  const memory = new RowStream();
  put(buffer, memory, { key: 7, text: 'aaaa', apart: true });
  const { at } = memory;
  for (let turn = 0; turn < 100; turn++) put(buffer, memory, { key: 7, text: `b${String(turn % 10)}cc`, apart: true });
  assert.equal(memory.at, at);
  assert.deepEqual([...told(buffer, memory, 1).values()], [[['7', 'b9cc', '85']]]);
});

void test('equals a map of the last changes, whatever their order, length and place of the key', () => {
  const seed = Date.now() % 1_000_000;
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
  const buffer = new DeltaBuffer();
  for (let round = 0; round < 3; round++) {
    const memory = new RowStream();
    const wanted = new Map<string, string | null>();
    for (let change = 0; change < 5000; change++) {
      const key = random(1500);
      const text = random(4) === 0 ? null : 'x'.repeat(random(20));
      put(buffer, memory, { key, text, apart: random(2) === 0 });
      wanted.set(String(key), text);
    }
    const found = new Map([...told(buffer, memory, 5).values()].flat().map(([key, text]) => [key, text]));
    assert.deepEqual(found, wanted, `seed ${seed}, round ${round}`);
    buffer.reset();
    assert.equal(buffer.count, 0);
  }
});
