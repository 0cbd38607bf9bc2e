import { randomUUID } from 'node:crypto';
import type { CheckpointStore, Engine, RunListener, RunStatus } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import { messageOf } from '../lib/errors.ts';
import { stringifyJson } from '../lib/json.ts';
import type { Logger } from '../lib/log.ts';
import type { CheckpointOwner, Failure } from '../pipeline/checkpoint.ts';
import type { PipelineDef } from '../pipeline/pipeline-def.ts';
import { type DdlPolicies, DEFAULT_DDL_POLICIES } from '../pipeline/policies.ts';
import type { TargetId } from '../pipeline/route.ts';
import type { TaskId } from './ids.ts';
import { instanceInfo } from './instance-info.ts';
import type { EndsUse, Planner } from './planner.ts';
import { projectDdlPolicies } from './project-configs.ts';
import { solutionRun } from './solution-steps.ts';
import { readStartParam } from './start-param.ts';
import { ROUTES, SOURCE_TYPE } from './task-definition.ts';
import { TaskError } from './task-error.ts';
import type { InstanceInfo } from './task-service.ts';
import { moveTask } from './task-state.ts';
import type { TaskRecord, TaskRecords, TaskStore, VersionRecord } from './task-store.ts';

export interface RunControlOptions {
  readonly store: TaskStore;
  readonly planner: Planner;
  readonly checkpoints: CheckpointStore;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Starts and ends runs, and remembers durably which tasks are to run: those go on after a restart of the service. */
export class RunControl implements RunListener {
  readonly #options: RunControlOptions;
  readonly #stopping = new Set<TaskId>();
  /** Those that run and are over once their tables are loaded. */
  readonly #loading = new Set<TaskId>();
  /** Of them, those whose run was ended, and what came of it is not saved yet. */
  readonly #ending = new Set<TaskId>();
  #engine: Engine | null = null;

  constructor(options: RunControlOptions) {
    this.#options = options;
  }

  /** The engine is made with this as its listener, so it comes after. */
  attach(engine: Engine): void {
    this.#engine = engine;
  }

  /** `user`: who starts it. */
  async start(task: TaskRecord, startParam: string | null, user: string): Promise<void> {
    const state = moveTask(task.state, 'start', task.id);
    const incarnation = task.incarnation ?? randomUUID();
    const startedAt = this.#options.clock.now();
    const ddlPolicies = await this.#projectDdlPolicies(task);
    const started = {
      state,
      incarnation,
      startParam,
      starter: user,
      startedAt,
      finishedAt: null,
      ddlPolicies,
      failure: null,
    };
    const def = await this.#definition({ ...task, ...started }, { kind: 'begins', user });
    const save = (records: TaskRecords) => records.updateTask(task.id, started);
    await withCrashPoints('start saved', () => this.#options.store.transaction(save));
    if (task.initialLoad === 'only') this.#loading.add(task.id);
    try {
      await this.#engineOrThrow.start(def);
    } catch (error) {
      await this.#pause(task.id, notStarted('Run.NotStarted', error));
      throw error;
    }
  }

  /** Hands a running task its newest deployed version. */
  async apply(task: TaskRecord): Promise<void> {
    await this.#engineOrThrow.apply(await this.#definition(task, { kind: 'goes-on' }));
  }

  async stop(task: TaskRecord): Promise<void> {
    const state = moveTask(task.state, 'stop', task.id);
    const save = (records: TaskRecords) =>
      records.updateTask(task.id, { state, ...(task.state === 'RUN' ? { failure: null } : {}) });
    await withCrashPoints('stop saved', () => this.#options.store.transaction(save));
    this.#forgetLoading(task.id);
    await this.#end(task);
  }

  /** Tasks that are over as far as can be seen from here. */
  loaded(): readonly TaskId[] {
    return [...this.#loading].filter((id) => {
      if (this.#ending.has(id)) return true;
      const run = this.#engine?.status(String(id)) ?? null;
      return run?.phase === 'running' && run.appliedVersion === run.wantedVersion && isLoaded(run);
    });
  }

  /**
   * Ends a run that has loaded all tables, once the checkpoint says so: what is durable is all that counts. A run that is not so
   * far goes on. Whoever is killed in between ends it after its restart.
   */
  async finish(id: TaskId): Promise<void> {
    const task = await this.#options.store.transaction((records) => records.runningTask(id));
    if (task === null) return void this.#ending.delete(id);
    this.#ending.add(id);
    await this.#end(task);
    const known = await this.#lastKnown(task);
    if (known === null || known.appliedVersion !== task.deployed || !isLoaded(known)) {
      await this.#engineOrThrow.resume(await this.#definition(task, { kind: 'goes-on' }));
      this.#ending.delete(id);
      return;
    }
    const finishedAt = this.#options.clock.now();
    const save = async (records: TaskRecords) => {
      // Unless it failed at the last moment.
      if ((await records.runningTask(id)) === null) return;
      await records.updateTask(id, { state: moveTask(task.state, 'stop', id), finishedAt, failure: null });
    };
    await withCrashPoints('finish saved', () => this.#options.store.transaction(save));
    this.#forgetLoading(id);
  }

  #forgetLoading(id: TaskId): void {
    this.#ending.delete(id);
    this.#loading.delete(id);
  }

  /** Stops, undeploys, and forgets the checkpoint: a later start is a first start. */
  async terminate(task: TaskRecord): Promise<void> {
    const state = moveTask(task.state, 'terminate', task.id);
    // At once: whatever is cut short after this, the next start is a first start.
    const forgotten = {
      state,
      deployed: null,
      submittedAt: null,
      startedAt: null,
      finishedAt: null,
      starter: null,
      incarnation: null,
      startParam: null,
      ddlPolicies: null,
      failure: null,
    };
    await this.#options.store.transaction((records) => records.updateTask(task.id, forgotten));
    this.#forgetLoading(task.id);
    await this.#end(task);
    await this.forget(task);
  }

  /** Forgets checkpoints, ours and the sink's. One that cannot be reached belongs to an incarnation that never comes back. */
  async forget(task: TaskRecord): Promise<void> {
    const { store, planner, checkpoints, log } = this.#options;
    await checkpoints.forget(store.installation, String(task.id));
    if (task.incarnation === null) return;
    try {
      const { definition } = await store.transaction((records) =>
        records.version(task.id, task.deployed ?? task.saved),
      );
      const { sink } = await planner.ends(task.project, definition, { kind: 'goes-on' });
      await sink.connector.forget({ settings: sink.settings, installation: store.installation, task: String(task.id) });
    } catch (error) {
      log.warn(
        { task: task.id, message: messageOf(error) },
        'the checkpoint at the sink could not be removed; it is void all the same',
      );
    }
  }

  /** `known`: a version of it that was read already. */
  async info(task: TaskRecord, known: VersionRecord | null = null): Promise<InstanceInfo> {
    const run = this.#engine?.status(String(task.id)) ?? (await this.#lastKnown(task));
    const info = instanceInfo(task, run, this.#stopping.has(task.id));
    if (task.type !== 'DI_SOLUTION') return { ...info, solution: null };
    const version = task.deployed ?? task.saved;
    const { definition } =
      known?.version === version
        ? known
        : await this.#options.store.transaction((records) => records.version(task.id, version));
    // The engine knows it a moment before the store does.
    const hasFailed = info.status === 'PAUSE' && (task.failure !== null || run?.phase === 'failed');
    const solution = solutionRun({ status: info.status, hasFailed, run, tables: definition.tables });
    return { ...info, solution: { id: task.id, creator: task.creator, ...solution } };
  }

  /** What is known without looking for a checkpoint or a plan: enough for a list. */
  glance(task: TaskRecord): InstanceInfo {
    const run = this.#engine?.status(String(task.id)) ?? null;
    return { ...instanceInfo(task, run, this.#stopping.has(task.id)), solution: null };
  }

  /** Whether a start goes on from a checkpoint, whatever its StartParam says of where to begin. */
  async hasCheckpoint(task: TaskRecord): Promise<boolean> {
    return (await this.#lastKnown(task)) !== null;
  }

  /** Starts every task that was running when the service ended. */
  async resumeAll(): Promise<void> {
    const tasks = await this.#options.store.transaction((records) => records.runningTasks());
    for (const task of tasks) {
      if (task.initialLoad === 'only') this.#loading.add(task.id);
      try {
        await this.#engineOrThrow.resume(await this.#definition(task, { kind: 'goes-on' }));
      } catch (error) {
        await this.#pause(task.id, notStarted('Run.NotResumed', error));
      }
    }
  }

  onFailed(owner: CheckpointOwner, failure: Failure): void {
    this.#options.log.error(
      { task: owner.task, code: failure.code, message: failure.message, remedy: failure.remedy },
      'a run ended by itself',
    );
    this.#pause(BigInt(owner.task) as TaskId, failure).catch((error: unknown) => {
      this.#options.log.error({ task: owner.task, message: messageOf(error) }, 'the end of a run could not be saved');
    });
  }

  async onFilled({ task }: CheckpointOwner, targets: readonly TargetId[]): Promise<void> {
    const save = (records: TaskRecords) => records.insertFilled(BigInt(task) as TaskId, targets);
    await withCrashPoints('filled targets saved', () => this.#options.store.transaction(save));
  }

  async #pause(id: TaskId, failure: Failure): Promise<void> {
    this.#loading.delete(id);
    await this.#options.store.transaction(async (records) => {
      const task = await records.runningTask(id);
      if (task !== null) await records.updateTask(id, { state: moveTask(task.state, 'failed', id), failure });
    });
  }

  async #end(task: TaskRecord): Promise<void> {
    this.#stopping.add(task.id);
    try {
      await this.#engineOrThrow.stop(String(task.id));
    } finally {
      this.#stopping.delete(task.id);
    }
  }

  /** What the project says now. It is kept with the run, so that a restart of the service changes nothing. */
  async #projectDdlPolicies({ project, route }: TaskRecord): Promise<DdlPolicies> {
    return this.#options.store.transaction((records) =>
      projectDdlPolicies(records, project, { sinkType: ROUTES[route], sourceType: SOURCE_TYPE }),
    );
  }

  async #definition(task: TaskRecord, use: EndsUse): Promise<PipelineDef> {
    const { store, planner } = this.#options;
    const { deployed, incarnation } = task;
    if (deployed === null || incarnation === null) throw new Error(`task ${task.id} is not deployed`);
    const { version, filled } = await store.transaction(async (records) => ({
      version: await records.version(task.id, deployed),
      filled: await records.filledTargets(task.id),
    }));
    const { definition } = version;
    const ends = await planner.ends(task.project, definition, use).catch((error: unknown) => {
      throw error instanceof TaskError ? new TaskError('wrong-state', error.code, error.message) : error;
    });
    const { policies, start } = readStartParam(task.startParam, task.ddlPolicies ?? DEFAULT_DDL_POLICIES);
    return {
      owner: { installation: store.installation, task: String(task.id), incarnation },
      version: deployed,
      source: {
        name: definition.sourceName,
        type: ends.source.connector.type,
        settings: ends.source.settings,
        options: ends.source.connector.parseOptions(definition.reader),
      },
      sink: {
        name: definition.sinkName,
        type: ends.sink.connector.type,
        settings: ends.sink.settings,
        options: ends.sink.connector.parseOptions(definition.writer),
      },
      routes: definition.tables.map(({ table, target, load, since }) => ({ table, target, load, since })),
      policies,
      start,
      filled,
    };
  }

  /** What the last checkpoint says, for a task that has no run in this process. */
  async #lastKnown(task: TaskRecord): Promise<RunStatus | null> {
    if (task.incarnation === null) return null;
    const owner = {
      installation: this.#options.store.installation,
      task: String(task.id),
      incarnation: task.incarnation,
    };
    const stored = await this.#options.checkpoints.load(owner);
    if (stored === null) return null;
    const { version, tables, offset } = stored.checkpoint;
    return {
      phase: 'stopped',
      appliedVersion: version,
      wantedVersion: task.deployed ?? version,
      lagMs: null,
      heldMs: null,
      offset: stringifyJson(offset),
      tables,
      failure: task.failure,
      nextTryAt: null,
      failovers: 0,
      rowsRead: 0,
      rowsWritten: 0,
      bytesRead: 0,
      dirtyRows: 0,
      ddl: {},
      checkpointAt: null,
      watermarkAt: null,
    };
  }

  get #engineOrThrow(): Engine {
    if (this.#engine === null) throw new Error('the engine is not attached yet');
    return this.#engine;
  }
}

/** All of its tables, but those that left it. */
function isLoaded({ tables }: RunStatus): boolean {
  const wanted = tables.filter(({ state }) => state !== 'REMOVED');
  return wanted.length > 0 && wanted.every(({ state }) => state === 'STREAMING');
}

function notStarted(code: 'Run.NotStarted' | 'Run.NotResumed', error: unknown): Failure {
  return { code, message: messageOf(error), remedy: 'Settle the cause, then start the task.' };
}
