/*
 * What the control plane promises, without a store, a clock or a promise. A model is a value: a call gives the models that
 * may follow it, given what was answered; none when that answer is forbidden.
 */

export type Side = 'ours' | 'theirs';
export type State = 'SAVED' | 'NORUN' | 'RUN' | 'PAUSE';
export type TaskType = 'DI_OFFLINE' | 'DI_REALTIME' | 'DI_SOLUTION';

/** The tables that the scripted source has; others are unknown to it. */
export const TABLES: readonly string[] = ['a', 'b', 'c'];
/** The names that tasks get. */
export const NAMES: readonly string[] = ['one', 'two', 'three'];
export interface Version {
  /** By table: the version in which it joined. */
  readonly tables: Readonly<Record<string, number>>;
  /** Null where nobody was told: of a job. */
  readonly content: string | null;
  /** How its script lists tables. */
  readonly form: 'table' | 'selectedTables';
}

export interface Task {
  readonly project: Side;
  readonly type: TaskType;
  readonly name: string;
  readonly state: State;
  /** The last is the saved one; version 1 is at 0. */
  readonly versions: readonly Version[];
  readonly deployed: number | null;
  readonly startParam: string | null;
  /** Why the last run ended by itself. */
  readonly failure: string | null;
}

export interface Process {
  readonly project: Side;
  readonly type: TaskType;
  readonly task: bigint | null;
  readonly base: number;
  readonly tables: readonly string[];
  readonly state: 'running' | 'success' | 'fail';
  /** What Query answered. */
  readonly content: string | null;
  readonly day: number;
}

export interface Model {
  readonly tasks: ReadonlyMap<bigint, Task>;
  readonly processes: ReadonlyMap<bigint, Process>;
  /** By project, operation and token. */
  readonly tokens: ReadonlyMap<string, { readonly asked: string; readonly answer: bigint; readonly day: number }>;
  readonly rules: ReadonlyMap<bigint, { readonly task: bigint; readonly enabled: boolean; readonly seconds: number }>;
  /** By project and name. */
  readonly sources: ReadonlyMap<string, { readonly id: bigint; readonly enabled: boolean }>;
  /** Ids that were given out: none is given twice. */
  readonly given: ReadonlySet<bigint>;
  readonly givenRules: ReadonlySet<bigint>;
  /** The source does not answer: planning waits. */
  readonly held: boolean;
  /** The source refuses connections: planning fails. */
  readonly away: boolean;
  readonly day: number;
}

export const EMPTY: Model = {
  tasks: new Map(),
  processes: new Map(),
  tokens: new Map(),
  rules: new Map(),
  sources: new Map(),
  given: new Set(),
  givenRules: new Set(),
  held: false,
  away: false,
  day: 0,
};

export interface Addressed {
  /** Who calls, and which project is named. */
  readonly caller: Side;
  readonly project: Side;
  readonly taskType: TaskType;
}

export type Call = Addressed &
  (
    | {
        readonly kind: 'generate';
        readonly task: bigint | null;
        readonly tables: readonly string[];
        readonly name: string | null;
        readonly token: string | null;
      }
    | { readonly kind: 'query'; readonly process: bigint }
    | { readonly kind: 'create'; readonly name: string; readonly content: string; readonly token: string | null }
    | { readonly kind: 'update'; readonly task: bigint; readonly content: string | null }
    | { readonly kind: 'get' | 'deploy' | 'stop' | 'terminate' | 'delete'; readonly task: bigint }
    /** Beside other calls it may see them half-way. */
    | { readonly kind: 'info'; readonly task: bigint; readonly alone: boolean }
    | { readonly kind: 'start'; readonly task: bigint; readonly startParam: string | null }
    | { readonly kind: 'job create'; readonly name: string; readonly tables: readonly string[] }
    /** Null: nothing but the id is given. */
    | { readonly kind: 'job update'; readonly task: bigint; readonly tables: readonly string[] | null }
    | { readonly kind: 'job start'; readonly task: bigint; readonly again: boolean }
    | { readonly kind: 'job get'; readonly task: bigint; readonly alone: boolean }
    | { readonly kind: 'job stop' | 'job delete' | 'get file' | 'delete file' | 'list rules'; readonly task: bigint }
    | { readonly kind: 'list jobs' | 'list files' | 'list sources' }
    | { readonly kind: 'rule create'; readonly task: bigint; readonly enabled: boolean; readonly seconds: number }
    | { readonly kind: 'rule update'; readonly rule: bigint; readonly enabled: boolean; readonly seconds: number }
    | { readonly kind: 'rule get' | 'rule delete'; readonly rule: bigint }
    | { readonly kind: 'source create'; readonly name: string }
    | { readonly kind: 'source update'; readonly source: bigint; readonly enabled: boolean }
    | { readonly kind: 'source delete'; readonly source: bigint }
    /** Not a call: the run of a task, if it has one, ends by itself. */
    | { readonly kind: 'run fails'; readonly task: bigint }
  );

export type CallOf<Kind extends Call['kind']> = Extract<Call, { readonly kind: Kind }>;

export type Answer =
  | { readonly kind: 'done'; readonly data: Readonly<Record<string, unknown>> }
  | { readonly kind: 'fail'; readonly message: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** The service ended first. `ids` are those that it gave out meanwhile and nobody heard of. */
  | { readonly kind: 'lost'; readonly ids: readonly bigint[] };

/** What happens when a call takes effect: the answer that it must have, and the model behind it. */
export interface Effect {
  readonly answer:
    | { readonly kind: 'done'; readonly data: Readonly<Record<string, unknown>> }
    | { readonly kind: 'fail'; readonly message: RegExp }
    | { readonly kind: 'refused'; readonly code: string };
  readonly model: Model;
}

export function changeProcesses(model: Model, change: (process: Process, id: bigint) => Process): Model {
  return { ...model, processes: new Map([...model.processes].map(([id, process]) => [id, change(process, id)])) };
}

export function withTask(model: Model, id: bigint, task: Task): Model {
  return { ...model, tasks: new Map(model.tasks).set(id, task) };
}

export function isTaken(model: Model, project: Side, name: string): boolean {
  return [...model.tasks.values()].some((task) => task.project === project && task.name === name);
}

export function saved({ versions }: Task): Version {
  const version = versions.at(-1);
  if (version === undefined) throw new Error('a task without a version');
  return version;
}

export function isKnown(table: string): boolean {
  return TABLES.includes(table);
}

export function done(model: Model, data: Readonly<Record<string, unknown>> = {}): Effect {
  return { answer: { kind: 'done', data }, model };
}

export function fail(model: Model, message: RegExp): Effect {
  return { answer: { kind: 'fail', message }, model };
}

export function refused(model: Model, code: string): Effect {
  return { answer: { kind: 'refused', code }, model };
}

/** Codes of what a job, a rule or a data source cannot do. */
export const INVALID = 'Invalid.DI.Parameter';
export const NOT_NOW = 'Invalid.Operation';

/** Something may begin with both ends of the project's tasks. */
export function isReady({ sources }: Model, project: Side): boolean {
  return ['source', 'sink'].every((name) => sources.get(`${project} ${name}`)?.enabled === true);
}

/** With its rules. */
export function withoutTask(model: Model, id: bigint): Model {
  return {
    ...model,
    tasks: new Map([...model.tasks].filter(([known]) => known !== id)),
    rules: new Map([...model.rules].filter(([, { task }]) => task !== id)),
  };
}
