import type { TableVersion } from '../../pipeline/table.ts';

export interface KeyColumns {
  /** Indexes into the table's columns; null: the primary key. */
  readonly columns: readonly number[] | null;
  /** Names that the table has no column of. */
  readonly missing: readonly string[];
}

/** The columns that the option `keyColumns` names, in its order. */
export function keyColumnsOf({ columns }: TableVersion, names: readonly string[]): KeyColumns {
  if (names.length === 0) return { columns: null, missing: [] };
  const indexes = names.map((name) => columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase()));
  return { columns: indexes, missing: names.filter((_, index) => indexes[index] === -1) };
}
