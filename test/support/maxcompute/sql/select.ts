import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import type { DoubleTable } from '../tables.ts';
import { csvOf } from './csv.ts';
import type { Cursor } from './cursor.ts';
import { SqlFailure } from './sql-failure.ts';
import type { Statement } from './sql-session.ts';

/** SELECT COUNT(*) | * | c, … FROM t [WHERE partition = '…' [AND …]] [LIMIT n] */
export function parseSelect(cursor: Cursor): Statement {
  cursor.expect('SELECT');
  const what = parseList(cursor);
  cursor.expect('FROM');
  const name = cursor.tableName();
  const where = cursor.takes('WHERE') ? parseWhere(cursor) : [];
  const limit = cursor.takes('LIMIT') ? Number(cursor.number()) : Number.POSITIVE_INFINITY;
  return (session) => {
    const table = session.table(name);
    const rows = rowsOf(table, where);
    if (what === 'count') return csvOf(['_c0'], [{ kind: 'bigint' }], [[BigInt(rows.length)]]);
    const all = [...table.columns, ...table.partitionColumns.map((name) => ({ name, type: TEXT }))];
    const indexes = what === 'all' ? [...all.keys()] : what.map((column) => indexOf(all, column));
    return csvOf(
      indexes.map((index) => all[index]?.name ?? ''),
      indexes.map((index) => all[index]?.type ?? TEXT),
      rows.slice(0, limit).map((row) => indexes.map((index) => row[index] ?? null)),
    );
  };
}

const TEXT: ColumnType = { kind: 'string' };

function parseList(cursor: Cursor): 'count' | 'all' | readonly string[] {
  if (cursor.takes('COUNT', '(', '*', ')')) return 'count';
  if (cursor.takes('*')) return 'all';
  const names = [cursor.name()];
  while (cursor.takes(',')) names.push(cursor.name());
  return names;
}

function parseWhere(cursor: Cursor): (readonly [string, string])[] {
  const wanted: (readonly [string, string])[] = [];
  do {
    const level = cursor.name();
    cursor.expect('=');
    wanted.push([level, cursor.text()]);
  } while (cursor.takes('AND'));
  return wanted;
}

/** Each with the values of its partition behind its own. */
function rowsOf(table: DoubleTable, where: readonly (readonly [string, string])[]): RowValue[][] {
  for (const [level] of where)
    if (!table.partitionColumns.includes(level)) throw SqlFailure.parse(`WHERE is for partitions only: ${level}`);
  return [...table.partitions].flatMap(([partition, rows]) => {
    const levels = partition === '' ? [] : partition.split(',').map((level) => level.slice(level.indexOf('=') + 1));
    const isWanted = where.every(([level, value]) => levels[table.partitionColumns.indexOf(level)] === value);
    return isWanted ? rows.map((row) => [...row, ...levels]) : [];
  });
}

function indexOf(columns: readonly { readonly name: string }[], wanted: string): number {
  const index = columns.findIndex(({ name }) => name === wanted);
  if (index < 0) throw SqlFailure.semantic(`column ${wanted} cannot be resolved`);
  return index;
}
