import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import type { DoubleTable } from '../tables.ts';
import { SqlFailure } from './sql-failure.ts';

/** A column of what a query goes over or gives; its type is null where all of it is the literal NULL. */
export interface RelationColumn {
  /** The alias that it is known by beside its name. */
  readonly table: string | null;
  readonly name: string;
  readonly type: ColumnType | null;
}

export interface Relation {
  readonly columns: readonly RelationColumn[];
  readonly rows: readonly (readonly RowValue[])[];
}

/** All rows of a table, each with the values of its partition behind its own. */
export function relationOf(table: DoubleTable, alias: string): Relation {
  const levels = table.partitionColumns.map((name) => ({ table: alias, name, type: { kind: 'string' as const } }));
  const columns = [...table.columns.map(({ name, type }) => ({ table: alias, name, type })), ...levels];
  const rows = [...table.partitions].flatMap(([partition, of]) => {
    const values = partition === '' ? [] : partition.split(',').map((level) => level.slice(level.indexOf('=') + 1));
    return of.map((row) => [...row, ...values]);
  });
  return { columns, rows };
}

/** Where a column is. Errors: SqlFailure if it is not there, or more than once. */
export function placeOfColumn(columns: readonly RelationColumn[], table: string | null, name: string): number {
  const found = columns.flatMap((column, index) =>
    column.name === name && (table === null || column.table === table) ? [index] : [],
  );
  const [place] = found;
  if (place === undefined) throw SqlFailure.semantic(`column ${name} cannot be resolved`);
  if (found.length > 1) throw SqlFailure.semantic(`column ${name} is ambiguous`);
  return place;
}
