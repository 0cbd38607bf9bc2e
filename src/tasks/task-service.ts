import type { RunStatus } from '../engine/engine.ts';
import type { ProcessId, ProjectId, TaskId } from './ids.ts';

/** DI_REALTIME for now; the others are refused with what is not there yet. */
export type TaskType = 'DI_OFFLINE' | 'DI_REALTIME' | 'DI_SOLUTION';

/** Who calls, for which project: already authenticated and allowed. */
export interface Caller {
  readonly project: ProjectId;
  readonly accessKeyId: string;
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
  deploy(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
  start(
    caller: Caller,
    request: { readonly taskType: TaskType; readonly task: TaskId; readonly startParam: string | null },
  ): Promise<void>;
  stop(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
  terminate(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
  info(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<InstanceInfo>;
  delete(caller: Caller, request: { readonly taskType: TaskType; readonly task: TaskId }): Promise<void>;
}
