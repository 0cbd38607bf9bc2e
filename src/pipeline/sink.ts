import type { Batch } from './batch.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { PipelineError } from './pipeline-error.ts';
import type { SinkTable } from './route.ts';
import type { TableId } from './table.ts';

/** How full a sink's buffers are; the engine decides by it when to commit. */
export interface SinkLoad {
  readonly rows: number;
  readonly bytes: number;
  /** There is no room for much more: a commit is wanted, be it within a source transaction. */
  readonly isFull: boolean;
}

/** Tables that the sink cannot take, each with a PipelineError of kind `table`. */
export type FailedTables = readonly { readonly table: TableId; readonly error: PipelineError }[];

export interface CommitResult {
  /**
   * Their rows of this commit were left out; all others are durable. A checkpoint that the sink holds says so itself
   * (`withFailed`), because the process may end before the next one.
   */
  readonly failed: FailedTables;
  /** Rows written to the sink after merging by key. */
  readonly rowsWritten: number;
}

/** Writes batches into one sink. Calls come one at a time, save that `write` may run while one `commit` is in flight. */
export interface Sink {
  /** The checkpoint that the sink itself holds for this owner; null when it holds none, or cannot. */
  recover(): Promise<Checkpoint | null>;
  /** Between the starts of two commits: small transactions share one, and a change waits at most so long for it. */
  readonly commitIntervalMs: number;
  /** True when `commit` saves the checkpoint atomically with the rows; known after `recover`. */
  readonly holdsCheckpoint: boolean;
  /**
   * Verifies or creates the targets; may be called while writing goes on, and again for a table that failed.
   * Returns those that cannot be a target. Errors: PipelineError `transient` or `fatal`.
   */
  prepare(tables: readonly SinkTable[]): Promise<FailedTables>;
  /**
   * Encodes and buffers the batch; awaiting it is the back-pressure. An encoder is compiled at the first sight of a table
   * version (by identity). Rows of a table that failed are left out; of one that was never prepared, a defect.
   * Returns tables that failed at a schema part. Errors: PipelineError `fatal` when dirty rows exceed the limit.
   */
  write(batch: Batch): Promise<FailedTables>;
  load(): SinkLoad;
  /**
   * Returns when all that was written before this call is durable, together with the checkpoint where the sink can hold it.
   * Errors: PipelineError `transient` when the state is unknown: recover and re-read; `fatal` when another instance wrote.
   */
  commit(checkpoint: Checkpoint): Promise<CommitResult>;
  /** Forgets rows buffered for one table since the last commit, and takes no more of it until it is prepared again. */
  drop(table: TableId): void;
  /** Rows the sink could not take as they stood, since it was opened. */
  readonly dirtyRows: number;
  close(): Promise<void>;
}
