import { canonicalJson, JsonError, parseJson } from '../lib/json.ts';
import type { ProcessId } from './ids.ts';
import { PlanFailure } from './plan-task.ts';
import type { Planner } from './planner.ts';
import { invalid, readContent, readPlanMark } from './script-reader.ts';
import type { WantedTask } from './task-definition.ts';
import { TaskError } from './task-error.ts';
import type { Caller } from './task-service.ts';
import type { ProcessRecord, ProcessResult, TaskRecord, TaskStore, VersionRecord } from './task-store.ts';

/** Finds or plans the version that a TaskContent stands for. */
export class PlannedVersions {
  readonly #options: { readonly store: TaskStore; readonly planner: Planner };

  constructor(options: { readonly store: TaskStore; readonly planner: Planner }) {
    this.#options = options;
  }

  /**
   * The version that a content stands for: the plan it came from, if it is that plan's content and the saved version is
   * still the one it was planned against; content edited by hand, or made elsewhere, is planned anew.
   */
  async of(
    { project, user }: Caller,
    task: TaskRecord | null,
    baseVersion: number,
    content: string,
  ): Promise<Pick<VersionRecord, 'definition' | 'shown'>> {
    const { store, planner } = this.#options;
    const mark = readPlanMark(content);
    const process =
      mark === null
        ? null
        : await store.transaction((records) => records.process(project, mark.processId as ProcessId));
    if (process?.state === 'success' && process.task === (task?.id ?? null)) {
      const result = resultOf(process);
      if (process.baseVersion !== baseVersion) throw await this.#stale(task, process.baseVersion, baseVersion);
      if (canonical(result.content) === canonical(content)) return result;
    }
    const wanted = readContent(content);
    const changed = task === null ? null : await this.#fixedParts(task, wanted);
    if (changed !== null) throw invalid(changed);
    try {
      return await planner.plan({ project, user, wanted, task: task?.id ?? null, baseVersion, processId: null });
    } catch (error) {
      if (!(error instanceof PlanFailure)) throw error;
      throw new TaskError('stale', 'Task.ContentInvalid', `TaskContent cannot be used: ${error.message}`);
    }
  }

  /** What an update cannot change; null when nothing of it changed. */
  async #fixedParts(task: TaskRecord, wanted: WantedTask): Promise<string | null> {
    const { definition } = await this.#options.store.transaction((records) => records.version(task.id, task.saved));
    if (wanted.route !== definition.route) return `TaskContent: the route cannot be changed from ${definition.route}`;
    if (wanted.sourceName !== definition.sourceName)
      return `TaskContent: the source cannot be changed from ${definition.sourceName}`;
    return wanted.sinkName === definition.sinkName
      ? null
      : `TaskContent: the destination cannot be changed from ${definition.sinkName}`;
  }

  async #stale(task: TaskRecord | null, planned: number, saved: number): Promise<TaskError> {
    const versions =
      task === null
        ? []
        : await this.#options.store.transaction((records) => records.versions(task.id, planned, saved));
    const changes = versions
      .map(({ version, shown }) => `version ${version} added ${names(shown.added)} and removed ${names(shown.removed)}`)
      .join('; ');
    return new TaskError(
      'stale',
      'Task.Stale',
      `TaskContent was planned against version ${planned}, and the saved version is ${saved}: ${changes}. Generate again, and update with the new content.`,
    );
  }
}

function names(keys: readonly string[]): string {
  return keys.length === 0 ? 'none' : keys.map((key) => key.replace('\0', '.')).join(', ');
}

/** Errors: TaskError `invalid` for what is not JSON. */
export function canonical(text: string): string {
  try {
    return canonicalJson(parseJson(text));
  } catch (error) {
    if (error instanceof JsonError) throw invalid(`not JSON: ${error.message}`);
    throw error;
  }
}

export function resultOf(process: ProcessRecord): ProcessResult {
  if (process.result === null) throw new Error(`process ${process.id} succeeded without a result`);
  return process.result;
}
