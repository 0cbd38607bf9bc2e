import type { ColumnSet, TableVersion, ValueType } from '../../../pipeline/table.ts';
import { type Partitioner, partitionOf, tableHash } from './partitioner.ts';
import type { TableTopic } from './table-topic.ts';

/** How the keys of one table version are read, and where what has none goes. */
export interface KeyLayout {
  /** Indexes into the columns, in key order; empty for a table without a key. */
  readonly columns: readonly number[];
  /** The visits that go over the key's columns in key order. */
  readonly visits: readonly ColumnSet[];
  /** Digits after the second, by column of the key. */
  readonly fractions: Uint8Array;
  /** The partition of all of the table's records; -1 where each record's key says it. */
  readonly partition: number;
  /** The partition of records without a key. */
  readonly tablePartition: number;
}

export function layKey(table: TableVersion, to: TableTopic, partitioner: Partitioner): KeyLayout {
  const columns = to.keyColumns ?? table.key;
  const isAscending = columns.every((column, index) => index === 0 || column > columns[index - 1]!);
  const visits = isAscending ? [{ indexes: columns }] : columns.map((column) => ({ indexes: [column] }));
  const tablePartition = partitioner === 'fixed' ? 0 : partitionOf(tableHash(table.id), to.partitions);
  return {
    columns,
    visits: columns.length === 0 ? [] : visits,
    fractions: Uint8Array.from(columns, (column) => fractionOf(table.columns[column]!.type)),
    partition: partitioner === 'key' && columns.length > 0 ? -1 : tablePartition,
    tablePartition,
  };
}

export function fractionOf(type: ValueType): number {
  return 'fraction' in type ? type.fraction : 0;
}
