import type { Clock } from '../lib/clock.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import { canonicalJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import type { TaskId } from './ids.ts';
import { describeFailure } from './instance-info.ts';
import { describeProblems, type JobStart, readJob, jobStartParam, type WantedJob } from './job-reader.ts';
import { planWarnings, settingsWarnings } from './job-warnings.ts';
import type { Job, JobFilter, JobService, JobStatus, JobSummary } from './job-service.ts';
import { type JobChange, type JobSpec, migrationTypeOf, routeTo, SINK_TYPES, specOfTask } from './job-spec.ts';
import { PlanFailure } from './plan-task.ts';
import type { Planner } from './planner.ts';
import type { RunControl } from './run-control.ts';
import { invalid } from './script-reader.ts';
import { readStartParam } from './start-param.ts';
import type { TaskDefinition } from './task-definition.ts';
import { TaskError } from './task-error.ts';
import { mustBeFree, taskWithin } from './task-lookup.ts';
import { needsList, type PickedTable, pickTables } from './table-selection.ts';
import { type NamedTable, nameTarget } from './target-names.ts';
import type { Caller, InstanceInfo, Reach, TaskService } from './task-service.ts';
import type { ProcessResult, TaskRecord, TaskRecords, TaskStore } from './task-store.ts';
import type { Turns } from './turns.ts';

export interface JobsOptions {
  readonly store: TaskStore;
  readonly planner: Planner;
  /** How long a caller may wait for all that is asked of both servers. */
  readonly planMs: number;
  readonly tasks: TaskService;
  readonly runs: RunControl;
  readonly clock: Clock;
  /** Shared with all that changes tasks. */
  readonly turns: Turns;
}

/** Others have saved versions while an update was planned, so often. */
const TRIES_MAX = 5;

interface Found {
  readonly task: TaskRecord;
  readonly spec: JobSpec;
  readonly warnings: readonly string[];
}

/** Jobs: they are planned at once and deployed by their start, and are tasks otherwise. */
export class Jobs implements JobService {
  readonly #options: JobsOptions;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  async create(
    { project, user }: Caller,
    { name, spec }: { readonly name: string; readonly spec: JobSpec },
  ): Promise<TaskId> {
    const { store, turns } = this.#options;
    const endsAt = this.#endOfPlanning();
    const wanted = readJob(name, spec);
    return turns.take(`create ${project} ${name}`, async () => {
      await store.transaction((records) => mustBeFree(records, project, name, 'JobName'));
      const { definition, shown, content, plan } = await this.#plan({ project, user }, wanted, { task: null, endsAt });
      const save = async (records: TaskRecords) => {
        await mustBeFree(records, project, name, 'JobName');
        const task = { project, name, type: 'DI_REALTIME', settings: '{}', folder: '', creator: user } as const;
        const id = await records.insertTask(task, { version: 1, definition, content, shown });
        await records.saveJobSpec(id, 1, spec, planWarnings(plan));
        return id;
      };
      return withCrashPoints('version saved', () => store.transaction(save));
    });
  }

  async update(
    caller: Reach,
    { job: id, change }: { readonly job: TaskId; readonly change: JobChange },
  ): Promise<void> {
    const { turns, tasks } = this.#options;
    const endsAt = this.#endOfPlanning();
    const task = await turns.take(`job ${id}`, () => this.#change(caller, { id, change, endsAt }));
    if (task.state === 'RUN' && task.deployed !== task.saved) await tasks.deploy(...called(task, caller));
  }

  async get(caller: Reach, id: TaskId): Promise<Job> {
    const { task, spec, warnings } = await this.#find(caller, id);
    const info = await this.#options.runs.info(task);
    const failure = failureOf(task, info);
    return {
      ...summaryOf(task, info),
      spec,
      warnings,
      failure: failure === null ? null : describeFailure(failure),
      info,
      createdAt: task.createdAt,
      editedAt: task.editedAt,
      startedAt: task.startedAt,
      creator: task.creator,
      editor: task.editor,
      starter: task.starter,
    };
  }

  async list(
    { project }: Caller,
    { name, sourceType, sinkType, pageNumber, pageSize }: JobFilter,
  ): Promise<{ rows: readonly JobSummary[]; total: number }> {
    const { store, runs } = this.#options;
    const route = sinkType === null ? null : routeTo(sinkType);
    if ((sinkType !== null && route === null) || (sourceType !== null && sourceType !== 'MySQL'))
      return { rows: [], total: 0 };
    const { rows, total } = await store.transaction((records) =>
      records.listTasks(project, { keyword: name, route }, { pageNumber, pageSize }),
    );
    return { rows: rows.map((task) => summaryOf(task, runs.glance(task))), total };
  }

  async start(
    caller: Reach,
    { job: id, again, start }: { readonly job: TaskId; readonly again: boolean; readonly start: JobStart },
  ): Promise<void> {
    const { tasks, runs } = this.#options;
    const { task, spec } = await this.#find(caller, id);
    if (task.type === 'DI_SOLUTION' && (start.startTime !== null || start.failover !== null))
      throw invalid(`DIJobId:[${id}] is a solution, which takes no RealtimeStartSettings.`);
    if (task.initialLoad === 'only' && start.startTime !== null)
      throw invalid(`DIJobId:[${id}] loads its tables and does no more: there is no StartTime to begin at.`);
    const call = called(task, caller);
    if (!again && task.finishedAt !== null && task.deployed === task.saved)
      throw wrongState(id, 'is finished: give ForceToRerun to load its tables anew');
    if (again) {
      if (task.state === 'RUN') throw wrongState(id, 'is running: call StopDIJob first');
      if (task.state !== 'SAVED') await tasks.terminate(...call);
    } else if (task.state === 'PAUSE' && start.startTime !== null && (await runs.hasCheckpoint(task))) {
      throw wrongState(
        id,
        'has a position to go on from, and RealtimeStartSettings.StartTime would be another: leave it out, or give ForceToRerun',
      );
    }
    const startTime = start.startTime ?? (task.state === 'RUN' ? startTimeOf(task.startParam) : null);
    const startParam = jobStartParam(spec.JobSettings, { ...start, startTime });
    if (task.state === 'RUN' && task.startParam !== startParam)
      throw wrongState(id, 'is running with other settings: call StopDIJob first, then start it with the new ones');
    // Of one that runs too: an update that was cut short has saved a version and not deployed it.
    if (task.state !== 'RUN' || task.deployed !== task.saved) await tasks.deploy(...call);
    await tasks.start(call[0], { ...call[1], startParam });
  }

  async stop(caller: Reach, id: TaskId): Promise<void> {
    const { task } = await this.#find(caller, id);
    if (task.state === 'SAVED' || task.state === 'NORUN') throw wrongState(id, 'was not started: call StartDIJob');
    await this.#options.tasks.stop(...called(task, caller));
  }

  async delete(caller: Reach, id: TaskId): Promise<void> {
    const { task } = await this.#find(caller, id);
    if (task.state === 'RUN') throw wrongState(id, 'is running: call StopDIJob first');
    await this.#options.tasks.delete(...called(task, caller));
  }

  /** Of a call that comes now: the time that it waits for its turn counts. */
  #endOfPlanning(): number {
    return performance.now() + this.#options.planMs;
  }

  /** The tables that the job picks now, and what they come to. Errors: TaskError `invalid` with all that is wrong. */
  async #plan(
    caller: Caller,
    wanted: WantedJob,
    { task, endsAt }: { readonly task: TaskRecord | null; readonly endsAt: number },
  ): Promise<ProcessResult> {
    const { planner } = this.#options;
    try {
      const isListed = needsList(wanted.selections);
      const { list, ownDatabase } = await planner.tablesOf(caller, wanted.task, { isListed, endsAt });
      const problems: string[] = [];
      const picked = await pickTables(wanted.selections, { list, ownDatabase, problems });
      if (problems.length > 0) throw new TaskError('invalid', 'Job.NoTables', describeProblems(problems));
      const base = { task: task?.id ?? null, baseVersion: task?.saved ?? 0, processId: null, endsAt };
      const { project, user } = caller;
      const tables = picked.map(({ database, table }) => ({ database, table }));
      const names = namedTables(picked, { ownDatabase, sourceName: wanted.task.sourceName });
      return await planner.plan({ project, user, wanted: { ...wanted.task, tables, names }, ...base });
    } catch (error) {
      if (!(error instanceof PlanFailure)) throw error;
      throw new TaskError('invalid', 'Job.NotPlanned', error.message);
    }
  }

  /** Plans without holding up the task, which may be stopped meanwhile; anew when another version was saved. */
  async #change(
    caller: Reach,
    { id, change, endsAt }: { readonly id: TaskId; readonly change: JobChange; readonly endsAt: number },
  ): Promise<TaskRecord> {
    const { store, turns } = this.#options;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const { task, spec } = await this.#find(caller, id);
      const { definition } = await store.transaction((records) => records.version(id, task.saved));
      const next = { ...spec, ...change };
      const wanted = readJob(definition.name ?? task.name, next);
      const planned = await this.#plan({ project: task.project, user: caller.user }, wanted, {
        task,
        endsAt,
      });
      const saved = await turns.take(`task ${id}`, async () => {
        const { task: now } = await this.#find(caller, id);
        const warnings = settingsWarnings(now, spec, next);
        const change = { spec: next, planned, warnings };
        return now.saved === task.saved ? this.#save(caller, { task: now, definition }, change) : null;
      });
      if (saved !== null) return saved;
    }
    throw new TaskError('stale', 'Task.Stale', `DIJobId:[${id}] is being changed by others: update it again.`);
  }

  /** A new version when anything of what runs changes, else a new description of the one there is. */
  async #save(
    { user: editor }: Reach,
    { task, definition }: { readonly task: TaskRecord; readonly definition: TaskDefinition },
    {
      spec,
      planned: { definition: next, shown, content, plan },
      warnings,
    }: { readonly spec: JobSpec; readonly planned: ProcessResult; readonly warnings: readonly string[] },
  ): Promise<TaskRecord> {
    const { store, clock } = this.#options;
    const isSame = textOf(next) === textOf(definition);
    const saved = isSame ? task.saved : task.saved + 1;
    const save = async (records: TaskRecords) => {
      if (!isSame) await records.insertVersion(task.id, { version: saved, definition: next, content, shown });
      await records.saveJobSpec(task.id, saved, spec, [...warnings, ...planWarnings(plan)]);
      await records.updateTask(task.id, { saved, editor, editedAt: clock.now() });
    };
    await withCrashPoints('version saved', () => store.transaction(save));
    return { ...task, saved };
  }

  /** Errors: TaskError `not-found`. */
  async #find({ projects }: Reach, id: TaskId): Promise<Found> {
    return this.#options.store.transaction(async (records) => {
      const task = await taskWithin(records, projects, id);
      return { task, spec: await specIn(records, task), warnings: await records.jobWarnings(id, task.saved) };
    });
  }
}

/** As it was given; or, where the newest version was made in another way, what that and the last description come to. */
async function specIn(records: TaskRecords, { id, saved }: TaskRecord): Promise<JobSpec> {
  const own = await records.jobSpec(id, saved);
  if (own !== null) return own;
  const { definition } = await records.version(id, saved);
  return specOfTask(definition, await records.lastJobSpec(id));
}

function namedTables(
  picked: readonly PickedTable[],
  { ownDatabase, sourceName }: { readonly ownDatabase: string | null; readonly sourceName: string },
): NamedTable[] {
  return picked.flatMap(({ database, table: name, names }) => {
    const table = { database: database ?? ownDatabase ?? '', table: name };
    return names === null ? [] : [{ table, target: nameTarget(names, { table, sourceName }) }];
  });
}

/** A repeated start that says none means the one it has. */
function startTimeOf(startParam: string | null): number | null {
  const { start } = readStartParam(startParam);
  return start?.kind === 'time' ? start.seconds : null;
}

function called(task: TaskRecord, { user }: Reach) {
  return [
    { project: task.project, user },
    { taskType: task.type, task: task.id },
  ] as const;
}

function summaryOf(task: TaskRecord, info: InstanceInfo): JobSummary {
  return {
    id: task.id,
    project: task.project,
    name: task.name,
    status: statusOf(task, info),
    sourceType: 'MySQL',
    sinkType: SINK_TYPES[task.route],
    migrationType: migrationTypeOf(task.initialLoad),
  };
}

function statusOf(task: TaskRecord, info: InstanceInfo): JobStatus {
  switch (info.status) {
    case 'NORUN':
      return 'Initialized';
    case 'WAIT':
    case 'RUN':
      return 'Running';
    case 'KILLING':
      return 'Stopping';
    case 'PAUSE':
      if (failureOf(task, info) !== null) return 'Failed';
      return task.finishedAt === null ? 'Stopped' : 'Finished';
  }
}

function failureOf(task: TaskRecord, { status, run }: InstanceInfo) {
  return status === 'PAUSE' ? (task.failure ?? run?.failure ?? null) : null;
}

function textOf(definition: TaskDefinition): string {
  return canonicalJson(definition as unknown as Json);
}

function wrongState(id: TaskId, why: string): TaskError {
  return new TaskError('wrong-state', 'Task.WrongState', `DIJobId:[${id}] ${why}.`);
}
