import { withCrashPoints } from '../../lib/crash-point.ts';
import type { Logger } from '../../lib/log.ts';
import type { Failure, TableProgress } from '../../pipeline/checkpoint.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { SinkTable } from '../../pipeline/route.ts';
import type { FailedTables, Sink } from '../../pipeline/sink.ts';
import type { Source, SourceTable, TableSet } from '../../pipeline/source.ts';
import { type TableId, tableKey } from '../../pipeline/table.ts';
import { failureOf } from '../../pipeline/failed-tables.ts';
import type { FilledTargets } from './filled-targets.ts';
import { reconcile, type WantedTable } from './reconcile.ts';
import type { RunState } from './run-state.ts';

export interface TableChangeParts {
  readonly source: Source;
  readonly sink: Sink;
  readonly state: RunState;
  readonly log: Logger;
  readonly filled: FilledTargets;
  readonly signal: AbortSignal;
}

/** What a version wants, made ready. */
export interface PreparedTables {
  /** For the source. */
  readonly set: TableSet;
  /** Tables that could not join: noted already, and again once the version has taken effect. */
  readonly failed: readonly TableProgress[];
}

/**
 * Makes ready what a version wants: looks up the shapes of its tables and prepares their targets, beside the stream.
 * A table that cannot join is noted as FAILED; the others are given to the source.
 */
export async function prepareTables(
  def: PipelineDef,
  retryFailed: boolean,
  parts: TableChangeParts,
): Promise<PreparedTables> {
  const { source, sink, state, signal } = parts;
  state.failed.clear();
  const applied = { version: state.version, tables: [...state.tables.values()] };
  // A first start at a point of the past streams from there: what was before it is not loaded.
  const startsInPast = state.offset === null && def.start !== null;
  const wanted = reconcile({ ...def, filled: parts.filled.all }, state.offset === null ? null : applied, retryFailed);
  const described = await source.describe(
    wanted.tables.map(({ route, progress }) => ({ id: route.table, progress })),
    signal,
  );
  const refused: TableProgress[] = [];
  const joining: { wanted: WantedTable; sinkTable: SinkTable }[] = [];
  for (const [index, table] of wanted.tables.entries()) {
    const found = described[index];
    if (found?.kind === 'shape')
      joining.push({ wanted: table, sinkTable: { table: found.shape, target: table.route.target } });
    else if (found !== undefined) refused.push(failedProgress(table.route.table, found.failure));
  }
  // A table that starts afresh may find its target altered, or gone: it is looked at anew, and what is buffered is void.
  for (const { wanted: table } of joining) if (startsOver(table, state)) sink.drop(table.route.table);
  const failed = new Map(
    (await withCrashPoints('targets prepared', () => sink.prepare(joining.map(({ sinkTable }) => sinkTable)))).map(
      ({ table, error }) => [tableKey(table), error],
    ),
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
    } else refused.push(failedProgress(table.route.table, failureOf(error)));
  }
  for (const progress of refused) state.note(progress);
  return { set: { version: def.version, tables }, failed: refused };
}

/** Not one that still flows, though it is to leave and come back: its rows are wanted up to that place. */
function startsOver({ route, progress }: WantedTable, state: RunState): boolean {
  const now = state.tables.get(tableKey(route.table))?.state;
  return progress === null && (now === undefined || now === 'FAILED' || now === 'REMOVED');
}

/**
 * A version has taken effect: its tables that could not join are FAILED, even where the source has just reported that the
 * former table of that name left. Those that are no longer wanted are REMOVED: the source reports only those it knew, not
 * one that failed, nor one that left while nothing ran.
 */
export function noteEffect(
  def: PipelineDef,
  { set, failed }: PreparedTables,
  { state, source, sink }: TableChangeParts,
): void {
  // The sink gave a table up after it was prepared anew: it leaves out its rows, so that it must not seem to flow.
  for (const { id, progress } of set.tables) {
    const failure = state.failed.get(tableKey(id));
    if (failure === undefined || progress !== null) continue;
    sink.drop(id);
    state.fail(id, failure);
    source.failTable(id, failure);
  }
  for (const progress of failed) {
    if (state.tables.get(tableKey(progress.table))?.state === 'REMOVED') state.note(progress);
  }
  const wanted = new Set(def.routes.map(({ table }) => tableKey(table)));
  for (const [key, progress] of state.tables) {
    if (wanted.has(key) || progress.state === 'REMOVED') continue;
    state.note({ ...progress, state: 'REMOVED', failure: null, resume: null });
  }
}

/** A table that the sink cannot take: the source stops it, the sink forgets it, the others flow (decision 10). */
export function failTables(failed: FailedTables, { source, sink, state, log }: TableChangeParts): void {
  for (const { table, error } of failed) {
    log.warn({ table, code: error.code, message: error.message }, 'a table failed; the others go on');
    sink.drop(table);
    state.fail(table, failureOf(error));
    source.failTable(table, failureOf(error));
  }
}

function failedProgress(table: TableId, failure: Failure): TableProgress {
  return { table, state: 'FAILED', chunksDone: 0, chunksAll: 0, rows: 0, failure, resume: null };
}
