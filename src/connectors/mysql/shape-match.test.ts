import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableMap } from './protocol/table-map.ts';
import { columnFromLog, matchShape } from './shape-match.ts';
import { type ColumnRow, type MysqlTable, mysqlColumn } from './types.ts';

function column(name: string, columnType: string, extra: Partial<ColumnRow> = {}) {
  const dataType = /^\w+/.exec(columnType)?.[0] ?? '';
  const row = {
    name,
    dataType,
    columnType,
    nullable: true,
    octetLength: 0,
    precision: 0,
    scale: 0,
    fraction: 0,
    charset: null,
    comment: '',
    extra: '',
    ...extra,
  };
  const made = mysqlColumn(row);
  assert.ok(made);
  return made;
}

function table(...columns: ReturnType<typeof column>[]): MysqlTable {
  return { version: { id: { database: 'd', table: 't' }, columns: columns.map((c) => c.column), key: [0] }, columns };
}

function map(of: MysqlTable, full: boolean): TableMap {
  return {
    database: 'd',
    table: 't',
    types: of.columns.map((c) => c.log),
    nullable: of.columns.map(() => true),
    unsigned: of.columns.map((c) => (c.column.type.kind === 'integer' ? c.column.type.unsigned : undefined)),
    full: full ? { names: of.columns.map((c) => c.column.name), collations: [], labels: [] } : null,
  };
}

const id = column('id', 'int');
const a = column('a', 'int');
const b = column('b', 'varchar', { octetLength: 40, charset: 'utf8mb4' });

void test('the same columns are the same shape, with names and without', () => {
  for (const full of [true, false])
    assert.deepEqual(matchShape(map(table(id, a, b), full), table(id, a, b)), { kind: 'same', positions: [0, 1, 2] });
});

void test('with names, a column added in the middle is found where it is', () => {
  assert.deepEqual(matchShape(map(table(id, b, a), true), table(id, a)), {
    kind: 'added',
    positions: [0, 2],
    added: [1],
  });
});

void test('one column added and one dropped in the same place are never taken for each other', () => {
  const match = matchShape(map(table(id, column('c', 'int')), true), table(id, a));
  assert.deepEqual(match, { kind: 'different', change: 'DROPCOLUMN', why: 'column a is gone' });
});

void test('another type, sign or length is a modified column', () => {
  for (const other of [column('a', 'bigint'), column('a', 'int unsigned')]) {
    assert.equal(matchShape(map(table(id, other), true), table(id, a)).kind, 'different');
  }
  const wider = column('b', 'varchar', { octetLength: 80, charset: 'utf8mb4' });
  assert.equal(matchShape(map(table(id, wider), false), table(id, b)).kind, 'different');
});

void test('without names, another number of columns is not explained', () => {
  assert.equal(matchShape(map(table(id, a, b), false), table(id, a)).kind, 'different');
});

void test('a column that the log brings in a character set that we cannot read is no column, and one of bytes is', () => {
  const full = { names: ['c'], collations: [1], labels: [] };
  const types = [{ code: 15, meta: 30 }];
  const log: TableMap = { database: 'd', table: 't', types, nullable: [true], unsigned: [undefined], full };
  const typeIn = (charset: string) => columnFromLog(log, full, 0, () => charset)?.column.type;
  assert.deepEqual(['no-such-charset', 'binary', 'latin1'].map(typeIn), [
    undefined,
    { kind: 'bytes' },
    { kind: 'text' },
  ]);
});
