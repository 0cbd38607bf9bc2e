import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column, TableVersion, ValueType } from '../../pipeline/table.ts';
import { parseColumnType } from './protocol/column-type.ts';
import type { TableFacts } from './protocol/table-facts.ts';
import {
  addColumns,
  addPartition,
  createTable,
  quoteText,
  statementSettings,
  truncateTable,
  type TableName,
} from './statements.ts';
import { compareTable, nameProblems, plannedColumn, wantedTable } from './wanted-table.ts';

const column = (name: string, type: ValueType, more: Partial<Column> = {}): Column => ({
  name,
  type,
  nullable: true,
  sourceType: type.kind,
  comment: '',
  generated: false,
  ...more,
});
const id = column('Id', { kind: 'integer', bytes: 8, unsigned: false }, { nullable: false, comment: "the buyer's id" });
const amount = column('amount', { kind: 'decimal', precision: 12, scale: 2 }, { nullable: false });
const note = column('note', { kind: 'text' });
const orders: TableVersion = { id: { database: 'shop', table: 'orders' }, columns: [id, amount, note], key: [0] };

const name: TableName = { project: 'p', table: 'shop_orders' };
const three: TableName = { project: 'p', schema: 's', table: 'shop_orders' };

void test('a Delta table has the key, and is transactional; no other column insists on a value', () => {
  assert.equal(
    createTable(name, wantedTable(orders, 'delta', ['pt', 'region']), { buckets: 4, retainHours: 72 }),
    `CREATE TABLE IF NOT EXISTS \`p\`.\`shop_orders\` (
  \`Id\` BIGINT NOT NULL COMMENT 'the buyer\\'s id',
  \`amount\` DECIMAL(12,2),
  \`note\` STRING,
  PRIMARY KEY (\`Id\`)
)
PARTITIONED BY (\`pt\` STRING, \`region\` STRING)
TBLPROPERTIES ("transactional"="true", "write.bucket.num"="4", "acid.data.retain.hours"="72");`,
  );
});

void test('a log table has the five columns that tell of a change in front, and no key', () => {
  assert.equal(
    createTable(three, wantedTable({ ...orders, columns: [amount] }, 'log', ['pt'])).replaceAll(
      / COMMENT '[^']*'/g,
      '',
    ),
    `CREATE TABLE IF NOT EXISTS \`p\`.\`s\`.\`shop_orders\` (
  \`_sequence_id_\` STRING,
  \`_operation_type_\` STRING,
  \`_execute_time_\` BIGINT,
  \`_before_image_\` STRING,
  \`_after_image_\` STRING,
  \`amount\` DECIMAL(12,2)
)
PARTITIONED BY (\`pt\` STRING);`,
  );
});

void test('base and append tables have the columns of the source alone', () => {
  const sql = `CREATE TABLE IF NOT EXISTS \`p\`.\`shop_orders\` (
  \`Id\` BIGINT COMMENT 'the buyer\\'s id',
  \`amount\` DECIMAL(12,2),
  \`note\` STRING
);`;
  assert.equal(createTable(name, wantedTable(orders, 'base', [])), sql);
  assert.equal(createTable(name, wantedTable(orders, 'append', [])), sql);
});

void test('statements say their names in backquotes, and need the second type system', () => {
  assert.equal(
    addColumns(name, [plannedColumn(amount, true)]),
    'ALTER TABLE `p`.`shop_orders` ADD COLUMNS (`amount` DECIMAL(12,2));',
  );
  assert.equal(
    addPartition(three, [
      ['pt', '2024'],
      ['region', "c'n"],
    ]),
    "ALTER TABLE `p`.`s`.`shop_orders` ADD IF NOT EXISTS PARTITION (`pt`='2024', `region`='c\\'n');",
  );
  assert.equal(truncateTable(name, null), 'TRUNCATE TABLE `p`.`shop_orders`;');
  assert.equal(
    truncateTable(name, [[['pt', '1']], [['pt', '2']]]),
    "TRUNCATE TABLE `p`.`shop_orders` PARTITION (`pt`='1'), PARTITION (`pt`='2');",
  );
  assert.deepEqual(statementSettings(name), { 'odps.sql.type.system.odps2': 'true' });
  assert.deepEqual(Object.keys(statementSettings(three)), [
    'odps.sql.type.system.odps2',
    'odps.namespace.schema',
    'odps.sql.allow.namespace.schema',
  ]);
  assert.equal(quoteText("a'\\\n\r\0b"), "'a\\'\\\\\\n\\rb'");
});

void test('names that the service does not take are refused, and two columns of one name', () => {
  const bad = { ...orders, columns: [id, column('ID', id.type), column('a`b', id.type), column('pt', id.type)] };
  assert.deepEqual(nameProblems('shop-orders', wantedTable(bad, 'append', ['PT'])), [
    '"shop-orders" is no name for a table of MaxCompute: those are 1 to 128 letters, digits and underscores',
    'two columns of "shop-orders" would be called "ID"',
    '"a`b" is no name for a column of MaxCompute',
    'two columns of "shop-orders" would be called "PT"',
  ]);
  assert.deepEqual(nameProblems('a'.repeat(129), wantedTable(orders, 'delta', [])).length, 1);
  assert.deepEqual(nameProblems('shop_orders', wantedTable(orders, 'log', ['pt'])), []);
});

function facts(columns: Readonly<Record<string, string>>, more: Partial<TableFacts> = {}): TableFacts {
  return {
    columns: Object.entries(columns).map(([of, type]) => ({ name: of, type: parseColumnType(type), nullable: true })),
    partitionColumns: [],
    primaryKey: [],
    rows: null,
    ...more,
  };
}

void test('H16: an existing table is compared by the names of its columns, whatever their case and place', () => {
  const existing = facts({ note: 'varchar(20)', extra: 'json', ID: 'bigint' }, { primaryKey: ['ID'] });
  assert.deepEqual(compareTable(existing, orders, 'delta', []), {
    missing: [plannedColumn(amount, false)],
    problems: [],
    warnings: [],
  });
});

void test('an existing table that cannot take the rows is told apart from one that holds less', () => {
  const existing: TableFacts = {
    ...facts({ id: 'int', amount: 'double', note: 'string' }, { partitionColumns: ['dt'], primaryKey: ['note'] }),
  };
  const strict = { name: 'must', type: parseColumnType('string'), nullable: false };
  const noteMust = { name: 'note', type: parseColumnType('string'), nullable: false };
  const columns = [...existing.columns.filter((there) => there.name !== 'note'), noteMust, strict];
  assert.deepEqual(compareTable({ ...existing, columns }, orders, 'delta', ['pt']), {
    missing: [],
    problems: [
      'its column "amount" is double, which cannot be written from decimal',
      'its column "note" is NOT NULL, the source\'s may be null',
      'its column "must" is NOT NULL, and the source has no such column',
      "its primary key is (note), the source's (Id)",
      "it is partitioned by (dt), the task's partition makes it partitioned by (pt)",
    ],
    warnings: ['its column "Id" is int, which does not hold every integer'],
  });
});

void test('a log needs the columns that tell of a change, and a table without a key', () => {
  const existing = facts({ id: 'bigint', amount: 'decimal(12,2)', note: 'string', _sequence_id_: 'bigint' });
  assert.deepEqual(compareTable(existing, orders, 'log', []).problems, [
    'it has no column _sequence_id_ string, which a log table needs',
    'it has no column _operation_type_ string, which a log table needs',
    'it has no column _execute_time_ bigint, which a log table needs',
    'it has no column _before_image_ string, which a log table needs',
    'it has no column _after_image_ string, which a log table needs',
  ]);
  assert.deepEqual(compareTable(existing, orders, 'delta', []).problems, [
    'it is no Delta table: it has no primary key',
  ]);
  assert.deepEqual(compareTable({ ...existing, primaryKey: ['id'] }, orders, 'append', []).problems, [
    'it is a Delta table with a primary key, which takes no log and no appended rows',
  ]);
});
