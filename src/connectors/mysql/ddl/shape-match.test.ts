import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableMap } from '../protocol/table-map.ts';
import { columnFromLog, fits, positionsOf } from './shape-match.ts';
import { type ColumnRow, type MysqlTable, mysqlColumn } from '../types.ts';

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

const noCharset = () => undefined;

void test('the same columns fit, with names and without', () => {
  for (const full of [true, false]) assert.equal(fits(map(table(id, a, b), full), table(id, a, b), noCharset), true);
});

void test('another type, sign, length, order, name or number of columns does not', () => {
  const others = [
    table(id, column('a', 'bigint'), b),
    table(id, column('a', 'int unsigned'), b),
    table(id, a, column('b', 'varchar', { octetLength: 80, charset: 'utf8mb4' })),
    table(id, b, a),
    table(id, a),
    table(id, a, b, a),
  ];
  for (const other of others)
    for (const full of [true, false]) assert.equal(fits(map(other, full), table(id, a, b), noCharset), false);
  const renamed = table(id, column('c', 'int'), b);
  assert.deepEqual(
    [true, false].map((full) => fits(map(renamed, full), table(id, a, b), noCharset)),
    [false, true],
  );
});

void test('columns that are handed on are found where they lie', () => {
  assert.deepEqual(positionsOf({ ...table(id, b), log: [b, a, id] }), [2, 0]);
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
