import type { ColumnType } from './protocol/column-type.ts';
import { columnTypeText } from './protocol/column-type.ts';
import { type PartitionLevels, partitionText, quoteName, quoteTable, quoteText, type TableName } from './statements.ts';

/** A column of the base table, and whether either side has it. */
export interface MergedColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly inBase: boolean;
  readonly inLog: boolean;
}

/** A base partition, and what it holds. */
export interface MergedFrom {
  readonly partition: PartitionLevels;
  /** Changes before this time are in it. */
  readonly untilMs: number;
}

/** What is merged: the rows of one base partition and the changes since then become another base partition. */
export interface Merge {
  readonly base: TableName;
  readonly log: TableName;
  /** The base table's own, in their order there; without those of partitions. */
  readonly columns: readonly MergedColumn[];
  /** Names of the source's primary key. */
  readonly key: readonly string[];
  /** The partition that is written. */
  readonly into: PartitionLevels;
  /** What it begins from; null where there is no base yet, and the log has all there is. */
  readonly from: MergedFrom | null;
  /** Changes from this time on are of the next merge. */
  readonly untilMs: number;
  /** Says the value of a column of the log's partitions for a time, where values are in the order of times; null: all are read. */
  readonly logPartition: { readonly column: string; readonly valueAt: (ms: number) => string } | null;
}

/*
 * The log's order is that of the places in it. Times are nearly in the same order, not quite: a transaction may have begun
 * before another, and have ended behind it. So the changes of the day before are looked at again, which does no harm, as they
 * are in the base already. Of those that are the oldest here the ones that came behind them may be older still, and are not
 * seen: where such a change is the last of a key, the base is believed.
 */
export const MERGE_AGAIN_MS: number = 24 * 3_600_000;
/** How much older than a change before it a change may be. */
export const DISORDER_MS: number = 3_600_000;

/**
 * The statement that merges: of each key what was last said of it, unless that is the values before a change. Where the log
 * says that rows before are void (`T`), they and the base are. Run again it gives the same.
 *
 * Errors: Error for a table without key: nobody can say which rows of it are one.
 * Source: DTS help, "Synchronize data from RDS MySQL to MaxCompute", how a full table is made of the two.
 */
export function mergeStatement(merge: Merge): string {
  if (merge.key.length === 0) throw new Error('a table without a primary key cannot be merged');
  const names = merge.columns.map(({ name }) => quoteName(name)).join(', ');
  const rows = merge.from === null ? [lastChanges(merge)] : [baseRows(merge, merge.from), lastChanges(merge)];
  return `INSERT OVERWRITE TABLE ${quoteTable(merge.base)} PARTITION (${partitionText(merge.into)})
SELECT ${names}
FROM (
  SELECT ${names}, \`_after_image_\`, ${rankOf(merge, ['_sequence_id_'])}
  FROM (
${rows.join('\n    UNION ALL\n')}
  ) \`rows\`
) \`ranked\`
WHERE \`_rank_\` = 1 AND \`_after_image_\` = 'Y';`;
}

/** Older than all of the log. What made rows void before the base was made is in the base. */
function baseRows(merge: Merge, { partition, untilMs }: MergedFrom): string {
  const values = merge.columns.map(({ name, type, inBase }) => (inBase ? quoteName(name) : nullOf(name, type)));
  const where = partition.map(([column, value]) => `${quoteName(column)} = ${quoteText(value)}`).join(' AND ');
  return `    SELECT /*+ MAPJOIN(\`emptied\`) */ ${values.join(', ')}, '' AS \`_sequence_id_\`, 'Y' AS \`_after_image_\`
    FROM ${quoteTable(merge.base)}
    JOIN (
      SELECT COUNT(*) AS \`_times_\` FROM ${quoteTable(merge.log)} WHERE \`_operation_type_\` = 'T' AND ${logRange(merge, untilMs)}
    ) \`emptied\` ON \`_times_\` = 0
    WHERE ${where}`;
}

/** The last change of each key, behind the last place where rows before are void. */
function lastChanges(merge: Merge): string {
  const names = merge.columns.map(({ name }) => `${quoteName(name)}, `).join('');
  const values = merge.columns.map(({ name, type, inLog }) => (inLog ? quoteName(name) : nullOf(name, type)));
  const sinceMs = merge.from === null ? null : merge.from.untilMs - MERGE_AGAIN_MS;
  const isSeen = sinceMs === null ? '' : ` AND \`_execute_time_\` >= ${sinceMs + DISORDER_MS}`;
  return `    SELECT ${names}\`_sequence_id_\`, \`_after_image_\`
    FROM (
      SELECT /*+ MAPJOIN(\`voided\`) */ ${values.join(', ')}, \`_sequence_id_\`, \`_after_image_\`, \`_execute_time_\`,
        ${rankOf(merge, ['_sequence_id_', '_after_image_'])}
      FROM ${quoteTable(merge.log)}
      JOIN (
        SELECT COALESCE(MAX(\`_sequence_id_\`), '') AS \`_void_until_\` FROM ${quoteTable(merge.log)} WHERE \`_operation_type_\` = 'T' AND ${logRange(merge, sinceMs)}
      ) \`voided\` ON \`_sequence_id_\` >= \`_void_until_\`
      WHERE ${logRange(merge, sinceMs)}
    ) \`changes\`
    WHERE \`_rank_\` = 1${isSeen}`;
}

function rankOf({ key }: Merge, by: readonly string[]): string {
  const order = by.map((name) => `${quoteName(name)} DESC`).join(', ');
  return `ROW_NUMBER() OVER (PARTITION BY ${key.map(quoteName).join(', ')} ORDER BY ${order}) AS \`_rank_\``;
}

function logRange({ untilMs, logPartition }: Merge, sinceMs: number | null): string {
  const range: string[] = [];
  if (logPartition !== null) {
    const { column, valueAt } = logPartition;
    if (sinceMs !== null) range.push(`${quoteName(column)} >= ${quoteText(valueAt(sinceMs))}`);
    range.push(`${quoteName(column)} <= ${quoteText(valueAt(untilMs - 1))}`);
  }
  if (sinceMs !== null) range.push(`\`_execute_time_\` >= ${sinceMs}`);
  range.push(`\`_execute_time_\` < ${untilMs}`);
  return range.join(' AND ');
}

function nullOf(name: string, type: ColumnType): string {
  return `CAST(NULL AS ${columnTypeText(type).toUpperCase()}) AS ${quoteName(name)}`;
}
