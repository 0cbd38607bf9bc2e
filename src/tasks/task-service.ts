import type { RunStatus } from '../engine/engine.ts';
import type { ProcessId, ProjectId, TaskId } from './ids.ts';
import type { Page } from './page.ts';

/** Batch tasks, DI_OFFLINE, are refused: they are not there yet. */
export type TaskType = 'DI_OFFLINE' | 'DI_REALTIME' | 'DI_SOLUTION';

/** Who calls, for which project: already authenticated and allowed. */
export interface Caller {
  readonly project: ProjectId;
  readonly user: string;
}

/** Who calls with an id alone, and the projects that they may touch: what is elsewhere is not found. */
export interface Reach {
  readonly user: string;
  readonly projects: readonly ProjectId[];
}

/**
 * Protects from repeats: the same token with the same parameters replays the answer, with others it is refused.
 * `parameters` is the call's parameters without signature and common ones, JSON inside them canonical.
 */
export interface Idempotence {
  readonly token: string;
  readonly operation: string;
  readonly parameters: string;
}

export interface GenerateRequest {
  readonly taskType: TaskType;
  /** JSON text, as it came. */
  readonly taskParam: string;
  readonly idempotence: Idempotence | null;
}

export type ProcessState =
  | { readonly kind: 'running' }
  | { readonly kind: 'success'; readonly taskContent: string; readonly plan: string; readonly message: string | null }
  | { readonly kind: 'fail'; readonly message: string };

/*
 *   (saved) ──Deploy──► NORUN ──Start──► WAIT ──► RUN ──Stop──► KILLING ──► PAUSE ──Start──► WAIT
 *                         ▲                        └─ error, policy, limit ──► PAUSE
 *                         └──────────── Terminate (undeploys: back to saved)
 */
export type InstanceStatus = 'NORUN' | 'WAIT' | 'RUN' | 'KILLING' | 'PAUSE';

export interface InstanceInfo {
  readonly name: string;
  readonly status: InstanceStatus;
  /** Why it stands still, or which tables failed; null when there is nothing to say. */
  readonly message: string | null;
  readonly appliedVersion: number | null;
  readonly deployedVersion: number | null;
  /** The run as the engine, or else the last checkpoint, knows it; null before the first start. */
  readonly run: RunStatus | null;
  /** Null when the task is no solution. */
  readonly solution: SolutionRun | null;
}

/*
 *   wait ──► run ──► success        The stream never succeeds: it runs until it is stopped, and waits then.
 *     └───────┴────► fail
 */
export type StepStatus = 'wait' | 'run' | 'success' | 'fail';

/** One table within a step. */
export interface StepTable {
  /** What the step works on: the target while it is made, the source table after. */
  readonly name: string;
  readonly status: StepStatus;
  /** Rows loaded so far; null for a step that loads none. */
  readonly rows: number | null;
}

export interface SolutionStep {
  readonly kind: 'structure' | 'load' | 'stream';
  readonly status: StepStatus;
  readonly tables: readonly StepTable[];
}

export interface SolutionRun {
  readonly id: TaskId;
  readonly creator: string | null;
  readonly status: StepStatus;
  readonly steps: readonly SolutionStep[];
}

/** A task, and what it uses. */
export interface TaskUse {
  readonly id: TaskId;
  readonly name: string;
  readonly type: TaskType;
  readonly sourceName: string;
  readonly sinkName: string;
}

/** Submitted is deployed and not yet started; idle is saved, or stopped. */
export type SolutionState = 'idle' | 'submitted' | 'waiting' | 'running' | 'failed';

export interface SolutionDetail {
  readonly id: TaskId;
  readonly name: string;
  readonly project: ProjectId;
  readonly creator: string | null;
  readonly sourceType: string;
  readonly sinkType: string;
  readonly state: SolutionState;
  /** Milliseconds since the epoch; null when it is not deployed, or was not started. */
  readonly submittedAt: number | null;
  readonly startedAt: number | null;
  /** How it is configured, as JSON text: as saved. */
  readonly processContent: string;
  readonly processExtra: string;
}

/**
 * The life of sync tasks. Every method throws TaskError; an id of another project is `not-found`.
 * What a method acknowledges is durable.
 */
export interface TaskService {
  generateForCreating(caller: Caller, request: GenerateRequest): Promise<ProcessId>;
  generateForUpdating(caller: Caller, request: GenerateRequest & { readonly task: TaskId }): Promise<ProcessId>;
  /** Waits at most `waitMs` for a process that is still working. */
  processResult(
    caller: Caller,
    request: { readonly taskType: TaskType; readonly process: ProcessId; readonly waitMs: number },
  ): Promise<ProcessState>;
  create(
    caller: Caller,
    request: {
      readonly taskType: TaskType;
      readonly name: string;
      readonly taskContent: string;
      readonly taskParam: string | null;
      readonly idempotence: Idempotence | null;
    },
  ): Promise<TaskId>;
  update(
    caller: Caller,
    request: {
      readonly taskType: TaskType;
      readonly task: TaskId;
      readonly taskContent: string | null;
      readonly taskParam: string | null;
    },
  ): Promise<void>;
  /** The stored TaskContent. */
  content(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<string>;
  /** Of a DI_SOLUTION. */
  solution(caller: Caller, task: TaskId): Promise<SolutionDetail>;
  deploy(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
  start(
    caller: Caller,
    request: { readonly taskType: TaskType; readonly task: TaskId; readonly startParam: string | null },
  ): Promise<void>;
  stop(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
  terminate(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
  info(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<InstanceInfo>;
  /** Tasks of a type that have this data source at one end, newest first. */
  using(
    caller: Caller,
    request: {
      readonly taskType: TaskType;
      readonly dataSource: string;
      readonly end: 'source' | 'sink';
      readonly page: Page;
    },
  ): Promise<readonly TaskUse[]>;
  delete(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
}
