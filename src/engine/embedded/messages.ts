import type { CrashPoint } from '../../lib/crash-point.ts';
import type { CheckpointOwner, Failure } from '../../pipeline/checkpoint.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { TargetId } from '../../pipeline/route.ts';
import type { MemoryShares } from './memory-shares.ts';
import type { RunStatus, StoredCheckpoint } from '../engine.ts';

/** What a worker is started with. */
export interface WorkerData {
  readonly def: PipelineDef;
  /** At the first attempt, tables that failed are loaded afresh. */
  readonly retryFailed: boolean;
  readonly memory: MemoryShares;
  /** The module with the list of connectors. */
  readonly connectors: string;
  readonly crashPoint: CrashPoint | null;
}

export type ToWorker =
  | { readonly kind: 'apply'; readonly def: PipelineDef }
  | { readonly kind: 'stop' }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** `failure` where the main thread knows what it is and that it passes; else a defect. */
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string; readonly failure: Failure | null };

export type FromWorker =
  | { readonly kind: 'status' /** Without what a source keeps to resume. */; readonly status: RunStatus }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question }
  | {
      readonly kind: 'log';
      readonly level: 'error' | 'warn' | 'info' | 'debug';
      readonly facts: object;
      readonly event: string;
    }
  | { readonly kind: 'ended'; readonly failure: Failure | null };

/** What only the main thread can do: it owns the store. */
export type Question =
  | { readonly kind: 'load'; readonly owner: CheckpointOwner }
  | { readonly kind: 'save'; readonly owner: CheckpointOwner; readonly stored: StoredCheckpoint }
  | { readonly kind: 'read journal'; readonly owner: CheckpointOwner }
  | { readonly kind: 'write journal'; readonly owner: CheckpointOwner; readonly record: string; readonly after: number }
  | { readonly kind: 'filled'; readonly owner: CheckpointOwner; readonly targets: readonly TargetId[] };
