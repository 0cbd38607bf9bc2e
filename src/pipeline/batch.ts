import type { TableProgress } from './checkpoint.ts';
import type { Offset } from './offset.ts';
import type { DdlKind } from './policies.ts';
import type { ColumnSet, TableVersion } from './table.ts';
import type { ValueVisitor } from './value-visitor.ts';

export type RowOp = 'insert' | 'update' | 'delete' | 'read';
export type RowImage = 'before' | 'after';

/** The server that a part comes from. */
export interface SourceServer {
  /** The kind of system, such as `mysql` or `mariadb`. */
  readonly system: string;
  readonly version: string;
  /** Its number among the servers that replicate from one another (`server_id`). */
  readonly id: number;
}

/**
 * Where in the source's log a part comes from. Orders the parts of one source, and is the same in every replay within an
 * epoch. Of a `read` it is the place where the chunk joins the log: before every change behind it.
 */
export interface LogPlace {
  readonly server: SourceServer;
  /** Grows whenever the server, or the history of its log, becomes another. */
  readonly epoch: number;
  readonly file: string;
  /** Orders files. */
  readonly fileNumber: number;
  /** Bytes from the begin of the file to the event. */
  readonly position: number;
  /** What lies at one position may hold many parts: row i of this one is `within + i` of it. */
  readonly within: number;
  /** Of the transaction, as the source writes it; null where it has none. */
  readonly gtid: string | null;
}

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
  readonly place: LogPlace;
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

/**
 * A statement on the table whose policy forwards it, in log order, before the parts that say what it changes. For sinks that
 * hand on what happened; those that hold tables need only the other parts.
 */
export interface DdlPart {
  readonly kind: 'ddl';
  readonly table: TableVersion;
  readonly ddl: DdlKind;
  /** Its SQL text. */
  readonly statement: string;
  readonly timeMicros: number;
  readonly place: LogPlace;
}

/** The sink's table is to be emptied here: what an earlier load of this task left in it, or the source had, is void. */
export interface EmptyPart {
  readonly kind: 'empty';
  readonly table: TableVersion;
  /** When; microseconds since the epoch. */
  readonly timeMicros: number;
  /** Behind every change that is void, not behind what comes next. */
  readonly place: LogPlace;
}

/** A table of this task has a new state from here on; stored with the checkpoint of this place. */
export interface ProgressPart {
  readonly kind: 'progress';
  readonly progress: TableProgress;
}

export type Part = RowsPart | SchemaPart | DdlPart | EmptyPart | ProgressPart;

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
