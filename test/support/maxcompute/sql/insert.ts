import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { columnTypeText } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import { whyNot } from '../check-value.ts';
import type { DoubleColumn, DoubleTable } from '../tables.ts';
import { castTo } from './cast.ts';
import { commonType } from './compare.ts';
import type { Cursor } from './cursor.ts';
import { parsePartition } from './partition-spec.ts';
import { parseQuery } from './query.ts';
import type { Relation } from './relation.ts';
import { runQuery } from './run-query.ts';
import { SqlFailure } from './sql-failure.ts';
import type { SqlSession, Statement } from './sql-session.ts';

/** INSERT OVERWRITE | INTO [TABLE] t [PARTITION (pt='…')] [(c, …)] SELECT …: all of it or nothing. */
export function parseInsert(cursor: Cursor): Statement {
  const overwrites = cursor.takes('OVERWRITE');
  if (!overwrites) cursor.expect('INTO');
  cursor.takes('TABLE');
  const name = cursor.tableName();
  const partition = parsePartition(cursor);
  const names = cursor.sees('(') ? cursor.list(() => cursor.name()) : null;
  const query = parseQuery(cursor);
  return (session) => {
    const table = session.table(name);
    const spec = partitionOf(table, partition, session);
    const rows = rowsFor(table, names, runQuery(query, session));
    checkKeys(table, rows);
    if (overwrites) table.partitions.set(spec, []);
    if (table.key.length > 0)
      table.merge(
        spec,
        rows.map((row) => ({ row, isDelete: false })),
      );
    else table.append(spec, rows);
    return '';
  };
}

function partitionOf(table: DoubleTable, values: ReadonlyMap<string, string> | null, session: SqlSession): string {
  if (values !== null) return session.partition(table, values, true);
  if (table.partitionColumns.length > 0) throw SqlFailure.semantic(`${table.name} has partitions: name one`);
  return '';
}

/** Each value as its column takes it, NULL where no value is given. */
function rowsFor(table: DoubleTable, names: readonly string[] | null, { columns, rows }: Relation): RowValue[][] {
  const given = names ?? table.columns.map((column) => column.name);
  if (given.length !== columns.length)
    throw SqlFailure.semantic(`${columns.length} columns for the ${given.length} of ${table.name}`);
  for (const name of given)
    if (!table.columns.some((column) => column.name === name)) throw SqlFailure.semantic(`no column ${name}`);
  const readers = table.columns.map((column) => {
    const place = given.indexOf(column.name);
    const cast = place < 0 ? () => null : assigning(columns[place]?.type ?? null, column);
    return (row: readonly RowValue[]) => checked(column, cast(row[place] ?? null));
  });
  return rows.map((row) => readers.map((read) => read(row)));
}

/** Whole numbers may become longer ones; all else must be of the column's type. */
function assigning(
  from: Relation['columns'][number]['type'],
  { name, type }: DoubleColumn,
): (value: RowValue) => RowValue {
  const common = commonType(from, type);
  if (common !== null && columnTypeText(common) !== columnTypeText(type))
    throw SqlFailure.semantic(`${common.kind} into ${name}, which is ${type.kind}`);
  return castTo(from, type);
}

function checked({ name, type, notNull }: DoubleColumn, value: RowValue): RowValue {
  const why = value === null && notNull === true ? 'NOT NULL' : whyNot(type, value);
  if (why !== null) throw new SqlFailure('ODPS-0121095', `Invalid argument - ${name}: ${why}`);
  return value;
}

function checkKeys(table: DoubleTable, rows: readonly RowValue[][]): void {
  if (table.key.length === 0) return;
  const keys = rows.map((row) => JSON.stringify(table.keyIndexes.map((index) => String(row[index] as string))));
  if (new Set(keys).size < keys.length) throw SqlFailure.semantic(`two rows of one key for ${table.name}`);
}
