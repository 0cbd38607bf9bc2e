import type { CheckpointStore, Engine } from '../engine/engine.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import { canonicalJson, JsonError, parseJson, stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { remember, replayed } from './client-tokens.ts';
import { type ConfigProcesses } from './config-processes.ts';
import { resolveDataSource } from './connections.ts';
import { checkDeploy } from './deploy-check.ts';
import type { ProcessId, ProjectId, TaskId } from './ids.ts';
import { PlanFailure } from './plan-task.ts';
import type { Planner } from './planner.ts';
import type { RunControl } from './run-control.ts';
import { invalid, readContent, readCreateParam, readPlanMark, readUpdateParam } from './script-reader.ts';
import { readStartParam } from './start-param.ts';
import type { WantedTask } from './task-definition.ts';
import { TaskError } from './task-error.ts';
import type {
  Caller,
  GenerateRequest,
  Idempotence,
  InstanceInfo,
  ProcessState,
  TaskService,
  TaskType,
} from './task-service.ts';
import { moveTask } from './task-state.ts';
import type { ProcessRecord, ProcessResult, TaskRecord, TaskRecords, TaskStore, VersionRecord } from './task-store.ts';
import { Turns } from './turns.ts';

type TaskCall = { readonly taskType: TaskType; readonly task: TaskId };

export interface TasksOptions {
  readonly store: TaskStore;
  readonly planner: Planner;
  readonly processes: ConfigProcesses;
  readonly runs: RunControl;
  readonly engine: Engine;
  readonly checkpoints: CheckpointStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The life of sync tasks: plans, versions, deployment. What runs is the business of RunControl. */
export class Tasks implements TaskService {
  readonly #options: TasksOptions;
  readonly #turns = new Turns();

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  async generateForCreating(
    { project }: Caller,
    { taskType, taskParam, idempotence }: GenerateRequest,
  ): Promise<ProcessId> {
    mustBeServed(taskType, 'generate');
    const wanted = readCreateParam(taskParam);
    return this.#generate(project, taskType, null, idempotence, async (records) => {
      if (wanted.name !== null) await mustBeFree(records, project, wanted.name, 'TaskParam.setting.name');
      return { wanted, baseVersion: 0 };
    });
  }

  async generateForUpdating(
    { project }: Caller,
    { taskType, taskParam, task: id, idempotence }: GenerateRequest & { task: TaskId },
  ): Promise<ProcessId> {
    mustBeServed(taskType, 'generate');
    return this.#generate(project, taskType, id, idempotence, async (records) => {
      const task = await taskOf(records, project, taskType, id);
      const { definition } = await records.version(id, task.saved);
      return { wanted: readUpdateParam(taskParam, definition), baseVersion: task.saved };
    });
  }

  async processResult(
    { project }: Caller,
    { taskType, process: id, waitMs }: { taskType: TaskType; process: ProcessId; waitMs: number },
  ): Promise<ProcessState> {
    const { store, processes } = this.#options;
    const find = () => store.transaction((records) => records.process(project, id));
    let process = await find();
    if (process === null || process.type !== taskType)
      throw new TaskError('not-found', 'Process.NotFound', `processId:[${id}] is invalid.`);
    if (process.state === 'running') {
      await processes.wait(id, waitMs);
      process = (await find()) ?? process;
    }
    switch (process.state) {
      case 'running':
        return { kind: 'running' };
      case 'fail':
        return {
          kind: 'fail',
          message: `${process.message ?? ''} Generate again with a new ClientToken once it is corrected.`,
        };
      case 'success': {
        const { content, plan, message } = resultOf(process);
        return { kind: 'success', taskContent: content, plan, message };
      }
    }
  }

  async create(
    { project }: Caller,
    request: {
      taskType: TaskType;
      name: string;
      taskContent: string;
      taskParam: string | null;
      idempotence: Idempotence | null;
    },
  ): Promise<TaskId> {
    const { taskType, name, taskContent, taskParam, idempotence } = request;
    mustBeServed(taskType, 'create');
    const { store } = this.#options;
    return this.#turns.take(`create ${project} ${name} ${idempotence?.token ?? ''}`, async () => {
      const known = await store.transaction((records) => replayed(records, project, idempotence));
      if (known !== null) return known as TaskId;
      await store.transaction((records) => mustBeFree(records, project, name, 'TaskName'));
      const planned = await this.#versionOf(project, null, 0, taskContent);
      return store.transaction(async (records) => {
        const answered = await replayed(records, project, idempotence);
        if (answered !== null) return answered as TaskId;
        await mustBeFree(records, project, name, 'TaskName');
        const definition = { ...planned.definition, name: planned.definition.name ?? name };
        const task = {
          project,
          name,
          type: taskType,
          settings: taskParam ?? '{}',
          state: 'SAVED',
          saved: 1,
          deployed: null,
          incarnation: null,
          startParam: null,
          failure: null,
        } as const;
        const id = await records.insertTask(task, {
          version: 1,
          definition,
          content: taskContent,
          shown: planned.shown,
        });
        await remember(records, project, idempotence, id);
        return id;
      });
    });
  }

  async update(
    { project }: Caller,
    request: { taskType: TaskType; task: TaskId; taskContent: string | null; taskParam: string | null },
  ): Promise<void> {
    const { taskType, task: id, taskContent, taskParam } = request;
    mustBeServed(taskType, 'update');
    const { store } = this.#options;
    await this.#turns.take(`task ${id}`, async () => {
      const before = await store.transaction(async (records) => {
        const task = await taskOf(records, project, taskType, id);
        return { task, saved: await records.version(id, task.saved) };
      });
      const isSame =
        taskContent === null || taskContent === '' || canonical(taskContent) === canonical(before.saved.content);
      const planned = isSame ? null : await this.#versionOf(project, before.task, before.task.saved, taskContent);
      const save = async (records: TaskRecords) => {
        const version = before.task.saved + 1;
        if (planned !== null && taskContent !== null)
          await records.insertVersion(id, {
            version,
            definition: planned.definition,
            content: taskContent,
            shown: planned.shown,
          });
        await records.updateTask(id, {
          ...(planned === null ? {} : { saved: version }),
          ...(taskParam === null || taskParam === '' ? {} : { settings: taskParam }),
        });
      };
      await withCrashPoints('version saved', () => store.transaction(save));
    });
  }

  async content({ project }: Caller, { taskType, task: id }: TaskCall): Promise<string> {
    return this.#options.store.transaction(async (records) => {
      const task = await taskOf(records, project, taskType, id);
      return (await records.version(id, task.saved)).content;
    });
  }

  async deploy({ project }: Caller, { taskType, task: id }: TaskCall): Promise<void> {
    const { store, runs } = this.#options;
    await this.#turns.take(`task ${id}`, async () => {
      const save = async (records: TaskRecords) => {
        const found = await taskOf(records, project, taskType, id);
        const { definition } = await records.version(id, found.saved);
        for (const name of [definition.sourceName, definition.sinkName]) await mustResolve(records, project, name);
        await checkDeploy(records, found);
        const state = moveTask(found.state, 'deploy', id);
        await records.updateTask(id, { deployed: found.saved, state });
        return { ...found, deployed: found.saved, state };
      };
      const task = await withCrashPoints('deploy saved', () => store.transaction(save));
      if (task.state === 'RUN') await runs.apply(task);
    });
  }

  async start(
    { project }: Caller,
    { taskType, task: id, startParam }: TaskCall & { startParam: string | null },
  ): Promise<void> {
    readStartParam(startParam);
    const given = startParam === null || startParam.trim() === '' ? null : canonical(startParam);
    await this.#turns.take(`task ${id}`, async () => {
      const task = await this.#find(project, taskType, id);
      if (task.state === 'RUN') {
        if (task.startParam !== given)
          throw new TaskError(
            'wrong-state',
            'Task.WrongState',
            `fileId:[${id}] is running with another StartParam: stop first, then start with the new one.`,
          );
        return;
      }
      await this.#options.runs.start(task, given);
    });
  }

  async stop({ project }: Caller, { taskType, task: id }: TaskCall): Promise<void> {
    await this.#turns.take(`task ${id}`, async () => this.#options.runs.stop(await this.#find(project, taskType, id)));
  }

  async terminate({ project }: Caller, { taskType, task: id }: TaskCall): Promise<void> {
    await this.#turns.take(`task ${id}`, async () =>
      this.#options.runs.terminate(await this.#find(project, taskType, id)),
    );
  }

  async info({ project }: Caller, { taskType, task: id }: TaskCall): Promise<InstanceInfo> {
    return this.#options.runs.info(await this.#find(project, taskType, id));
  }

  async delete({ project }: Caller, { taskType, task: id }: TaskCall): Promise<void> {
    await this.#turns.take(`task ${id}`, async () => {
      const task = await this.#find(project, taskType, id);
      moveTask(task.state, 'delete', id);
      await this.#options.runs.forget(task);
      await this.#options.store.transaction((records) => records.deleteTask(id));
    });
  }

  async #find(project: ProjectId, type: TaskType, id: TaskId): Promise<TaskRecord> {
    return this.#options.store.transaction((records) => taskOf(records, project, type, id));
  }

  /** A durable row before the caller hears its id (decision 4). */
  async #generate(
    project: ProjectId,
    type: TaskType,
    task: TaskId | null,
    idempotence: Idempotence | null,
    read: (records: TaskRecords) => Promise<{ wanted: WantedTask; baseVersion: number }>,
  ): Promise<ProcessId> {
    const { store, processes } = this.#options;
    const accept = async (records: TaskRecords): Promise<{ id: ProcessId; process: ProcessRecord | null }> => {
      const known = await replayed(records, project, idempotence);
      if (known !== null) return { id: known as ProcessId, process: null };
      const { wanted, baseVersion } = await read(records);
      const row = { project, type, task, baseVersion, input: stringifyJson(wanted as unknown as Json) };
      const id = await records.insertProcess(row);
      await remember(records, project, idempotence, id);
      return { id, process: { ...row, id, state: 'running', result: null, message: null } };
    };
    const made = await withCrashPoints('process accepted', () => store.transaction(accept));
    if (made.process !== null) processes.add(made.process);
    return made.id;
  }

  /**
   * The version that a content stands for: the plan it came from, if it is that plan's content and the saved version is
   * still the one it was planned against; content edited by hand, or made elsewhere, is planned anew.
   */
  async #versionOf(
    project: ProjectId,
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
      return await planner.plan({ project, wanted, task: task?.id ?? null, baseVersion, processId: null });
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

function canonical(text: string): string {
  try {
    return canonicalJson(parseJson(text));
  } catch (error) {
    if (error instanceof JsonError) throw invalid(`not JSON: ${error.message}`);
    throw error;
  }
}

function resultOf(process: ProcessRecord): ProcessResult {
  if (process.result === null) throw new Error(`process ${process.id} succeeded without a result`);
  return process.result;
}

async function taskOf(records: TaskRecords, project: ProjectId, type: TaskType, id: TaskId): Promise<TaskRecord> {
  const task = await records.task(project, id);
  if (task === null || task.type !== type)
    throw new TaskError('not-found', 'Task.NotFound', `fileId:[${id}] is invalid.`);
  return task;
}

async function mustBeFree(records: TaskRecords, project: ProjectId, name: string, where: string): Promise<void> {
  if ((await records.taskNamed(project, name)) !== null)
    throw new TaskError('name-taken', 'Task.NameTaken', `${where}: a task named ${name} exists. Choose another name.`);
}

/** A data source that was deleted meanwhile is noticed before anything changes. */
async function mustResolve(records: TaskRecords, project: ProjectId, name: string): Promise<void> {
  try {
    await resolveDataSource(records, project, name);
  } catch (error) {
    if (error instanceof TaskError) throw new TaskError('wrong-state', error.code, error.message);
    throw error;
  }
}

function mustBeServed(type: TaskType, call: 'generate' | 'create' | 'update'): void {
  if (type === 'DI_REALTIME') return;
  if (type === 'DI_OFFLINE' && call === 'generate')
    throw invalid('TaskType DI_OFFLINE cannot be generated: batch tasks are updated with UpdateDISyncTask');
  throw new TaskError('not-built', 'Task.NotBuilt', `TaskType ${type} is not there yet; DI_REALTIME is.`);
}
