import { tableKey } from '../pipeline/table.ts';
import { TaskError } from './task-error.ts';
import type { TaskRecord, TaskRecords } from './task-store.ts';

/**
 * Compares what would be deployed with what runs. Every table that would leave, or be loaded again, must have been shown
 * by the plan of a version saved since. Errors: TaskError `wrong-state` naming those that were not.
 */
export async function checkDeploy(records: TaskRecords, task: TaskRecord): Promise<void> {
  if (task.deployed === null || task.deployed === task.saved) return;
  const running = await records.version(task.id, task.deployed);
  const versions = await records.versions(task.id, task.deployed, task.saved);
  const next = versions.at(-1);
  if (next === undefined) return;
  const after = new Map(next.definition.tables.map((table) => [tableKey(table.table), table]));
  const shown = new Set(versions.flatMap(({ shown: { removed } }) => removed));
  const unshown = running.definition.tables.filter(({ table, since }) => {
    const kept = after.get(tableKey(table));
    return (kept === undefined || kept.since !== since) && !shown.has(tableKey(table));
  });
  if (unshown.length === 0) return;
  const names = unshown.map(({ table }) => `${table.database}.${table.table}`).join(', ');
  throw new TaskError(
    'wrong-state',
    'Task.DeployUnshown',
    `submit and deploy fail: it would remove or reload ${names}, which no plan showed. Generate and update again.`,
  );
}
