import type { Column, TableVersion } from '../../pipeline/table.ts';
import { type ColumnType, columnTypeText } from './protocol/column-type.ts';
import type { TableFacts } from './protocol/table-facts.ts';
import { acceptedKinds, holdsAll, plannedType } from './types.ts';

/**
 * What a table is for: `delta` has the rows as they are, by key; `log` every change; `append` what was inserted or updated,
 * one below the other; `base` the rows as they were at the end of a day, made from a log.
 */
export type TableForm = 'delta' | 'log' | 'append' | 'base';

export interface PlannedColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly comment: string;
}

/** A table as we would create it. */
export interface WantedTable {
  /** The meta columns first, where it has them; then those of the source, in its order. */
  readonly columns: readonly PlannedColumn[];
  /** The names of the primary key's columns; empty unless it is a Delta table. */
  readonly key: readonly string[];
  readonly partitionColumns: readonly string[];
}

/** The columns that tell of a change, in front of those of the source. Source: DataWorks help, "Fields used for real-time synchronization". */
export const META_COLUMNS = [
  '_sequence_id_',
  '_operation_type_',
  '_execute_time_',
  '_before_image_',
  '_after_image_',
] as const;
export type MetaColumn = (typeof META_COLUMNS)[number];

const META_COMMENTS: Readonly<Record<MetaColumn, string>> = {
  _sequence_id_: 'place in the log of the source, orders as text; of both rows of an update the same',
  _operation_type_: 'I insert, U update, D delete, T all rows before are void',
  _execute_time_: 'when the source committed, milliseconds since 1970-01-01 UTC',
  _before_image_: 'Y: the values are those before the change',
  _after_image_: 'Y: the values are those after the change',
};

export function metaType(name: MetaColumn): ColumnType {
  return { kind: name === '_execute_time_' ? 'bigint' : 'string' };
}

export function wantedTable(table: TableVersion, form: TableForm, partitionColumns: readonly string[]): WantedTable {
  const meta = META_COLUMNS.map((name) => ({
    name,
    type: metaType(name),
    nullable: true,
    comment: META_COMMENTS[name],
  }));
  const columns = table.columns.map((column, index) =>
    plannedColumn(column, form === 'delta' && table.key.includes(index)),
  );
  return {
    columns: form === 'log' ? [...meta, ...columns] : columns,
    key: form === 'delta' ? keyNames(table) : [],
    partitionColumns,
  };
}

/** Only keys insist on a value: a column that the source drops stays, without values. */
export function plannedColumn({ name, type, comment }: Column, isKey: boolean): PlannedColumn {
  return { name, type: plannedType(type, isKey), nullable: !isKey, comment };
}

/** In key order. */
export function keyNames(table: TableVersion): readonly string[] {
  return table.key.flatMap((index) => table.columns[index]?.name ?? []);
}

/** The columns of a log that a table lacks. */
export function missingMeta({ columns }: Pick<TableFacts, 'columns'>): readonly MetaColumn[] {
  const kinds = new Map(columns.map(({ name, type }) => [name.toLowerCase(), type.kind]));
  return META_COLUMNS.filter((name) => kinds.get(name) !== metaType(name).kind);
}

export function isLog(facts: Pick<TableFacts, 'columns'>): boolean {
  return missingMeta(facts).length === 0;
}

const NAME_BYTES_MAX = 128;
const TABLE_NAME = /^[A-Za-z0-9_]+$/;

/** What is wrong with the names of a table that is to be created; empty when nothing is. */
export function nameProblems(tableName: string, { columns, partitionColumns }: WantedTable): readonly string[] {
  const problems: string[] = [];
  if (!TABLE_NAME.test(tableName) || tableName.length > NAME_BYTES_MAX)
    problems.push(
      `"${tableName}" is no name for a table of MaxCompute: those are 1 to ${NAME_BYTES_MAX} letters, digits and underscores`,
    );
  const seen = new Set<string>();
  for (const name of [...columns.map((column) => column.name), ...partitionColumns]) {
    if (name === '' || /[`\p{Cc}]/u.test(name) || Buffer.byteLength(name) > NAME_BYTES_MAX)
      problems.push(`"${name}" is no name for a column of MaxCompute`);
    // Column names that differ in case are the same name; partition columns are columns too.
    if (seen.has(name.toLowerCase())) problems.push(`two columns of "${tableName}" would be called "${name}"`);
    seen.add(name.toLowerCase());
  }
  return problems;
}

/** How an existing table serves. */
export interface Comparison {
  /** Columns that it lacks, to be added, or left out by policy. */
  readonly missing: readonly PlannedColumn[];
  /** Why its rows cannot be written at all. */
  readonly problems: readonly string[];
  /** What it cannot hold of some rows. */
  readonly warnings: readonly string[];
}

/** Columns are found by their names, whatever their case and place (H16). */
export function compareTable(
  existing: TableFacts,
  table: TableVersion,
  form: TableForm,
  partitionColumns: readonly string[],
): Comparison {
  const wanted = wantedTable(table, form, partitionColumns);
  const found = new Map(existing.columns.map((column) => [column.name.toLowerCase(), column]));
  const missing: PlannedColumn[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const name of form === 'log' ? missingMeta(existing) : [])
    problems.push(`it has no column ${name} ${columnTypeText(metaType(name))}, which a log table needs`);
  for (const [index, { name, type, nullable, sourceType }] of table.columns.entries()) {
    const there = found.get(name.toLowerCase());
    const planned = wanted.columns[index + wanted.columns.length - table.columns.length];
    if (there === undefined) {
      if (planned !== undefined) missing.push(planned);
      continue;
    }
    const isKey = form === 'delta' && table.key.includes(index);
    const text = columnTypeText(there.type);
    if (!acceptedKinds(type).includes(there.type.kind) || (isKey && there.type.kind === 'binary'))
      problems.push(`its column "${name}" is ${text}, which cannot be written from ${sourceType}`);
    else if (!holdsAll(type, there.type))
      warnings.push(`its column "${name}" is ${text}, which does not hold every ${sourceType}`);
    if (!there.nullable && nullable && !isKey)
      problems.push(`its column "${name}" is NOT NULL, the source's may be null`);
  }
  const names = new Set(wanted.columns.map(({ name }) => name.toLowerCase()));
  for (const { name, nullable } of existing.columns)
    if (!nullable && !names.has(name.toLowerCase()))
      problems.push(`its column "${name}" is NOT NULL, and the source has no such column`);
  problems.push(...keyProblems(existing, wanted), ...partitionProblems(existing, partitionColumns));
  return { missing, problems, warnings };
}

function keyProblems({ primaryKey }: TableFacts, { key }: WantedTable): readonly string[] {
  const has = new Set(primaryKey.map((name) => name.toLowerCase()));
  const wants = new Set(key.map((name) => name.toLowerCase()));
  if (has.symmetricDifference(wants).size === 0) return [];
  if (wants.size === 0) return ['it is a Delta table with a primary key, which takes no log and no appended rows'];
  return [
    has.size === 0
      ? 'it is no Delta table: it has no primary key'
      : `its primary key is (${primaryKey.join(', ')}), the source's (${key.join(', ')})`,
  ];
}

function partitionProblems({ partitionColumns: has }: TableFacts, wants: readonly string[]): readonly string[] {
  const same =
    has.length === wants.length && has.every((name, level) => name.toLowerCase() === wants[level]?.toLowerCase());
  if (same) return [];
  const said = (names: readonly string[]) =>
    names.length === 0 ? 'not partitioned' : `partitioned by (${names.join(', ')})`;
  return [`it is ${said(has)}, the task's partition makes it ${said(wants)}`];
}
