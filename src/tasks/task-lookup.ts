import { resolveEnabled } from './connections.ts';
import type { ProjectId, TaskId } from './ids.ts';
import { TaskError } from './task-error.ts';
import type { Caller, TaskType } from './task-service.ts';
import type { TaskRecord, TaskRecords } from './task-store.ts';

/** Errors: TaskError `not-built` for batch tasks, which are still to come. */
export function mustBeServed(type: TaskType): void {
  if (type === 'DI_OFFLINE')
    throw new TaskError(
      'not-built',
      'Task.NotBuilt',
      'TaskType DI_OFFLINE: batch tasks are not there yet; DI_REALTIME and DI_SOLUTION are.',
    );
}

/** Errors: TaskError `not-found`, the same for an unknown task, one of another project, and one of another type. */
export async function taskOf(
  records: TaskRecords,
  project: ProjectId,
  type: TaskType,
  id: TaskId,
): Promise<TaskRecord> {
  mustBeServed(type);
  const task = await records.task(project, id);
  if (task === null || task.type !== type) throw unknownTask(id);
  return task;
}

/** Errors: TaskError `not-found`, the same for an unknown task and one of a project that is not among these. */
export async function taskWithin(
  records: TaskRecords,
  projects: readonly ProjectId[],
  id: TaskId,
): Promise<TaskRecord> {
  for (const project of projects) {
    const task = await records.task(project, id);
    if (task !== null) return task;
  }
  throw new TaskError('not-found', 'Job.NotFound', `DIJobId:[${id}] is invalid.`);
}

/** Says no more than that: not whether another project, or another type, has it. */
export function unknownTask(id: TaskId): TaskError {
  return new TaskError('not-found', 'Task.NotFound', `fileId:[${id}] is invalid.`);
}

export async function mustBeFree(records: TaskRecords, project: ProjectId, name: string, where: string): Promise<void> {
  if ((await records.taskNamed(project, name)) !== null)
    throw new TaskError('name-taken', 'Task.NameTaken', `${where}: a task named ${name} exists. Choose another name.`);
}

/** A data source that was deleted or disabled meanwhile is noticed before anything changes. */
export async function mustResolve(records: TaskRecords, { project, user }: Caller, name: string): Promise<void> {
  try {
    await resolveEnabled(records, project, name, { user });
  } catch (error) {
    if (error instanceof TaskError) throw new TaskError('wrong-state', error.code, error.message);
    throw error;
  }
}
