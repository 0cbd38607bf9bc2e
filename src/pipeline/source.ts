import type { Batch } from './batch.ts';
import type { Offset } from './offset.ts';
import type { Failure, TableProgress } from './checkpoint.ts';
import type { DdlCounts } from './policies.ts';
import type { TableId, TableVersion } from './table.ts';

/** A table that a source is asked to capture. */
export interface SourceTable {
  readonly id: TableId;
  /** Its shape as `describe` gave it: where rows differ from it later, the source says so in the log's order. */
  readonly shape: TableVersion;
  readonly load: 'full' | 'none';
  /** What the checkpoint says of it; null when it has none, so that it starts afresh. */
  readonly progress: TableProgress | null;
  /** Its target holds rows of an earlier load of this task: emptied before the first chunk. */
  readonly emptyFirst: boolean;
}

/** The tables wanted, and the task version that wants them. */
export interface TableSet {
  readonly version: number;
  readonly tables: readonly SourceTable[];
}

/** Where the log is read from at a first start, instead of from now on. Plain data. */
export type StartPoint =
  /** Seconds since the epoch: changes committed before are left out. */
  | { readonly kind: 'time'; readonly seconds: number }
  /** A place in the source's log, between two transactions. */
  | { readonly kind: 'position'; readonly file: string; readonly position: number }
  /** Behind these transactions: a set of MySQL, or a position of MariaDB. */
  | { readonly kind: 'gtids'; readonly gtids: string };

export interface ReadOptions {
  /** Resume after this point; null at a first start. */
  readonly after: Offset | null;
  readonly tables: TableSet;
  /** At a first start; null is now. */
  readonly start: StartPoint | null;
  readonly signal: AbortSignal;
}

/** The shape of one table, or why it cannot be captured. */
export type Described =
  | { readonly kind: 'shape'; readonly shape: TableVersion }
  | { readonly kind: 'failure'; readonly failure: Failure };

/** Reads one data source's changes. One `read` at a time. */
export interface Source {
  /**
   * Looks up shapes, on a connection of its own while reading goes on: from `progress` where the table was captured
   * before (the shape at the checkpoint's offset), else from the server as it is now.
   * Shape: parallel to `tables`. Errors: PipelineError `transient` or `fatal` when the server cannot be asked.
   */
  describe(
    tables: readonly { readonly id: TableId; readonly progress: TableProgress | null }[],
    signal: AbortSignal,
  ): Promise<readonly Described[]>;
  /**
   * Yields batches until `signal` aborts. Throws a PipelineError: `transient` when a new `read` may go on,
   * `fatal` when it may not.
   */
  read(options: ReadOptions): AsyncIterable<Batch>;
  /**
   * Takes effect between two batches; the first batch whose `version` is the set's tells where. Tables that stay keep
   * flowing; one that left and came back starts afresh. May be called before the former set took effect: the newest wins.
   */
  setTables(next: TableSet): void;
  /** Stops capturing one table that the sink cannot take any more; a batch reports it as FAILED. */
  failTable(table: TableId, failure: Failure): void;
  /** Statements on captured tables since it was opened. */
  readonly ddl: DdlCounts;
  close(): Promise<void>;
}
