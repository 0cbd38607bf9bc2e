import type { Checkpoint, TableProgress } from '../../pipeline/checkpoint.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { Route, TargetId } from '../../pipeline/route.ts';
import { tableKey } from '../../pipeline/table.ts';

/** What a run has to do about one table of the wanted version. */
export interface WantedTable {
  readonly route: Route;
  /** The state to go on from; null to start afresh. */
  readonly progress: TableProgress | null;
  readonly emptyFirst: boolean;
}

export interface Wanted {
  readonly tables: readonly WantedTable[];
  /** Tables that failed and are not tried again now: they stay as they are. */
  readonly failed: readonly TableProgress[];
}

/**
 * The difference between the wanted version and what a checkpoint has applied (behaviour: "the gap").
 * A table goes on where it was, unless it left and came back since, or failed and `retryFailed`: then it starts afresh,
 * and a target that this task filled is emptied first.
 */
export function reconcile(
  def: PipelineDef,
  applied: Pick<Checkpoint, 'version' | 'tables'> | null,
  retryFailed: boolean,
): Wanted {
  const states = new Map((applied?.tables ?? []).map((progress) => [tableKey(progress.table), progress]));
  const tables: WantedTable[] = [];
  const failed: TableProgress[] = [];
  for (const route of def.routes) {
    const progress = states.get(tableKey(route.table));
    const isOver = progress === undefined || progress.state === 'REMOVED' || route.since > (applied?.version ?? 0);
    if (progress?.state === 'FAILED' && !isOver && !retryFailed) failed.push(progress);
    else if (isOver || progress.state === 'FAILED') {
      // The changes of a failed table were not kept: only a load makes it whole again, also where none was asked for.
      const load = progress?.state === 'FAILED' && !isOver ? 'full' : route.load;
      tables.push({
        route: { ...route, load },
        progress: null,
        emptyFirst: load === 'full' && wasFilled(def, route.target),
      });
    } else tables.push({ route, progress, emptyFirst: false });
  }
  return { tables, failed };
}

function wasFilled({ filled }: PipelineDef, target: TargetId): boolean {
  return filled.some(({ schema, table }) => schema === target.schema && table === target.table);
}
