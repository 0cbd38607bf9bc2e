import { columnTypeText } from './protocol/column-type.ts';
import type { PlannedColumn, WantedTable } from './wanted-table.ts';

/** A table by its two or three names. */
export interface TableName {
  readonly project: string;
  /** Where the project has three-level names. */
  readonly schema?: string;
  readonly table: string;
}

/** What a partition is called, level by level, such as `[['pt', '20240101'], ['region', 'cn']]`. */
export type PartitionLevels = readonly (readonly [column: string, value: string])[];

export interface DeltaProperties {
  /** How many writers the table takes at a time (`write.bucket.num`). */
  readonly buckets: number;
  /** How far back it can be asked (`acid.data.retain.hours`). */
  readonly retainHours: number;
}

export const DELTA_DEFAULTS: DeltaProperties = { buckets: 16, retainHours: 24 };

/** What every statement is to run with: the types of the second type system, and three-level names where there are such. */
export function statementSettings({ schema }: TableName): Readonly<Record<string, string>> {
  return {
    'odps.sql.type.system.odps2': 'true',
    ...(schema === undefined ? {} : { 'odps.namespace.schema': 'true', 'odps.sql.allow.namespace.schema': 'true' }),
  };
}

/** Makes a table unless there is one. A Delta table has the key; others only have columns. */
export function createTable(name: TableName, wanted: WantedTable, delta: DeltaProperties = DELTA_DEFAULTS): string {
  const { columns, key, partitionColumns } = wanted;
  const lines = columns.map(definition);
  if (key.length > 0) lines.push(`PRIMARY KEY (${key.map(quoteName).join(', ')})`);
  const parts = [`CREATE TABLE IF NOT EXISTS ${quoteTable(name)} (\n  ${lines.join(',\n  ')}\n)`];
  if (partitionColumns.length > 0)
    parts.push(`PARTITIONED BY (${partitionColumns.map((column) => `${quoteName(column)} STRING`).join(', ')})`);
  if (key.length > 0)
    parts.push(
      `TBLPROPERTIES ("transactional"="true", "write.bucket.num"="${delta.buckets}", "acid.data.retain.hours"="${delta.retainHours}")`,
    );
  return `${parts.join('\n')};`;
}

/** Columns come at the end, whatever their place at the source; rows that are there have nulls in them. */
export function addColumns(name: TableName, columns: readonly PlannedColumn[]): string {
  // What is added may be null: the rows that are there have nothing else.
  const added = columns.map((column) => definition({ ...column, nullable: true }));
  return `ALTER TABLE ${quoteTable(name)} ADD COLUMNS (${added.join(', ')});`;
}

export function addPartition(name: TableName, levels: PartitionLevels): string {
  return `ALTER TABLE ${quoteTable(name)} ADD IF NOT EXISTS PARTITION (${partitionText(levels)});`;
}

/** Empties a table without partitions, or the partitions that are named, of which there must be one at least. */
export function truncateTable(name: TableName, partitions: readonly PartitionLevels[] | null): string {
  const which = (partitions ?? []).map((levels) => `PARTITION (${partitionText(levels)})`);
  return `TRUNCATE TABLE ${[quoteTable(name), ...(which.length > 0 ? [which.join(', ')] : [])].join(' ')};`;
}

function definition({ name, type, nullable, comment }: PlannedColumn): string {
  const notNull = nullable ? '' : ' NOT NULL';
  const said = comment === '' ? '' : ` COMMENT ${quoteText(comment)}`;
  return `${quoteName(name)} ${columnTypeText(type).toUpperCase()}${notNull}${said}`;
}

/** `pt`='20240101', `region`='cn' */
export function partitionText(levels: PartitionLevels): string {
  return levels.map(([column, value]) => `${quoteName(column)}=${quoteText(value)}`).join(', ');
}

/** A name as SQL says it. Names that hold a backquote are refused before (`nameProblems`). */
export function quoteName(name: string): string {
  return `\`${name}\``;
}

export function quoteTable({ project, schema, table }: TableName): string {
  return [project, ...(schema === undefined ? [] : [schema]), table].map(quoteName).join('.');
}

/** A text as SQL says it: escapes begin with a backslash, and what ends a line would end the statement's line too. */
export function quoteText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\0', '');
  return `'${escaped}'`;
}
