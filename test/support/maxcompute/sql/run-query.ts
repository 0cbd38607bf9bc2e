import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import type { DoubleTable } from '../tables.ts';
import { aggregate, hasAggregates } from './aggregates.ts';
import { castTo } from './cast.ts';
import { commonType } from './compare.ts';
import { boolean, evaluate } from './evaluate.ts';
import type { Expression } from './expression.ts';
import { mapExpression, someExpression } from './map-expression.ts';
import type { FromItem, Join, Query, Select, SelectItem } from './query.ts';
import { type Relation, type RelationColumn, relationOf } from './relation.ts';
import { SqlFailure } from './sql-failure.ts';
import type { SqlSession } from './sql-session.ts';
import { comparingRows, rowNumbers } from './windows.ts';

const BIGINT: ColumnType = { kind: 'bigint' };

/** What a query gives. Errors: SqlFailure. */
export function runQuery({ selects, orderBy, limit }: Query, session: SqlSession): Relation {
  const { columns, rows } = selects.map((select) => runSelect(select, session)).reduce(union);
  const ordered = orderBy.length === 0 ? rows : rows.toSorted(comparingRows(orderBy, columns));
  return { columns, rows: ordered.slice(0, limit) };
}

function runSelect(select: Select, session: SqlSession): Relation {
  const { items, from, joins, where, groupBy } = select;
  const first = from === null ? { columns: [], rows: [[]] } : runFrom(from, select, session);
  const all = joins.reduce((left, join) => runJoin(left, join, select, session), first);
  const filter = where === null ? null : boolean(evaluate(where, all.columns));
  const filtered = filter === null ? all : { ...all, rows: all.rows.filter((row) => filter.of(row) === true) };
  const wanted = items.flatMap((item, index) => expanded(item, index, all.columns));
  if (groupBy.length > 0 || wanted.some(({ expression }) => hasAggregates(expression)))
    return project(...aggregate(filtered, wanted, groupBy));
  return project(...withWindows(filtered, wanted));
}

export interface Wanted {
  readonly name: string;
  readonly expression: Expression;
}

/** `*` is all columns; what has no name is _c and its place. */
function expanded(item: SelectItem, index: number, columns: readonly RelationColumn[]): Wanted[] {
  if (item.kind === 'all')
    return columns
      .filter(({ table }) => item.table === null || table === item.table)
      .map(({ table, name }) => ({ name, expression: { kind: 'column', table, name } }));
  const { expression } = item;
  return [{ name: item.name ?? (expression.kind === 'column' ? expression.name : `_c${index}`), expression }];
}

/** Row numbers become columns, which the items name in their place. */
function withWindows(relation: Relation, wanted: readonly Wanted[]): [Relation, readonly Wanted[]] {
  const columns = [...relation.columns];
  const numbers: RowValue[][] = [];
  const replaced = wanted.map(({ name, expression }) => ({
    name,
    expression: mapExpression(expression, (part) => {
      if (part.kind !== 'call' || part.over === null) return null;
      if (part.name !== 'row_number') throw SqlFailure.semantic(`${part.name} OVER is not served here`);
      const column = { table: '', name: `window ${numbers.push(rowNumbers(relation, part))}`, type: BIGINT };
      columns.push(column);
      return { kind: 'column', table: '', name: column.name };
    }),
  }));
  const rows = relation.rows.map((row, place) => [...row, ...numbers.map((of) => of[place] ?? null)]);
  return [{ columns, rows }, replaced];
}

function project({ columns, rows }: Relation, wanted: readonly Wanted[]): Relation {
  const evaluated = wanted.map(({ expression }) => evaluate(expression, columns));
  return {
    columns: wanted.map(({ name }, index) => ({ table: null, name, type: evaluated[index]?.type ?? null })),
    rows: rows.map((row) => evaluated.map(({ of }) => of(row))),
  };
}

function runFrom(from: FromItem, { where }: Select, session: SqlSession): Relation {
  if (from.kind === 'table') {
    const table = session.table(from.name);
    checkFullScan(table, where, session);
    return relationOf(table, from.alias);
  }
  const { columns, rows } = runQuery(from.query, session);
  return { columns: columns.map((column) => ({ ...column, table: from.alias })), rows };
}

/** All partitions of a table are read only where the settings allow it. */
function checkFullScan(table: DoubleTable, where: Expression | null, session: SqlSession): void {
  const names = (part: Expression) => part.kind === 'column' && table.partitionColumns.includes(part.name);
  const isFull = table.partitionColumns.length > 0 && (where === null || !someExpression(where, names));
  if (isFull && !session.isSet('odps.sql.allow.fullscan'))
    throw SqlFailure.semantic(`${table.name} is full scan with all partitions, please specify partition predicates`);
}

function runJoin(left: Relation, { with: item, on }: Join, select: Select, session: SqlSession): Relation {
  if (!isEquality(on) && !select.mapJoins.includes(item.alias))
    throw SqlFailure.semantic(`a join of ${item.alias} by anything but equality needs MAPJOIN`);
  const right = runFrom(item, select, session);
  const columns = [...left.columns, ...right.columns];
  const holds = boolean(evaluate(on, columns));
  const pairs = left.rows.flatMap((row) => right.rows.map((other) => [...row, ...other]));
  return { columns, rows: pairs.filter((pair) => holds.of(pair) === true) };
}

function isEquality(on: Expression): boolean {
  if (on.kind !== 'binary') return false;
  return on.sign === '=' || (on.sign === 'AND' && isEquality(on.left) && isEquality(on.right));
}

/** By place; the names are those of the first. */
function union(a: Relation, b: Relation): Relation {
  if (a.columns.length !== b.columns.length) throw SqlFailure.semantic('UNION ALL of other numbers of columns');
  const columns = a.columns.map((column, index) => ({
    ...column,
    type: commonType(column.type, b.columns[index]?.type ?? null),
  }));
  return { columns, rows: [...widened(a, columns), ...widened(b, columns)] };
}

function widened({ columns, rows }: Relation, to: readonly RelationColumn[]): RowValue[][] {
  const casts = columns.map(({ type }, index) => {
    const wanted = to[index]?.type ?? null;
    return wanted === null ? (value: RowValue) => value : castTo(type, wanted);
  });
  return rows.map((row) => row.map((value, index) => casts[index]?.(value) ?? null));
}
