import { Refusal } from './refusal.ts';

/** How often something may happen to one table, or one partition, within a time. */
export interface Limit {
  readonly count: number;
  readonly withinMs: number;
}

/** What the service documents; null is not limited. */
export interface Limits {
  readonly uploadsBegun: Limit | null;
  readonly uploadsCommitted: Limit | null;
  /** Of one partition, or of a table without. */
  readonly upsertsCommitted: Limit | null;
}

export const UNLIMITED: Limits = { uploadsBegun: null, uploadsCommitted: null, upsertsCommitted: null };
export const DOCUMENTED_LIMITS: Limits = {
  uploadsBegun: { count: 500, withinMs: 300_000 },
  uploadsCommitted: { count: 75, withinMs: 15_000 },
  upsertsCommitted: { count: 1, withinMs: 60_000 },
};

/** Remembers what happened when, and refuses what comes too often. */
export class Pace {
  limits: Limits = UNLIMITED;
  readonly #now: () => number;
  readonly #times = new WeakMap<object, Map<string, number[]>>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  take(what: keyof Limits, table: object, partition = ''): void {
    const limit = this.limits[what];
    if (limit === null) return;
    const now = this.#now();
    const ofTable = this.#times.get(table) ?? new Map<string, number[]>();
    this.#times.set(table, ofTable);
    const times = (ofTable.get(`${what} ${partition}`) ?? []).filter((time) => time > now - limit.withinMs);
    const isTooOften = times.length >= limit.count;
    if (!isTooOften) times.push(now);
    ofTable.set(`${what} ${partition}`, times);
    if (isTooOften)
      throw new Refusal(429, 'FlowExceeded', `${what}: ${limit.count} within ${limit.withinMs} ms at most`);
  }
}
