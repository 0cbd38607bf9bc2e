import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRIPTED_PLACE } from '../../../../test/support/scripted-rows.ts';
import { decodeLog } from '../../../../test/support/decode-input.ts';
import { framed } from '../../../../test/support/log-bytes.ts';
import { recordedLogs } from '../../../../test/support/recorded-logs.ts';
import { allColumns, type ValueType } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import type { MysqlTable } from '../types.ts';
import { CorruptEvent } from './corrupt-event.ts';
import { BinlogRows, RowLayout } from './row-images.ts';
import { type LogType, readTableMap } from './table-map.ts';

function rowsOf(log: LogType, type: ValueType, op: 'insert' | 'update', hex: string): BinlogRows {
  const column = { name: 'c', type, nullable: true, sourceType: '', comment: '', generated: false };
  const table: MysqlTable = {
    version: { id: { database: 'd', table: 't' }, columns: [column], key: [0] },
    columns: [{ column, log, charset: null }],
  };
  const map = { database: 'd', table: 't', types: [log], nullable: [true], unsigned: [undefined], full: null };
  // In a buffer of its own, so that nothing lies behind it.
  const buffer = Buffer.from(new Uint8Array(Buffer.from(hex, 'hex')).buffer);
  const layout = new RowLayout(map, table, [0]);
  return new BinlogRows({ op, layout, buffer, start: 0, end: buffer.length, timeMicros: 0, place: SCRIPTED_PLACE });
}

const INT: readonly [LogType, ValueType] = [
  { code: 3, meta: 0 },
  { kind: 'integer', bytes: 4, unsigned: false },
];
const BLOB: readonly [LogType, ValueType] = [{ code: 252, meta: 4 }, { kind: 'bytes' }];

void test('an update whose last row has no image after is damaged, and none of its rows is delivered', () => {
  assert.equal(rowsOf(...INT, 'update', '0001000000' + '0002000000').count, 1);
  assert.throws(() => rowsOf(...INT, 'update', '0001000000'.repeat(3)), CorruptEvent);
});

void test('a row that goes beyond its event is damaged, also where its own length cannot be read', () => {
  assert.equal(rowsOf(...BLOB, 'insert', '0002000000abcd').count, 1);
  assert.throws(() => rowsOf(...BLOB, 'insert', '0002000000ab'), CorruptEvent);
  assert.throws(() => rowsOf(...BLOB, 'insert', '00ffffff7fab'), CorruptEvent);
  assert.throws(() => rowsOf(...BLOB, 'insert', '00'), CorruptEvent);
  assert.throws(() => rowsOf(...INT, 'insert', '00010000'), CorruptEvent);
});

void test('an enum beyond its members is damaged, and its value is not told', () => {
  const rows = rowsOf({ code: 247, meta: 1 }, { kind: 'label', labels: ['a'], set: false }, 'insert', '0063');
  assert.throws(
    () => rows.visit(0, 'after', allColumns(rows.table), {} as ValueVisitor),
    (error) => error instanceof CorruptEvent && !error.message.includes('99'),
  );
});

/** One column of table d.t: its type, its metadata, and what follows the bits of null. */
function tableMap(code: string, metadata: string, optional = ''): () => unknown {
  const size = (metadata.length / 2).toString(16).padStart(2, '0');
  const body = Buffer.from(
    `0100000000000100${'016400'}${'017400'}${'01'}${code}${size}${metadata}${'00'}${optional}`,
    'hex',
  );
  return () => readTableMap(body, 0, body.length, 'mysql').types;
}

void test('metadata that no type has is damaged, before it becomes the size of something', () => {
  assert.deepEqual(tableMap('fc', '04')(), [{ code: 252, meta: 4 }]);
  assert.deepEqual(tableMap('f6', '411e')(), [{ code: 246, meta: 0x411e }]);
  for (const [code, metadata] of [
    ['fc', '07'], // BLOB: a length of 7 bytes
    ['fc', '00'],
    ['f6', '0a14'], // DECIMAL(10,20)
    ['f6', 'ff01'],
    ['12', '07'], // DATETIME(7)
    ['fe', 'f709'], // ENUM of 9 bytes
    ['10', '0009'], // BIT(72)
    ['0f', '0a'], // VARCHAR with half of its length
    ['03', '00'], // INT with metadata
  ] as const)
    assert.throws(tableMap(code, metadata), CorruptEvent, `${code} ${metadata}`);
});

void test('a number of labels or columns that the event cannot hold is damaged, at once', () => {
  const begun = performance.now();
  const huge = 'feffffffffffff1f00';
  assert.throws(tableMap('fe', 'f701', `060b${huge}0161`), CorruptEvent);
  const columns = Buffer.from(`0100000000000100016400017400${huge}03`, 'hex');
  assert.throws(() => readTableMap(columns, 0, columns.length, 'mysql'), CorruptEvent);
  assert.ok(performance.now() - begun < 1000);
});

void test('a flipped bit that says "no sums in this file" is found, so that it does not switch them off', async () => {
  for (const log of recordedLogs()) {
    const packets = (log.streams[0]?.packets ?? []).map((packet) => Buffer.from(packet, 'base64'));
    const format = packets.find((packet) => packet[5] === 15) ?? Buffer.alloc(0);
    format[format.length - 5] = 0;
    const { images, error } = await decodeLog([framed(packets)], log);
    assert.deepEqual([images.length, error?.code], [0, 'MySQL.BinlogCorrupt'], log.server);
  }
});
