import { stringifyJson } from '../../lib/json.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { Offset } from '../../pipeline/offset.ts';
import type { Checkpoint, Failure, TableProgress } from '../../pipeline/checkpoint.ts';
import { type TableId, tableKey } from '../../pipeline/table.ts';

/** What has been written to the sink so far: what the next checkpoint will say. */
export class RunState {
  readonly tables = new Map<string, TableProgress>();
  /** What the sink has given up since the tables of a version began to be prepared. */
  readonly failed = new Map<string, Failure>();
  sequence: number;
  /** The version of the last checkpoint. */
  committedVersion: number;
  rowsRead = 0;
  rowsWritten = 0;
  bytesRead = 0;
  checkpointAt: number | null = null;
  /** All changes before this time are durable at the sink; milliseconds since the epoch, null while it is not known. */
  watermarkAt: number | null = null;

  /** Tables that the sink gave up and that the source has not stopped yet: what it still says of them is void. */
  readonly #failing = new Set<string>();
  #offset: Offset | null;
  #version: number;
  /** Time of the oldest change that was taken and is not in a checkpoint; and of the oldest in the commit on its way. */
  #unsavedMicros: number | null = null;
  #flyingMicros: number | null = null;
  /** All changes before this time were taken; and those that the commit on its way will have made durable. */
  #seenAt: number | null = null;
  #flyingSeenAt: number | null = null;
  #isFlying = false;
  #transactionEnd = true;
  /** Rows, or news of tables, that no checkpoint has yet. */
  #unsaved = false;
  #heldSinceMicros: number | null = null;
  /** The offset moved on, and nothing else. */
  #moved = false;

  constructor(from: Checkpoint | null) {
    this.sequence = from?.sequence ?? 0;
    this.committedVersion = from?.version ?? 0;
    this.#version = this.committedVersion;
    this.#offset = from?.offset ?? null;
    for (const progress of from?.tables ?? []) this.tables.set(tableKey(progress.table), progress);
  }

  /** Takes note of a batch that the sink has taken; `now` in milliseconds since the epoch. */
  take(batch: Batch, now: number): void {
    // On an idle server heartbeats come with the offset that is saved already: nothing to write.
    this.#moved ||= batch.parts.length > 0 || !isSame(this.#offset, batch.offset);
    this.#offset = batch.offset;
    this.#transactionEnd = batch.transactionEnd;
    this.#heldSinceMicros = batch.heldSinceMicros;
    if (batch.rows > 0) this.#unsavedMicros ??= batch.timeMicros;
    this.rowsRead += batch.rows;
    this.bytesRead += batch.bytes;
    if (batch.parts.length > 0 || batch.version !== this.#version) this.#unsaved = true;
    this.#version = batch.version;
    for (const part of batch.parts) if (part.kind === 'progress') this.#take(part.progress);
    this.#see(batch, now);
  }

  /** A source that had no more was asked now; of one that had, the newest change says how far it is. */
  #see({ caughtUp, timeMicros }: Batch, now: number): void {
    if (!caughtUp && timeMicros === null) return;
    const seen = caughtUp ? now : Math.floor((timeMicros ?? 0) / 1000);
    this.#seenAt = Math.max(this.#seenAt ?? seen, seen);
    if (!this.#unsaved && !this.#moved && !this.#isFlying) this.watermarkAt = this.#seenAt;
  }

  /** A table that the sink cannot take: FAILED from here on, whatever is still on its way from the source. */
  fail(table: TableId, failure: Failure): void {
    this.failed.set(tableKey(table), failure);
    const progress = this.tables.get(tableKey(table));
    if (progress === undefined || progress.state === 'FAILED' || progress.state === 'REMOVED') return;
    this.#failing.add(tableKey(table));
    this.note({ ...progress, state: 'FAILED', failure });
  }

  note(progress: TableProgress): void {
    this.tables.set(tableKey(progress.table), progress);
    this.#unsaved = true;
  }

  #take(progress: TableProgress): void {
    const key = tableKey(progress.table);
    const isOver = progress.state === 'FAILED' || progress.state === 'REMOVED';
    if (this.#failing.has(key) && !isOver) return;
    this.#failing.delete(key);
    this.note(progress);
  }

  /** Something is to be saved that must not wait. */
  get unsaved(): boolean {
    return this.#unsaved;
  }

  get moved(): boolean {
    return this.#moved;
  }

  get transactionEnd(): boolean {
    return this.#transactionEnd;
  }

  get offset(): Offset | null {
    return this.#offset;
  }

  get version(): number {
    return this.#version;
  }

  /** The checkpoint of this very moment; from here on nothing is unsaved. I2: sequence numbers grow by one. */
  checkpoint(): Checkpoint {
    if (this.#offset === null) throw new Error('a checkpoint before the first batch');
    this.sequence += 1;
    this.#unsaved = false;
    this.#moved = false;
    this.#flyingMicros = this.#unsavedMicros;
    this.#unsavedMicros = null;
    this.#flyingSeenAt = this.#seenAt;
    this.#isFlying = true;
    return { sequence: this.sequence, offset: this.#offset, version: this.#version, tables: [...this.tables.values()] };
  }

  /** A commit that covered `committed` is durable. */
  saved(committed: Checkpoint, now: number): void {
    this.committedVersion = committed.version;
    this.checkpointAt = now;
    this.#flyingMicros = null;
    this.watermarkAt = this.#flyingSeenAt;
    this.#isFlying = false;
  }

  /** How long the oldest change has been held back at the source; null when none is. */
  heldMs(now: number): number | null {
    return this.#heldSinceMicros === null ? null : Math.max(0, Math.round(now - this.#heldSinceMicros / 1000));
  }

  /** How old the oldest change is that is not durable at the sink yet; 0 when there is none. */
  lagMs(now: number): number {
    const oldest = this.#flyingMicros ?? this.#unsavedMicros;
    return oldest === null ? 0 : Math.max(0, Math.round(now - oldest / 1000));
  }
}

function isSame(a: Offset | null, b: Offset): boolean {
  return a !== null && stringifyJson(a) === stringifyJson(b);
}
