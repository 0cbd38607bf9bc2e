import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import { type DoubleColumn, DoubleTable } from '../tables.ts';
import type { Cursor } from './cursor.ts';
import { SqlFailure } from './sql-failure.ts';
import type { SqlSession, Statement } from './sql-session.ts';

const COLUMNS_MAX = 1200;
/** What the settings must allow: types of the second system, and JSON. */
const FIRST_TYPES: readonly ColumnType['kind'][] = ['bigint', 'double', 'string', 'datetime', 'boolean', 'decimal'];
const PARTITION_TYPES: readonly ColumnType['kind'][] = [
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'string',
  'varchar',
  'char',
];
const BUCKETS_MAX = 4096;

interface Definition {
  readonly columns: DoubleColumn[];
  readonly key: readonly string[];
}

/**
 * CREATE TABLE [IF NOT EXISTS] t (c type [NOT NULL] [COMMENT '…'], … [, PRIMARY KEY (c, …)]) [COMMENT '…']
 * [PARTITIONED BY (c type [COMMENT '…'], …)] [TBLPROPERTIES ('k'='v', …)] [LIFECYCLE n]
 */
export function parseCreateTable(cursor: Cursor): Statement {
  const ifNotExists = cursor.takes('IF', 'NOT', 'EXISTS');
  const name = cursor.tableName();
  const { columns, key } = parseElements(cursor);
  const comment = cursor.takes('COMMENT') ? cursor.text() : '';
  const partitions = cursor.takes('PARTITIONED', 'BY') ? cursor.list(() => parseColumn(cursor)) : [];
  const properties = cursor.takes('TBLPROPERTIES') ? Object.fromEntries(cursor.list(() => parseProperty(cursor))) : {};
  const lifecycle = cursor.takes('LIFECYCLE') ? Number(cursor.number()) : null;
  return (session) => {
    if (session.find(name) !== null) {
      if (ifNotExists) return '';
      throw new SqlFailure('ODPS-0110061', `Failed to run ddltask - Table already exists: ${name.join('.')}`);
    }
    for (const column of [...columns, ...partitions]) checkType(column, session);
    checkKey({ columns, key }, properties);
    checkNames(columns, partitions);
    const partitionColumns = partitions.map((column) => column.name);
    const table = new DoubleTable(name.at(-1) ?? '', {
      columns,
      partitionColumns,
      key,
      comment,
      lifecycle,
      properties,
    });
    session.create(name, table);
    return '';
  };
}

function parseElements(cursor: Cursor): Definition {
  const columns: DoubleColumn[] = [];
  let key: readonly string[] = [];
  cursor.list(() => {
    if (cursor.takes('PRIMARY', 'KEY')) key = cursor.list(() => cursor.name());
    else columns.push(parseColumn(cursor));
  });
  return { columns, key };
}

/** A column as CREATE TABLE and ADD COLUMNS have it. */
export function parseColumn(cursor: Cursor): DoubleColumn {
  const name = cursor.name();
  const type = cursor.type();
  const notNull = cursor.takes('NOT', 'NULL');
  if (!notNull) cursor.takes('NULL');
  const comment = cursor.takes('COMMENT') ? cursor.text() : '';
  return { name, type, notNull, comment };
}

function parseProperty(cursor: Cursor): readonly [string, string] {
  const name = cursor.text();
  cursor.expect('=');
  return [name, cursor.text()];
}

/** Errors: SqlFailure if the settings do not allow the type. */
export function checkType({ name, type }: DoubleColumn, session: SqlSession): void {
  if (type.kind === 'json' && !session.isSet('odps.sql.type.json.enable'))
    throw SqlFailure.semantic(`column ${name}: JSON needs odps.sql.type.json.enable`);
  if (!FIRST_TYPES.includes(type.kind) && !session.isSet('odps.sql.type.system.odps2'))
    throw SqlFailure.semantic(`column ${name}: ${type.kind} needs odps.sql.type.system.odps2`);
  if (type.kind === 'decimal' && (type.precision < 1 || type.precision > 38 || type.scale < 0 || type.scale > 18))
    throw SqlFailure.semantic(`column ${name}: DECIMAL has 1 to 38 digits, 0 to 18 behind the point`);
}

function checkKey({ columns, key }: Definition, properties: Readonly<Record<string, string>>): void {
  const buckets = properties['write.bucket.num'];
  if (buckets !== undefined && !(/^\d+$/.test(buckets) && Number(buckets) >= 1 && Number(buckets) <= BUCKETS_MAX))
    throw SqlFailure.semantic(`write.bucket.num is from 1 to ${BUCKETS_MAX}`);
  if (key.length === 0) return;
  if (properties['transactional'] !== 'true') throw SqlFailure.semantic('PRIMARY KEY needs "transactional"="true"');
  for (const name of key)
    if (columns.find((column) => column.name === name)?.notNull !== true)
      throw SqlFailure.semantic(`${name} of the primary key must be a column that is NOT NULL`);
}

function checkNames(columns: readonly DoubleColumn[], partitions: readonly DoubleColumn[]): void {
  const names = [...columns, ...partitions].map(({ name }) => name);
  if (new Set(names).size < names.length) throw SqlFailure.semantic('two columns have the same name');
  if (names.length > COLUMNS_MAX) throw SqlFailure.semantic(`a table has ${COLUMNS_MAX} columns at most`);
  for (const { name, type } of partitions)
    if (!PARTITION_TYPES.includes(type.kind)) throw SqlFailure.semantic(`${name}: no partitions by ${type.kind}`);
}
