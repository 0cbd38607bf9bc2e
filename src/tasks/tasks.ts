import type { Clock } from '../lib/clock.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import { parseJsonObject, stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import { remember, replayed } from './client-tokens.ts';
import type { ConfigProcesses } from './config-processes.ts';
import { checkDeploy } from './deploy-check.ts';
import type { ProcessId, ProjectId, TaskId } from './ids.ts';
import type { Page } from './page.ts';
import { canonical, type PlannedVersions, resultOf } from './planned-versions.ts';
import { AS_SET, jobStartParam } from './job-reader.ts';
import type { RunControl } from './run-control.ts';
import { invalid, readCreateParam, readUpdateParam } from './script-reader.ts';
import { solutionDetail } from './solution-detail.ts';
import { readStartParam } from './start-param.ts';
import type { WantedTask } from './task-definition.ts';
import { TaskError } from './task-error.ts';
import { mustBeFree, mustBeServed, mustResolve, taskOf, unknownTask } from './task-lookup.ts';
import type {
  Caller,
  GenerateRequest,
  Idempotence,
  InstanceInfo,
  ProcessState,
  SolutionDetail,
  TaskService,
  TaskType,
  TaskUse,
} from './task-service.ts';
import { moveTask } from './task-state.ts';
import type { ProcessRecord, TaskRecord, TaskRecords, TaskStore } from './task-store.ts';
import type { Turns } from './turns.ts';

type TaskCall = { readonly taskType: TaskType; readonly task: TaskId };

export interface TasksOptions {
  readonly store: TaskStore;
  readonly versions: PlannedVersions;
  readonly processes: ConfigProcesses;
  readonly runs: RunControl;
  readonly clock: Clock;
  /** Shared with all that changes tasks. */
  readonly turns: Turns;
}

/** The life of sync tasks: plans, versions, deployment. What runs is the business of RunControl. */
export class Tasks implements TaskService {
  readonly #options: TasksOptions;
  readonly #turns: Turns;

  constructor(options: TasksOptions) {
    this.#options = options;
    this.#turns = options.turns;
  }

  async generateForCreating(caller: Caller, { taskType, taskParam, idempotence }: GenerateRequest): Promise<ProcessId> {
    mustBeGenerated(taskType);
    const wanted = readCreateParam(taskParam);
    return this.#generate(caller, taskType, null, idempotence, async (records) => {
      if (wanted.name !== null) await mustBeFree(records, caller.project, wanted.name, 'TaskParam.setting.name');
      return { wanted, baseVersion: 0 };
    });
  }

  async generateForUpdating(
    caller: Caller,
    { taskType, taskParam, task: id, idempotence }: GenerateRequest & { task: TaskId },
  ): Promise<ProcessId> {
    mustBeGenerated(taskType);
    return this.#generate(caller, taskType, id, idempotence, async (records) => {
      const task = await taskOf(records, caller.project, taskType, id);
      const { definition } = await records.version(id, task.saved);
      return { wanted: readUpdateParam(taskParam, definition), baseVersion: task.saved };
    });
  }

  async processResult(
    { project }: Caller,
    { taskType, process: id, waitMs }: { taskType: TaskType; process: ProcessId; waitMs: number },
  ): Promise<ProcessState> {
    mustBeServed(taskType);
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
    caller: Caller,
    request: {
      taskType: TaskType;
      name: string;
      taskContent: string;
      taskParam: string | null;
      idempotence: Idempotence | null;
    },
  ): Promise<TaskId> {
    const { project, user } = caller;
    const { taskType, name, taskContent, taskParam, idempotence } = request;
    mustBeServed(taskType);
    const { store } = this.#options;
    return this.#turns.take(`create ${project} ${name} ${idempotence?.token ?? ''}`, async () => {
      const known = await store.transaction((records) => replayed(records, project, idempotence));
      if (known !== null) return known as TaskId;
      await store.transaction((records) => mustBeFree(records, project, name, 'TaskName'));
      const planned = await this.#options.versions.of(caller, null, 0, taskContent);
      return store.transaction(async (records) => {
        const answered = await replayed(records, project, idempotence);
        if (answered !== null) return answered as TaskId;
        await mustBeFree(records, project, name, 'TaskName');
        const definition = { ...planned.definition, name: planned.definition.name ?? name };
        const settings = taskParam ?? '{}';
        const folder = folderOf(settings);
        const task = { project, name, type: taskType, settings, folder, creator: user };
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
    caller: Caller,
    request: { taskType: TaskType; task: TaskId; taskContent: string | null; taskParam: string | null },
  ): Promise<void> {
    const { project, user } = caller;
    const { taskType, task: id, taskContent, taskParam } = request;
    const { store, clock } = this.#options;
    await this.#turns.take(`task ${id}`, async () => {
      const before = await store.transaction(async (records) => {
        const task = await taskOf(records, project, taskType, id);
        return { task, saved: await records.version(id, task.saved) };
      });
      const isSame =
        taskContent === null || taskContent === '' || canonical(taskContent) === canonical(before.saved.content);
      const planned = isSame
        ? null
        : await this.#options.versions.of(caller, before.task, before.task.saved, taskContent);
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
          editor: user,
          editedAt: clock.now(),
          ...(planned === null ? {} : { saved: version }),
          ...(taskParam === null || taskParam === '' ? {} : { settings: taskParam }),
        });
      };
      await withCrashPoints('version saved', () => store.transaction(save));
    });
  }

  async content({ project }: Caller, { taskType, task: id }: TaskCall): Promise<string> {
    mustBeServed(taskType);
    const content = await this.#options.store.transaction((records) => records.savedContent(project, taskType, id));
    if (content === null) throw unknownTask(id);
    return content;
  }

  async solution({ project }: Caller, id: TaskId): Promise<SolutionDetail> {
    const { store, runs } = this.#options;
    const { task, saved } = await store.transaction(async (records) => {
      const found = await taskOf(records, project, 'DI_SOLUTION', id);
      return { task: found, saved: await records.version(id, found.saved) };
    });
    return solutionDetail(task, saved.definition, await runs.info(task, saved));
  }

  async deploy(caller: Caller, { taskType, task: id }: TaskCall): Promise<void> {
    const { store, runs, clock } = this.#options;
    await this.#turns.take(`task ${id}`, async () => {
      const save = async (records: TaskRecords) => {
        const found = await taskOf(records, caller.project, taskType, id);
        const { definition } = await records.version(id, found.saved);
        for (const name of [definition.sourceName, definition.sinkName]) await mustResolve(records, caller, name);
        await checkDeploy(records, found);
        const state = moveTask(found.state, 'deploy', id);
        // What was finished was another version.
        const isNew = found.deployed !== found.saved;
        await records.updateTask(id, {
          deployed: found.saved,
          submittedAt: clock.now(),
          state,
          ...(isNew ? { finishedAt: null } : {}),
        });
        return { ...found, deployed: found.saved, state };
      };
      const task = await withCrashPoints('deploy saved', () => store.transaction(save));
      if (task.state === 'RUN') await runs.apply(task);
    });
  }

  async start(
    { project, user }: Caller,
    { taskType, task: id, startParam }: TaskCall & { startParam: string | null },
  ): Promise<void> {
    const given = taskType === 'DI_SOLUTION' ? null : startParamOf(startParam);
    await this.#turns.take(`task ${id}`, async () => {
      const { task, settings } = await this.#options.store.transaction(async (records) => ({
        task: await taskOf(records, project, taskType, id),
        settings: (await records.lastJobSpec(id))?.JobSettings ?? null,
      }));
      const param = given ?? jobStartParam(settings, AS_SET);
      if (task.state === 'RUN') {
        if (task.startParam !== param)
          throw new TaskError(
            'wrong-state',
            'Task.WrongState',
            `fileId:[${id}] is running with another StartParam: stop first, then start with the new one.`,
          );
        return;
      }
      await this.#options.runs.start(task, param, user);
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

  async using(
    { project }: Caller,
    request: { taskType: TaskType; dataSource: string; end: 'source' | 'sink'; page: Page },
  ): Promise<readonly TaskUse[]> {
    const { taskType, dataSource, end, page } = request;
    const filter = { types: [taskType], ...(end === 'source' ? { sourceName: dataSource } : { sinkName: dataSource }) };
    const { rows } = await this.#options.store.transaction((records) => records.listTasks(project, filter, page));
    return rows.map(({ id, name, type, sourceName, sinkName }) => ({ id, name, type, sourceName, sinkName }));
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
    { project, user }: Caller,
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
      const row = { project, user, type, task, baseVersion, input: stringifyJson(wanted as unknown as Json) };
      const id = await records.insertProcess(row);
      await remember(records, project, idempotence, id);
      return { id, process: { ...row, id, state: 'running', result: null, message: null } };
    };
    const made = await withCrashPoints('process accepted', () => store.transaction(accept));
    if (made.process !== null) processes.add(made.process);
    return made.id;
  }
}

/** Checked, and in one spelling; null when it says nothing. Errors: TaskError `invalid`. */
function startParamOf(text: string | null): string | null {
  readStartParam(text);
  return text === null || text.trim() === '' ? null : canonical(text);
}

function folderOf(settings: string): string {
  const folder = parseJsonObject(settings)['FileFolderPath'];
  return typeof folder === 'string' ? folder.replace(/\/+$/, '') : '';
}

function mustBeGenerated(type: TaskType): void {
  if (type === 'DI_OFFLINE')
    throw invalid('TaskType DI_OFFLINE cannot be generated: batch tasks are updated with UpdateDISyncTask');
}
