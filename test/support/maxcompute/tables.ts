import { type ColumnType, columnTypeText } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';

export interface DoubleColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly notNull?: boolean;
  readonly comment?: string;
}

export interface DoubleTableDefinition {
  readonly columns: DoubleColumn[];
  readonly partitionColumns?: readonly string[];
  readonly key?: readonly string[];
  readonly comment?: string;
  /** In days. */
  readonly lifecycle?: number | null;
  readonly properties?: Readonly<Record<string, string>>;
}

/** The columns as they were at one time. */
export interface TableShape {
  readonly columns: readonly DoubleColumn[];
  readonly version: number;
  /** As the tunnel's sessions say them. */
  readonly schema: object;
}

/** A table of the double. With a key it is a Delta table: one row per key and partition, else a list. */
export class DoubleTable {
  readonly name: string;
  readonly columns: DoubleColumn[];
  readonly partitionColumns: readonly string[];
  readonly key: readonly string[];
  /** By partition, such as `pt=1`; '' for a table without. */
  readonly partitions = new Map<string, RowValue[][]>();
  /** What CREATE TABLE said beside. */
  readonly comment: string;
  readonly lifecycle: number | null;
  readonly properties: Readonly<Record<string, string>>;
  /** Grows with every change of the columns. */
  schemaVersion = 0;
  /** The same rows by their keys, while nothing but a merge has made the list. */
  readonly #byKey = new WeakMap<RowValue[][], Map<string, RowValue[]>>();

  constructor(
    name: string,
    {
      columns,
      partitionColumns = [],
      key = [],
      comment = '',
      lifecycle = null,
      properties = {},
    }: DoubleTableDefinition,
  ) {
    this.name = name;
    this.columns = columns;
    this.partitionColumns = partitionColumns;
    this.key = key;
    this.comment = comment;
    this.lifecycle = lifecycle;
    this.properties = properties;
    if (partitionColumns.length === 0) this.partitions.set('', []);
  }

  get keyIndexes(): number[] {
    return this.key.map((name) => this.columns.findIndex((column) => column.name === name));
  }

  rows(partition = ''): readonly RowValue[][] {
    return this.partitions.get(partition) ?? [];
  }

  /** Rows of fewer columns, from before one was added, have NULL in it. */
  append(partition: string, rows: readonly (readonly RowValue[])[]): void {
    const all = this.#rowsOf(partition);
    this.#byKey.delete(all);
    for (const row of rows) all.push(this.#padded(row));
  }

  /** Behind the others; the rows that are there have NULL in it. */
  addColumn(column: DoubleColumn): void {
    this.columns.push(column);
    this.schemaVersion += 1;
    for (const rows of this.partitions.values()) for (const row of rows) row.push(null);
  }

  /** All partitions without a name, which stay, empty. */
  truncate(partition?: string): void {
    for (const name of partition === undefined ? this.partitions.keys() : [partition]) this.partitions.set(name, []);
  }

  /** Later ones of a key win. */
  merge(partition: string, changes: readonly { readonly row: RowValue[]; readonly isDelete: boolean }[]): void {
    const keyOf = this.#keys();
    const before = this.#rowsOf(partition);
    const rows = this.#byKey.get(before) ?? new Map(before.map((row) => [keyOf(row), row]));
    for (const { row, isDelete } of changes) {
      if (isDelete) rows.delete(keyOf(row));
      else rows.set(keyOf(row), this.#padded(row));
    }
    const after = [...rows.values()];
    this.#byKey.set(after, rows);
    this.partitions.set(partition, after);
  }

  /** What a session that begins now goes by. */
  shape(): TableShape {
    const columns = [...this.columns];
    const partitionKeys = this.partitionColumns.map((name) => ({ name, type: 'string', nullable: true, comment: '' }));
    return {
      columns,
      version: this.schemaVersion,
      schema: {
        columns: columns.map(({ name, type, notNull, comment }, index) => ({
          name,
          type: columnTypeText(type),
          nullable: notNull !== true && !this.key.includes(name),
          comment: comment ?? '',
          column_id: String(index),
        })),
        partitionKeys,
        IsVirtualView: false,
      },
    };
  }

  #padded(row: readonly RowValue[]): RowValue[] {
    return this.columns.map((_column, index) => row[index] ?? null);
  }

  #keys(): (row: readonly RowValue[]) => string {
    const indexes = this.keyIndexes;
    return (row) => JSON.stringify(indexes.map((index) => String(row[index] as string)));
  }

  #rowsOf(partition: string): RowValue[][] {
    const rows = this.partitions.get(partition) ?? [];
    this.partitions.set(partition, rows);
    return rows;
  }
}
