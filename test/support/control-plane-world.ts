import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { PipelineError } from '../../src/pipeline/pipeline-error.ts';
import type { TableId } from '../../src/pipeline/table.ts';
import type { Store } from '../../src/store/store.ts';
import type { CreatedTasks } from '../../src/tasks/create-tasks.ts';
import type { AlarmRuleId, ProcessId, ProjectId } from '../../src/tasks/ids.ts';
import type { ProcessRecord, TaskRecord, TaskRecords } from '../../src/tasks/task-store.ts';
import {
  type Answer,
  type Call,
  type Model,
  NAMES,
  type Side,
  TABLES,
  type Task,
  type Version,
} from './control-plane-state.ts';
import { callOperation } from './control-plane-wire.ts';
import { openTasks } from './open-tasks.ts';
import { Script, scriptedConnectors } from './scripted-connectors.ts';
import type { ScriptedEngine } from './scripted-engine.ts';

const DAY_MS = 24 * 3600 * 1000;
const PLAN_TIMEOUT_MS = 3_600_000;
/** Of waiting: what polls looks every 20 ms. */
const TICK_MS = 20;
/** A call that is not answered after so many is stuck. */
const TICKS_MAX = 2000;
const REAL_MS_MAX = 10_000;

const SIDES: readonly Side[] = ['ours', 'theirs'];

/** What the store holds and the engine does, in the model's words. */
export interface Observed {
  readonly tasks: ReadonlyMap<bigint, ObservedTask>;
  readonly processes: ReadonlyMap<bigint, string>;
  readonly rules: Model['rules'];
  readonly sources: Model['sources'];
  /** By task: its tables, each with the version in which it joined. */
  readonly runs: ReadonlyMap<bigint, Readonly<Record<string, number>>>;
}

export type ObservedTask = Omit<Task, 'versions'> & { readonly saved: number; readonly version: Version };

/**
 * The service below HTTP: operations, tasks and the store as they are; servers and engine scripted; time is virtual. It can be
 * restarted, or cut off while it works. One folder serves many sequences, each in projects of its own.
 */
export class World {
  readonly #base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'disync-control-plane-'));
  readonly #script = new Script();
  readonly #clock = { time: Date.UTC(2026, 0, 1), now: () => this.#clock.time };
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | null = null;
  #away = false;
  #folders = 0;
  #projects = 10_000n;
  #store!: Store;
  /** Where a step failed half-way, it may be closed already. */
  #isOpen = false;
  #created!: CreatedTasks;
  #engine!: ScriptedEngine;

  static async make(): Promise<World> {
    mock.timers.enable({ apis: ['setTimeout'] });
    const world = new World();
    for (const table of TABLES) world.#script.table('shop', table);
    world.#script.onDescribe = async () => {
      await world.#gate?.opened;
      if (world.#away) throw new PipelineError('transient', 'Source.Away', 'the source is away');
    };
    await world.#open();
    return world;
  }

  /** Another folder: of no use any more is one whose sequence failed. */
  async renew(): Promise<void> {
    await this.#cut();
    rmSync(this.#folder, { recursive: true, force: true });
    this.#folders += 1;
    await this.#open();
  }

  async end(): Promise<void> {
    await this.#cut();
    rmSync(this.#base, { recursive: true, force: true });
    mock.timers.reset();
  }

  /** Two projects that nothing is known of but their data sources, and a source that answers. */
  async begin(): Promise<Model['sources']> {
    await this.release();
    this.#away = false;
    this.#projects += 2n;
    for (const side of ['ours', 'theirs'] as const) {
      const caller = { project: this.#project(side), user: side };
      const common = { subType: null, env: 1, description: '' } as const;
      const source = JSON.stringify({ jdbcUrl: 'jdbc:mysql://h/shop', database: 'shop', password: 'p' });
      const sink = JSON.stringify({ endpoint: 'h:5432', password: 'p' });
      const { dataSources } = this.#created;
      await dataSources.create(caller, { ...common, name: 'source', type: 'mysql', content: source });
      await dataSources.create(caller, { ...common, name: 'sink', type: 'holo', content: sink });
    }
    return this.#store.transaction((records) => this.#sourcesOf(records));
  }

  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate ??= { opened: promise, open: resolve };
  }

  async release(): Promise<void> {
    this.#gate?.open();
    this.#gate = null;
    await idle();
  }

  setAway(away: boolean): void {
    this.#away = away;
  }

  /** Planning waits for longer than it may, each process in its turn. */
  async outwait(processes: number): Promise<void> {
    for (let waited = 0; waited < processes; waited += 1) {
      mock.timers.tick(PLAN_TIMEOUT_MS);
      await idle();
    }
  }

  passDays(days: number): void {
    this.#clock.time += days * DAY_MS;
  }

  /** Calls made at once, and what each was answered. */
  async call(calls: readonly Call[]): Promise<readonly Answer[]> {
    return this.#all(calls.map((call) => this.#answer(call)));
  }

  /** The service ends properly, and is started again. */
  async restart(refuseFirst: boolean): Promise<void> {
    await this.#all([this.#created.close(0)]);
    await this.#closeStore();
    await this.#open(refuseFirst);
  }

  /**
   * The service is cut off `turns` turns of the event loop's microtasks after these calls were made, and started again:
   * what each was answered by then.
   */
  async crash(calls: readonly Call[], turns: number, model: Model): Promise<readonly Answer[]> {
    const answers = calls.map((call) => this.#answer(call));
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const cut = this.#cut();
    const answered = await this.#all(answers);
    await this.#all([cut]);
    await this.#open();
    const ids = await this.#unheard(model, answered);
    return answered.map((answer) => (answer.kind === 'lost' ? { kind: 'lost', ids } : answer));
  }

  /** Both projects as they are; of these processes, and of rules that were made, what became of them. */
  async observe(processes: Iterable<bigint>, rules: Iterable<bigint>): Promise<Observed> {
    await idle();
    return this.#store.transaction(async (records) => {
      const tasks = new Map<bigint, ObservedTask>();
      for (const [side, task] of await this.#tasksOf(records))
        tasks.set(task.id, await observeTask(records, side, task));
      const states = new Map<bigint, string>();
      for (const id of processes) states.set(id, (await this.#processOf(records, id))?.state ?? 'forgotten');
      const runs = new Map([...this.#engine.defs].map(([id, { routes }]) => [BigInt(id), sinceOf(routes)]));
      const found = await rulesAmong(records, rules);
      return { tasks, processes: states, rules: found, sources: await this.#sourcesOf(records), runs };
    });
  }

  /** Every task has one of the names that calls give. */
  async #tasksOf(records: TaskRecords): Promise<readonly (readonly [Side, TaskRecord])[]> {
    const found: (readonly [Side, TaskRecord])[] = [];
    for (const side of SIDES) {
      for (const name of NAMES) {
        const task = await records.taskNamed(this.#project(side), name);
        if (task !== null) found.push([side, task]);
      }
    }
    return found.sort(([, a], [, b]) => (a.id < b.id ? -1 : 1));
  }

  async #sourcesOf(records: TaskRecords): Promise<Model['sources']> {
    const found = new Map<string, { id: bigint; enabled: boolean }>();
    for (const side of SIDES) {
      const filter = { name: null, type: null, subType: null, env: null, enabled: null, pageNumber: 1, pageSize: 100 };
      const { rows } = await records.dataSources(this.#project(side), filter);
      for (const { id, name, enabled } of rows) found.set(`${side} ${name}`, { id, enabled });
    }
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async #processOf(records: TaskRecords, id: bigint): Promise<ProcessRecord | null> {
    const [ours, theirs] = [this.#project('ours'), this.#project('theirs')];
    return (await records.process(ours, id as ProcessId)) ?? (await records.process(theirs, id as ProcessId));
  }

  /** Ids that nobody heard of: of what was accepted when the service was cut off. */
  async #unheard(model: Model, answered: readonly Answer[]): Promise<readonly bigint[]> {
    const heard = answered.flatMap((answer) => (answer.kind === 'done' ? Object.values(answer.data) : []));
    const known = new Set<unknown>([...model.given, ...heard]);
    return this.#store.transaction(async (records) => {
      const tasks = (await this.#tasksOf(records)).map(([, task]) => task);
      const rules: bigint[] = [];
      for (const { id } of tasks) {
        const { rows } = await records.alarms.list(id, { pageNumber: 1, pageSize: 100 });
        rules.push(...rows.map((rule) => rule.id));
      }
      const sources = [...(await this.#sourcesOf(records)).values()];
      const found = [...tasks, ...(await records.runningProcesses()), ...sources].map(({ id }): bigint => id);
      return [...found.filter((id) => !known.has(id)), ...rules];
    });
  }

  async #answer(call: Call): Promise<Answer> {
    if (call.kind === 'run fails') {
      const task = String(call.task);
      if (this.#engine.defs.has(task))
        this.#engine.fail(task, { code: 'Test.Failed', message: 'it failed', remedy: null });
      return { kind: 'done', data: {} };
    }
    try {
      const answer = await callOperation(call, (side) => this.#project(side), this.#created);
      return answer.kind === 'fail' && isOfClosedStore(answer.message) ? { kind: 'lost', ids: [] } : answer;
    } catch (error) {
      if (error instanceof Error && isOfClosedStore(error.message)) return { kind: 'lost', ids: [] };
      throw error;
    }
  }

  #project(side: Side): ProjectId {
    return (side === 'ours' ? this.#projects : this.#projects + 1n) as ProjectId;
  }

  get #folder(): string {
    return join(this.#base, String(this.#folders));
  }

  async #open(refuseFirst = false): Promise<void> {
    const { store, created, engine } = openTasks(this.#folder, {
      connectors: scriptedConnectors(this.#script),
      clock: this.#clock,
      planTimeoutMs: PLAN_TIMEOUT_MS,
    });
    this.#store = store;
    this.#isOpen = true;
    this.#created = created;
    this.#engine = engine;
    this.#engine.refusal = refuseFirst ? new Error('no thread can be made') : null;
    await this.#created.resumeAll();
    this.#engine.refusal = null;
  }

  /** As when the process is killed: whatever goes on finds the store closed. */
  async #cut(): Promise<void> {
    await this.#closeStore();
    await this.#all([this.#created.close(0)]);
  }

  async #closeStore(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#store.close();
  }

  async #all<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
    let isDone = false;
    const all = Promise.all(promises).finally(() => (isDone = true));
    all.catch(() => {});
    await this.#come(() => isDone, TICKS_MAX);
    if (!isDone) throw new Error('a call is stuck: it is not answered within 40 s');
    return all;
  }

  /** Lets everything happen that is due, for so many ticks of virtual time or until `isDone`. */
  async #come(isDone: () => boolean, ticks: number): Promise<void> {
    for (let tick = 0; tick < ticks; tick += 1) {
      await idle();
      if (isDone()) return;
      this.#clock.time += TICK_MS;
      mock.timers.tick(TICK_MS);
    }
    // The disk is real, and takes its time on a machine that does other things.
    for (const until = performance.now() + REAL_MS_MAX; !isDone() && performance.now() < until; ) await idle();
  }
}

async function observeTask(
  records: TaskRecords,
  project: Side,
  { id, type, name, state, saved, deployed, startParam, failure }: TaskRecord,
): Promise<ObservedTask> {
  const { definition, content } = await records.version(id, saved);
  const version = { tables: sinceOf(definition.tables), content, form: definition.form };
  return { project, type, name, state, saved, version, deployed, startParam, failure: failure?.code ?? null };
}

async function rulesAmong(records: TaskRecords, ids: Iterable<bigint>): Promise<Model['rules']> {
  const found = new Map<bigint, { task: bigint; enabled: boolean; seconds: number }>();
  for (const id of ids) {
    const rule = await records.alarms.rule(id as AlarmRuleId);
    if (rule === null) continue;
    const { task, enabled, conditions } = rule;
    found.set(id, { task, enabled, seconds: conditions[0]?.threshold ?? 0 });
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sinceOf(
  tables: readonly { readonly table: TableId; readonly since: number }[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(tables.map(({ table, since }) => [table.table, since]));
}

/** What is heard of the service's sudden end from within: in reality, nothing. */
function isOfClosedStore(message: string): boolean {
  return message.includes('database is not open') || message.includes('statement has been finalized');
}

/** Lets everything run that waits for no timer. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
