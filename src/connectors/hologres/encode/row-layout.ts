import type { ColumnSet, TableVersion } from '../../../pipeline/table.ts';
import type { EncodedColumn } from './wire.ts';

/** A column of a row layout: where it comes from, where it goes. */
export interface LayoutColumn extends EncodedColumn {
  readonly name: string;
  /** The base type by its catalogue name, such as `int8` or `varchar`, and its oid: what arrays and parameters are of. */
  readonly baseType: string;
  readonly oid: number;
}

/**
 * How rows of one table version are laid out in the arena: the key's columns first (in column order), then the others,
 * so that a key is one run of bytes. Where the key leads the table anyway, one visit writes the whole row.
 */
export interface RowLayout {
  readonly version: TableVersion;
  readonly columns: readonly LayoutColumn[];
  readonly wires: Int8Array<ArrayBuffer>;
  readonly keyCount: number;
  /** The visits that write a row. */
  readonly visits: readonly ColumnSet[];
  /** The visit that writes a key. */
  readonly keyVisit: ColumnSet;
}

/** `columnAt` gives the target's column for an index into the version's columns; null leaves it out. */
export function layRow(version: TableVersion, columnAt: (index: number) => LayoutColumn | null): RowLayout {
  const keys = [...version.key].sort((a, b) => a - b);
  const wanted = version.columns.map((_, index) => index).filter((index) => columnAt(index) !== null);
  const others = wanted.filter((index) => !keys.includes(index));
  const order = [...keys, ...others];
  const columns = order.flatMap((index) => columnAt(index) ?? []);
  const leads = order.every((index, i) => wanted[i] === index);
  const keyVisit: ColumnSet = { indexes: keys };
  const all: ColumnSet = { indexes: wanted };
  return {
    version,
    columns,
    wires: Int8Array.from(columns, ({ wire }) => wire),
    keyCount: keys.length,
    visits: leads ? [all] : [keyVisit, { indexes: others }],
    keyVisit,
  };
}
