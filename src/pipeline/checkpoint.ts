import type { Json } from '../lib/json-value.ts';
import type { Offset } from './offset.ts';
import type { TableId } from './table.ts';

/*
 *   WAITING ──► SNAPSHOTTING ──► STREAMING ──► REMOVED
 *      │             │               │
 *      └─────────────┴──► FAILED ◄───┘     FAILED ──► SNAPSHOTTING on retry
 *   PAUSED is shown, never stored: the state of every table of a run that stands still.
 */
export type TableState = 'WAITING' | 'SNAPSHOTTING' | 'STREAMING' | 'PAUSED' | 'FAILED' | 'REMOVED';

/** What failed, why, and what to do: for a table that failed alone, or for a run that stopped. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}

/** Where one table of a run stands. */
export interface TableProgress {
  readonly table: TableId;
  readonly state: TableState;
  readonly chunksDone: number;
  /** An estimate until the load has ended. */
  readonly chunksAll: number;
  /** Rows loaded by the snapshot so far. */
  readonly rows: number;
  readonly failure: Failure | null;
  /** The source's own: what it needs to go on with the load and to decode this table after a restart. */
  readonly resume: Json;
}

/** All that a run needs to go on after any crash. Saved as small records: only what changed is written. */
export interface Checkpoint {
  /** Grows by one with each commit of an incarnation (I2). */
  readonly sequence: number;
  readonly offset: Offset;
  /** The task version whose table list has been applied. */
  readonly version: number;
  readonly tables: readonly TableProgress[];
}

/** Whose checkpoint: a foreign installation, task or incarnation is never taken for one's own. */
export interface CheckpointOwner {
  readonly installation: string;
  readonly task: string;
  /** New at every first start. */
  readonly incarnation: string;
}
