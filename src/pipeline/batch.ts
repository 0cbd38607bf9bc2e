import type { TableProgress } from './checkpoint.ts';
import type { Offset } from './offset.ts';
import type { ColumnSet, TableVersion } from './table.ts';
import type { ValueVisitor } from './value-visitor.ts';

export type RowOp = 'insert' | 'update' | 'delete' | 'read';
export type RowImage = 'before' | 'after';

/**
 * Rows of one table version, changed by one statement, or read by a snapshot (op `read`).
 * Shape: `count` rows, numbered from 0. insert and read have an `after` image, delete a `before`, update both.
 */
export interface RowsPart {
  readonly kind: 'rows';
  readonly op: RowOp;
  readonly table: TableVersion;
  readonly count: number;
  /** When the source committed (or, for `read`, selected) them; microseconds since the epoch. */
  readonly timeMicros: number;
  /** Calls `visitor` once per column of `columns`, in column order. Allocates nothing. */
  visit(row: number, image: RowImage, columns: ColumnSet, visitor: ValueVisitor): void;
}

/**
 * The table's shape changed here, in log order; rows that follow are of `table`. Names are those of the target's columns; what a
 * policy does not forward is not in it, but for columns that may be NULL from here on: those dropped, and some modified.
 */
export interface SchemaPart {
  readonly kind: 'schema';
  readonly table: TableVersion;
  readonly added: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  /** No longer in `table`: the target keeps them, with the values they have. */
  readonly dropped: readonly string[];
  /** Of another type, or nullable now. */
  readonly modified: readonly string[];
}

/** The sink's table is to be emptied here: what an earlier load of this task left in it is void. */
export interface EmptyPart {
  readonly kind: 'empty';
  readonly table: TableVersion;
}

/** A table of this task has a new state from here on; stored with the checkpoint of this place. */
export interface ProgressPart {
  readonly kind: 'progress';
  readonly progress: TableProgress;
}

export type Part = RowsPart | SchemaPart | EmptyPart | ProgressPart;

/** A piece of the log. Its rows are valid until the next batch is asked for: a sink keeps only its own encoding. */
export interface Batch {
  /** In log order. */
  readonly parts: readonly Part[];
  /** Row images counted once per change. */
  readonly rows: number;
  /** Bytes taken from the source, for back-pressure and metrics. */
  readonly bytes: number;
  /** Where to resume once this batch is durable. */
  readonly offset: Offset;
  /** False while a source transaction is open at the end of this batch. */
  readonly transactionEnd: boolean;
  /** The task version whose table list is in effect at the end of this batch. */
  readonly version: number;
  /** Commit time of the newest change seen, microseconds since the epoch; null before the first. */
  readonly timeMicros: number | null;
  /** True when the source had delivered all it had: the lag is nil even if the last change is old. */
  readonly caughtUp: boolean;
  /** Since when the oldest change is held back until its outcome is known (XA), microseconds since the epoch; null for none. */
  readonly heldSinceMicros: number | null;
}
