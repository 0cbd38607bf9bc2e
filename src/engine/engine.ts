import type { Checkpoint, CheckpointOwner, Failure, TableProgress } from '../pipeline/checkpoint.ts';
import type { JournalEntry } from '../pipeline/journal.ts';
import type { PipelineDef } from '../pipeline/pipeline-def.ts';
import type { DdlCounts } from '../pipeline/policies.ts';
import type { TargetId } from '../pipeline/route.ts';

/*
 *   starting ──► running ◄──► backing-off        stopping ──► stopped
 *       └───────────┴──────────────┴──► failed       (failed: by policy, limit or a fatal error)
 */
export type RunPhase = 'starting' | 'running' | 'backing-off' | 'stopping' | 'stopped' | 'failed';

/** What can be seen of a run from outside. */
export interface RunStatus {
  readonly phase: RunPhase;
  readonly appliedVersion: number;
  /** The version the engine was last told to apply. */
  readonly wantedVersion: number;
  readonly lagMs: number | null;
  /** How long the oldest change has waited at the source for its outcome (XA); null when none waits. */
  readonly heldMs: number | null;
  /** For people: where the source is. */
  readonly offset: string | null;
  readonly tables: readonly TableProgress[];
  readonly failure: Failure | null;
  /** Milliseconds since the epoch of the next try, while backing off. */
  readonly nextTryAt: number | null;
  readonly failovers: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly bytesRead: number;
  readonly dirtyRows: number;
  /** Statements on the tables of the run, whatever its policies do with them; one that is read again is counted again. */
  readonly ddl: DdlCounts;
  readonly checkpointAt: number | null;
  /** All changes before this time are durable at the sink, milliseconds since the epoch; null while it is not known. */
  readonly watermarkAt: number | null;
}

export interface StoredCheckpoint {
  readonly checkpoint: Checkpoint;
  /** A copy: the sink holds the checkpoint itself, together with the rows. */
  readonly heldBySink: boolean;
}

/** Durable home of checkpoints that a sink cannot hold, and of a copy of those it does. Implemented by the store. */
export interface CheckpointStore {
  load(owner: CheckpointOwner): Promise<StoredCheckpoint | null>;
  /**
   * Saves the records that changed; tables that the checkpoint does not name stay as they are, but at the first save of an
   * incarnation, which names all. Returns once durable.
   */
  save(owner: CheckpointOwner, stored: StoredCheckpoint): Promise<void>;
  /** Forgets every incarnation of a task, and what its sink noted. */
  forget(installation: string, task: string): Promise<void>;
}

/** Durable home of what sinks note before they make rows visible (`SinkJournal`). Implemented by the store. */
export interface JournalStore {
  read(owner: CheckpointOwner): Promise<JournalEntry>;
  write(owner: CheckpointOwner, record: string, after: number): Promise<number | null>;
}

/** Told by the engine; implemented by tasks. */
export interface RunListener {
  /** The run ended by itself: a failure, a limit, a policy. Not called for `stop`. */
  onFailed(owner: CheckpointOwner, failure: Failure): void;
  /** Targets are about to receive rows of this task: resolves once that is remembered. */
  onFilled(owner: CheckpointOwner, targets: readonly TargetId[]): Promise<void>;
}

/** Runs pipelines: a worker thread each, or later a job on another host. */
export interface Engine {
  /** Starts a run, at its checkpoint if it has one; tables that failed are tried again. Resolves once the worker has the definition. */
  start(def: PipelineDef): Promise<void>;
  /** The same after the service was restarted, which nobody asked for: tables that failed stay as they are. */
  resume(def: PipelineDef): Promise<void>;
  /** Hands a running task its newest deployed version; the engine closes the gap by itself. */
  apply(def: PipelineDef): Promise<void>;
  /** Flushes, saves the checkpoint, ends the run. Resolves when it has ended. */
  stop(task: string): Promise<void>;
  /** Null when the task has no run in this process. */
  status(task: string): RunStatus | null;
  /** Ends every run within the time given: flushed and saved where that is possible. */
  close(deadlineMs: number): Promise<void>;
}
