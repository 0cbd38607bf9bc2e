import type { RunStatus } from '../engine/engine.ts';
import type { Failure, TableProgress } from '../pipeline/checkpoint.ts';
import type { InstanceInfo, InstanceStatus } from './task-service.ts';
import type { TaskRecord } from './task-store.ts';

/** What GetDISyncInstanceInfo says: never RUN for a run that stands still, and always why. */
export function instanceInfo(
  task: TaskRecord,
  run: RunStatus | null,
  isStopping: boolean,
): Omit<InstanceInfo, 'solution'> {
  const status = statusOf(task, run, isStopping);
  const isStill = status === 'PAUSE' || status === 'NORUN';
  return {
    name: task.name,
    status,
    message: messageOf(task, run, status),
    appliedVersion: run === null || run.appliedVersion === 0 ? null : run.appliedVersion,
    deployedVersion: task.deployed,
    run: run === null || !isStill ? run : { ...run, tables: run.tables.map(standing) },
  };
}

function statusOf({ state }: TaskRecord, run: RunStatus | null, isStopping: boolean): InstanceStatus {
  if (isStopping) return 'KILLING';
  switch (state) {
    case 'SAVED':
    case 'NORUN':
      return 'NORUN';
    case 'PAUSE':
      return 'PAUSE';
    case 'RUN':
      if (run === null || run.phase === 'starting') return 'WAIT';
      if (run.phase === 'stopping') return 'KILLING';
      return run.phase === 'failed' || run.phase === 'stopped' ? 'PAUSE' : 'RUN';
  }
}

function messageOf(
  { state, failure, deployed, finishedAt }: TaskRecord,
  run: RunStatus | null,
  status: InstanceStatus,
): string | null {
  if (state === 'SAVED') return 'The task is saved and not deployed.';
  if (state === 'NORUN') return null;
  if (status === 'PAUSE') {
    const reason = failure ?? run?.failure ?? null;
    if (reason !== null) return describeFailure(reason);
    return finishedAt === null ? 'The task was stopped.' : 'The task is finished: its tables are loaded.';
  }
  if (run === null) return null;
  if (run.phase === 'backing-off' && run.failure !== null) {
    const next = run.nextTryAt === null ? '' : ` The next try is at ${new Date(run.nextTryAt).toISOString()}.`;
    return `${describeFailure(run.failure)}${next}`;
  }
  const failed = run.tables.filter((table) => table.state === 'FAILED');
  if (failed.length > 0)
    return `${failed.length === 1 ? 'A table' : `${failed.length} tables`} failed, the others flow: ${failed.map(describeTableFailure).join(' | ')}`;
  return deployed !== null && run.appliedVersion !== deployed ? `Version ${deployed} is being applied.` : null;
}

export function describeFailure({ code, message, remedy }: Failure): string {
  return `${code}: ${message}${/[.!?]$/.test(message) ? '' : '.'}${remedy === null ? '' : ` ${remedy}`}`;
}

function describeTableFailure({ table, failure }: TableProgress): string {
  return `${table.database}.${table.table}: ${failure === null ? 'no reason is known' : describeFailure(failure)}`;
}

/** A run that stands still shows its tables as standing still; those that failed or left stay what they are. */
function standing(progress: TableProgress): TableProgress {
  return progress.state === 'FAILED' || progress.state === 'REMOVED' ? progress : { ...progress, state: 'PAUSED' };
}
