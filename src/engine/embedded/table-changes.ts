import type { Logger } from '../../lib/log.ts';
import type { Failure, TableProgress } from '../../pipeline/checkpoint.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { SinkTable, TargetId } from '../../pipeline/route.ts';
import type { FailedTables, Sink } from '../../pipeline/sink.ts';
import type { Source, SourceTable, TableSet } from '../../pipeline/source.ts';
import { type TableId, tableKey } from '../../pipeline/table.ts';
import type { PipelineError } from '../../pipeline/pipeline-error.ts';
import { reconcile, type WantedTable } from './reconcile.ts';
import type { RunState } from './run-state.ts';

export interface TableChangeParts {
  readonly source: Source;
  readonly sink: Sink;
  readonly state: RunState;
  readonly log: Logger;
  readonly signal: AbortSignal;
  filled(targets: readonly TargetId[]): Promise<void>;
}

/**
 * Makes ready what a version wants: looks up the shapes of its tables and prepares their targets, beside the stream.
 * A table that cannot join is noted as FAILED; the others are given to the source.
 */
export async function prepareTables(
  def: PipelineDef,
  retryFailed: boolean,
  parts: TableChangeParts,
): Promise<TableSet> {
  const { source, sink, state, signal } = parts;
  const applied = { version: state.version, tables: [...state.tables.values()] };
  // A first start at a time of the past streams from there: what was before it is not loaded.
  const startsInPast = state.offset === null && def.startTime !== null;
  const wanted = reconcile(def, state.offset === null ? null : applied, retryFailed);
  const described = await source.describe(
    wanted.tables.map(({ route, progress }) => ({ id: route.table, progress })),
    signal,
  );
  const joining: { wanted: WantedTable; sinkTable: SinkTable }[] = [];
  for (const [index, table] of wanted.tables.entries()) {
    const found = described[index];
    if (found?.kind === 'shape')
      joining.push({ wanted: table, sinkTable: { table: found.shape, target: table.route.target } });
    else if (found !== undefined) state.note(failedProgress(table.route.table, found.failure));
  }
  // A table that starts afresh may find its target altered, or gone: it is looked at anew, and what is buffered is void.
  for (const { wanted: table } of joining) if (startsOver(table, state)) sink.drop(table.route.table);
  await parts.filled(joining.map(({ sinkTable }) => sinkTable.target));
  const failed = new Map(
    (await sink.prepare(joining.map(({ sinkTable }) => sinkTable))).map(({ table, error }) => [tableKey(table), error]),
  );
  const tables: SourceTable[] = [];
  for (const { wanted: table, sinkTable } of joining) {
    const error = failed.get(tableKey(table.route.table));
    if (error === undefined) {
      tables.push({
        id: table.route.table,
        shape: sinkTable.table,
        load: startsInPast ? 'none' : table.route.load,
        progress: table.progress,
        emptyFirst: table.emptyFirst,
      });
    } else state.note(failedProgress(table.route.table, failureOf(error)));
  }
  noteRemoved(def, state);
  return { version: def.version, tables };
}

function startsOver({ route, progress, emptyFirst }: WantedTable, state: RunState): boolean {
  if (progress !== null) return false;
  return emptyFirst || state.tables.get(tableKey(route.table))?.state === 'FAILED';
}

/** Tables that failed are unknown to the source: when they are no longer wanted, it is noted here. */
function noteRemoved(def: PipelineDef, state: RunState): void {
  const wanted = new Set(def.routes.map(({ table }) => tableKey(table)));
  const left = [...state.tables.values()].filter(
    ({ state, table }) => state === 'FAILED' && !wanted.has(tableKey(table)),
  );
  for (const progress of left) state.note({ ...progress, state: 'REMOVED', failure: null, resume: null });
}

/** A table that the sink cannot take: the source stops it, the sink forgets it, the others flow (decision 10). */
export function failTables(failed: FailedTables, { source, sink, log }: TableChangeParts): void {
  for (const { table, error } of failed) {
    log.warn({ table, code: error.code, message: error.message }, 'a table failed; the others go on');
    sink.drop(table);
    source.failTable(table, failureOf(error));
  }
}

export function failureOf(error: PipelineError): Failure {
  return { code: error.code, message: error.message, remedy: error.hint ?? null };
}

function failedProgress(table: TableId, failure: Failure): TableProgress {
  return { table, state: 'FAILED', chunksDone: 0, chunksAll: 0, rows: 0, failure, resume: null };
}
