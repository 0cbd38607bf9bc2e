import { civilFromDays, daysFromCivil, isRealDate } from '../../lib/civil.ts';
import type { TimeZone } from '../../lib/time-zone.ts';
import { type MergedColumn, type MergedFrom, mergeStatement } from './merge-statement.ts';
import type { PlannedMerge } from '../../pipeline/connector.ts';
import type { PartitionRule } from './partition.ts';
import { partitionsOf } from './protocol/project-facts.ts';
import type { ServiceClient } from './protocol/service-client.ts';
import { runSql } from './protocol/sql-instance.ts';
import { type TableFacts, tableFacts } from './protocol/table-facts.ts';
import { addColumns, createTable, statementSettings, type TableName } from './statements.ts';
import { META_COLUMNS, missingMeta, type PlannedColumn } from './wanted-table.ts';

const DAY_SECONDS = 86_400;
/** Of a base table that we make. */
const BASE_PARTITION = 'pt';
/** A log that is not partitioned by time is read as a whole. */
const SETTINGS = { 'odps.sql.allow.fullscan': 'true' } as const;

export interface MergeOrder {
  readonly log: TableName;
  /** Names of the source's primary key. */
  readonly key: readonly string[];
  /** What the log is partitioned by. */
  readonly partitions: PartitionRule;
  /** Whose days they are. */
  readonly zone: TimeZone;
  /** Changes before this time are merged: a whole minute. */
  readonly untilMs: number;
}

/** `orders` and `orders_log` have `orders_base`. */
export function baseName(log: TableName): TableName {
  return { ...log, table: `${log.table.replace(/_log$/, '')}_base` };
}

/**
 * What merges the log of one table into a partition of its base: that of the last one before it and the changes since. Looks at
 * both tables, changes nothing. Errors: ServiceError; Error that says why the two cannot be merged.
 */
export async function planMerge(client: ServiceClient, order: MergeOrder, signal?: AbortSignal): Promise<PlannedMerge> {
  const { log, key, zone, untilMs, partitions } = order;
  const base = baseName(log);
  const logFacts = await tableFacts(client, log, signal);
  if (logFacts === null) throw new Error(`there is no table ${log.table}: nothing was written yet`);
  const missing = missingMeta(logFacts);
  if (missing.length > 0) throw new Error(`${log.table} is no log: it has no column ${missing.join(', ')}`);
  const own = ownColumns(logFacts);
  const found = await tableFacts(client, base, signal);
  const [level = BASE_PARTITION, ...others] = found?.partitionColumns ?? [BASE_PARTITION];
  if (found?.partitionColumns.length === 0 || others.length > 0)
    throw new Error(`${base.table} is to be partitioned by one column, the day`);
  const there = found === null ? [] : await partitionsOf(client, base, signal);
  const from = lastBefore(there, untilMs, zone);
  const into = partitionAt(untilMs, zone);
  const merge = mergeStatement({
    base,
    log,
    key,
    columns: mergedColumns(found?.columns ?? [], own),
    into: [[level, into]],
    from: from === null ? null : { partition: [[level, from.value]], untilMs: from.untilMs },
    untilMs,
    logPartition: partitions.orderedLevel(zone),
  });
  const statements = [...basePrepared(base, found, own, level), merge];
  const settings = { ...statementSettings(base), ...SETTINGS };
  const set = Object.entries(settings).map(([name, value]) => `SET ${name}=${value};`);
  return {
    table: base.table,
    into,
    from: from?.value ?? null,
    script: [...set, ...statements].join('\n'),
    run: async (running) => {
      for (const query of statements) await runSql(client, { ...base, query, settings }, running);
    },
  };
}

/** The statements that make the base, or give it the columns that the log has meanwhile. */
function basePrepared(
  base: TableName,
  found: TableFacts | null,
  own: readonly PlannedColumn[],
  level: string,
): readonly string[] {
  if (found === null) return [createTable(base, { columns: own, key: [], partitionColumns: [level] })];
  const added = own.filter(({ name }) => !has(found, name));
  return added.length > 0 ? [addColumns(base, added)] : [];
}

/** The partition of what was before a time: the day that ends there, such as `20240101`, or that minute, such as `202401011530`. */
export function partitionAt(untilMs: number, zone: TimeZone): string {
  const civil = zone.toCivil(untilMs / 1000);
  if (civil % DAY_SECONDS === 0) return String(civilFromDays(civil / DAY_SECONDS - 1)).padStart(8, '0');
  const minutes = Math.floor((civil % DAY_SECONDS) / 60);
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, '0')}${String(minutes % 60).padStart(2, '0')}`;
  return `${String(civilFromDays(Math.floor(civil / DAY_SECONDS))).padStart(8, '0')}${clock}`;
}

/** The other way round: milliseconds since the epoch. Null for what is no such partition. */
export function endOfPartition(value: string, zone: TimeZone): number | null {
  const [, year = 0, month = 0, day = 0, hour, minute] =
    /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d))?$/.exec(value)?.map(Number) ?? [];
  if (!isRealDate(year, month, day)) return null;
  const midnight = daysFromCivil(year, month, day) * DAY_SECONDS;
  const isDay = hour === undefined || Number.isNaN(hour);
  return zone.toInstant(isDay ? midnight + DAY_SECONDS : midnight + hour * 3600 + (minute ?? 0) * 60) * 1000;
}

function lastBefore(
  partitions: readonly string[],
  untilMs: number,
  zone: TimeZone,
): { readonly value: string; readonly untilMs: MergedFrom['untilMs'] } | null {
  const ends = partitions.flatMap((spec) => {
    const value = spec.slice(spec.indexOf('=') + 1);
    const end = endOfPartition(value, zone);
    return end !== null && end < untilMs ? [{ value, untilMs: end }] : [];
  });
  return ends.toSorted((a, b) => a.untilMs - b.untilMs).at(-1) ?? null;
}

function has({ columns }: Pick<TableFacts, 'columns'>, name: string): boolean {
  return columns.some((column) => column.name.toLowerCase() === name.toLowerCase());
}

function ownColumns({ columns }: TableFacts): readonly PlannedColumn[] {
  const isMeta = (name: string) => META_COLUMNS.some((meta) => meta === name.toLowerCase());
  return columns
    .filter(({ name }) => !isMeta(name))
    .map(({ name, type }) => ({ name, type, nullable: true, comment: '' }));
}

/** Those of the base, as they will be: what it has, and behind it what the log has beside that. */
function mergedColumns(base: TableFacts['columns'], log: readonly PlannedColumn[]): readonly MergedColumn[] {
  const there = base.map(({ name, type }) => ({ name, type, inBase: true, inLog: has({ columns: log }, name) }));
  const added = log.filter(({ name }) => !has({ columns: base }, name));
  // By the time of the merge they are there too, and null in what was before.
  return [...there, ...added.map(({ name, type }) => ({ name, type, inBase: true, inLog: true }))];
}
