import type { RunStatus } from '../engine/engine.ts';
import type { TableProgress } from '../pipeline/checkpoint.ts';
import { tableKey } from '../pipeline/table.ts';
import type { DefinedTable } from './task-definition.ts';
import type { InstanceStatus, SolutionRun, SolutionStep, StepStatus, StepTable } from './task-service.ts';

export interface SolutionStanding {
  readonly status: InstanceStatus;
  /** True when the run ended by itself. */
  readonly hasFailed: boolean;
  /** As the engine or the last checkpoint knows it. */
  readonly run: RunStatus | null;
  /** Of the deployed version, or of the saved one while none is. */
  readonly tables: readonly DefinedTable[];
}

/** How a solution stands, from its plan and its run. */
export function solutionRun(standing: SolutionStanding): Pick<SolutionRun, 'status' | 'steps'> {
  const { status, hasFailed } = standing;
  const isUp = status === 'RUN' || status === 'KILLING';
  return { status: hasFailed ? 'fail' : isUp ? 'run' : 'wait', steps: stepsOf(standing) };
}

/**
 * A table that failed fails the step that it was in; tables that are not loaded are not in the step that loads.
 */
function stepsOf({ status, hasFailed, run, tables }: SolutionStanding): readonly SolutionStep[] {
  const isActive = status === 'RUN' || status === 'WAIT';
  const progress = new Map((run?.tables ?? []).map((table) => [tableKey(table.table), table]));
  const stood = tables.map((table) => ({ table, at: placeOf(progress.get(tableKey(table.table)), table) }));
  const loaded = stood.filter(({ table }) => table.load === 'full');
  const rowsOf = ({ table }: DefinedTable) => progress.get(tableKey(table))?.rows ?? 0;
  const steps = [
    {
      kind: 'structure',
      tables: stood.map(({ table, at }) => ({ name: targetName(table), status: at.structure, rows: null })),
    },
    {
      kind: 'load',
      tables: loaded.map(({ table, at }) => ({ name: sourceName(table), status: at.load, rows: rowsOf(table) })),
    },
    {
      kind: 'stream',
      tables: stood.map(({ table, at }) => ({ name: sourceName(table), status: at.stream, rows: null })),
    },
  ] as const;
  const shown = steps.map(({ kind, tables: own }) => {
    const standing = own.map((table) =>
      isActive || table.status !== 'run' ? table : { ...table, status: 'wait' as const },
    );
    return { kind, tables: standing, status: together(standing, isActive) };
  });
  // Nothing is to be loaded: that is done as soon as there are targets.
  const settled = shown.map((step) =>
    step.tables.length > 0 || shown[0]?.status === 'success' ? step : { ...step, status: 'wait' as const },
  );
  return hasFailed ? failFirstUnfinished(settled) : settled;
}

type Place = Readonly<Record<SolutionStep['kind'], StepStatus>>;

function placeOf(progress: TableProgress | undefined, { load }: DefinedTable): Place {
  const prepared = { structure: 'success', load: 'wait', stream: 'wait' } as const;
  switch (progress?.state) {
    case undefined:
    case 'REMOVED': // it left with an earlier version, and comes back
      return { structure: 'run', load: 'wait', stream: 'wait' };
    case 'WAITING':
      return prepared;
    case 'SNAPSHOTTING':
      return { ...prepared, load: 'run' };
    case 'STREAMING':
    case 'PAUSED':
      return { ...prepared, load: 'success', stream: 'run' };
    case 'FAILED':
      return failedAt(progress as TableProgress, load);
  }
}

/** One whose target could not be made has no chunk to load yet. */
function failedAt({ chunksDone, chunksAll }: TableProgress, load: DefinedTable['load']): Place {
  if (load === 'none' || (chunksAll > 0 && chunksDone === chunksAll))
    return { structure: 'success', load: 'success', stream: 'fail' };
  return chunksAll === 0
    ? { structure: 'fail', load: 'wait', stream: 'wait' }
    : { structure: 'success', load: 'fail', stream: 'wait' };
}

/** A step runs while one of its tables does, or has some done and some to come; it fails when nothing else is to come. */
function together(tables: readonly StepTable[], isActive: boolean): StepStatus {
  const has = (status: StepStatus) => tables.some((table) => table.status === status);
  if (has('run')) return 'run';
  if (has('wait')) return isActive && has('success') ? 'run' : 'wait';
  return has('fail') ? 'fail' : 'success';
}

function failFirstUnfinished(steps: readonly SolutionStep[]): readonly SolutionStep[] {
  const first = steps.findIndex(({ status }) => status !== 'success');
  return steps.map((step, index) => (index === first ? { ...step, status: 'fail' } : step));
}

function sourceName({ table }: DefinedTable): string {
  return `${table.database}.${table.table}`;
}

/** Kafka's targets have no schema. */
function targetName({ target }: DefinedTable): string {
  return target.schema === '' ? target.table : `${target.schema}.${target.table}`;
}
