import type { Gtid } from './offset/gtid-set.ts';
import type { PassedGtids } from './offset/passed-gtids.ts';
import type { LogPosition } from './offset/position.ts';
import type { GroupStart } from './protocol/group-events.ts';

/** A group that no event named. */
export const UNNAMED_GROUP: GroupStart = {
  gtid: null,
  standalone: false,
  prepares: false,
  commitMicros: null,
  originMicros: null,
};

/**
 * Follows where groups of events begin and end: a transaction, or one statement that commits itself.
 * The stream can be resumed at a boundary, or inside a group by passing over the row events that were delivered.
 */
export class GroupTracker {
  /** Where the group that is open began; else where the last one ended. */
  boundary: LogPosition;
  open = false;
  /** Row events of the open group so far, delivered or not. */
  rowEvents = 0;
  /** Of the open group; else of the last one. Microseconds since the epoch; null before the first. */
  timeMicros: number | null = null;
  /** The transactions up to `boundary`. */
  readonly passed: PassedGtids;

  #start: GroupStart | null = null;
  #wasPassed = false;
  #explicit = false;
  #skip = 0;

  constructor(boundary: LogPosition, passed: PassedGtids) {
    this.boundary = boundary;
    this.passed = passed;
  }

  /** Of the group that is open; null where it has none. */
  get gtid(): Gtid | null {
    return this.#start?.gtid ?? null;
  }

  /** `wasPassed`: the transaction is among the passed ones already. */
  begin(start: GroupStart, timestamp: number, wasPassed = false): void {
    this.open = true;
    this.rowEvents = 0;
    this.#start = start;
    this.#wasPassed = wasPassed;
    this.#explicit = false;
    this.timeMicros = start.commitMicros ?? timestamp * 1e6;
  }

  /** A statement in the log; returns true when the group ended with it. `after` is behind it. */
  statement(sql: string, timestamp: number, after: LogPosition): boolean {
    const word = /^\s*(?:BEGIN|START\s+TRANSACTION|XA\s+START|XA\s+BEGIN)\b/i.test(sql)
      ? 'begin'
      : /^\s*(?:COMMIT|ROLLBACK(?!\s+(?:WORK\s+)?TO\b))/i.test(sql)
        ? 'end'
        : 'other';
    if (!this.open) this.begin(UNNAMED_GROUP, timestamp);
    if (word === 'begin') {
      this.#explicit = true;
      return false;
    }
    // Between BEGIN and COMMIT other statements are part of the group; on their own they are the group.
    if (word === 'other' && (this.#explicit || this.rowEvents > 0) && this.#start?.standalone !== true) return false;
    this.end(after);
    return true;
  }

  /** The group ends with its commit, which no statement began: MariaDB says BEGIN by its GTID event alone. */
  markExplicit(): void {
    this.#explicit = true;
  }

  /** So many row events of the group that begins here were delivered before the stream was resumed. */
  skip(rowEvents: number): void {
    this.#skip = rowEvents;
  }

  /** A row event begins; returns false when it was delivered before the stream was resumed. */
  rows(timestamp: number): boolean {
    if (!this.open) this.begin(UNNAMED_GROUP, timestamp);
    this.rowEvents += 1;
    return this.rowEvents > this.#skip;
  }

  end(after: LogPosition): void {
    if (!this.#wasPassed) this.passed.add(this.#start);
    this.open = false;
    if (this.rowEvents > 0) this.#skip = 0;
    this.rowEvents = 0;
    this.#start = null;
    this.boundary = after;
  }

  /** Outside of a group: the log went on to `position` without one. */
  moveTo(position: LogPosition): void {
    if (!this.open) this.boundary = position;
  }
}
