import { setTimeout as sleep } from 'node:timers/promises';

/** While others write, a load leaves them a part of the machine: behind a chunk it rests half as long as that took, at most this. */
const REST_MAX_MS = 25;

/**
 * How fast existing rows are read: at most so many a second over all tables, by the clock, so that a pause is not made up
 * for by a burst. One for all lanes of a run.
 */
export class LoadPace {
  readonly #rowsPerSecondMax: number | null;
  readonly #now: () => number;
  /** When the rows that were read so far are paid for. */
  #paidAt = 0;

  /** `now`: milliseconds that only go forward. */
  constructor(rowsPerSecondMax: number | null, now: () => number) {
    this.#rowsPerSecondMax = rowsPerSecondMax;
    this.#now = now;
  }

  now(): number {
    return this.#now();
  }

  /** No more than a second's worth at once. */
  limit(rows: number): number {
    return Math.min(rows, this.#rowsPerSecondMax ?? rows);
  }

  /** Rows were read: the next read waits until their time is over. */
  took(rows: number): void {
    if (this.#rowsPerSecondMax === null) return;
    this.#paidAt = Math.max(this.#paidAt, this.#now()) + (rows * 1000) / this.#rowsPerSecondMax;
  }

  /** Waits for the rate; and, where others write, rests after a read that took `lastMs`. */
  async wait(lastMs: number, othersWrite: boolean): Promise<void> {
    const rest = othersWrite ? Math.min(REST_MAX_MS, lastMs / 2) : 0;
    const ms = Math.max(rest, this.#paidAt - this.#now());
    if (ms >= 1) await sleep(ms);
  }
}
