/** Closed, both ends in it. Numbers go up to 2^63, so they are bigint. */
interface Interval {
  readonly start: bigint;
  end: bigint;
}

/** The id of one transaction. MySQL: source is `uuid` or `uuid:tag`. MariaDB: `domain-server`. */
export interface Gtid {
  readonly source: string;
  readonly number: bigint;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const INTERVAL = /^(\d+)(?:-(\d+))?$/;

/**
 * A set of MySQL transaction ids: per source (uuid, or uuid:tag) the closed intervals of its numbers.
 * Text form as the server prints it: `uuid:1-5:7,uuid2:tag:1-3`.
 */
export class GtidSet {
  /** Per source in ascending order, with a gap between each and the next; none is empty. */
  readonly #intervals = new Map<string, Interval[]>();

  /**
   * White space is ignored, as are intervals that end before they begin: the server does so too.
   * Errors: Error if the text is no set.
   */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const part of text.replace(/\s+/g, '').toLowerCase().split(',')) {
      if (part === '') continue;
      const [uuid = '', ...fields] = part.split(':');
      if (!UUID.test(uuid) || fields.length === 0) throw new Error(`${part} is no part of a GTID set`);
      let source = uuid;
      for (const field of fields) {
        const [, start, end = start] = INTERVAL.exec(field) ?? [];
        if (start !== undefined && end !== undefined && BigInt(start) > 0n)
          set.addInterval(source, BigInt(start), BigInt(end));
        else if (start === undefined && TAG.test(field)) source = `${uuid}:${field}`;
        else throw new Error(`${field} in ${part} is no part of a GTID set`);
      }
    }
    return set;
  }

  get isEmpty(): boolean {
    return this.#intervals.size === 0;
  }

  add({ source, number }: Gtid): void {
    this.addInterval(source, number, number);
  }

  addInterval(source: string, start: bigint, end: bigint): void {
    if (end < start) return;
    const intervals = this.#intervals.get(source);
    const last = intervals?.at(-1);
    if (last !== undefined && start === last.end + 1n)
      last.end = end; // the usual case: the next transaction
    else this.#intervals.set(source, merged([...(intervals ?? []), { start, end }]));
  }

  has({ source, number }: Gtid): boolean {
    const intervals = this.#of(source);
    let [low, high] = [0, intervals.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((intervals[middle]?.end ?? 0n) < number) low = middle + 1;
      else high = middle;
    }
    const found = intervals[low];
    return found !== undefined && number >= found.start;
  }

  /** What is in this set or in the other. */
  union(other: GtidSet): GtidSet {
    const result = new GtidSet();
    for (const source of new Set([...this.#intervals.keys(), ...other.#intervals.keys()]))
      result.#set(source, merged([...this.#of(source), ...other.#of(source)]));
    return result;
  }

  /** What is in this set and not in the other. */
  subtract(other: GtidSet): GtidSet {
    const result = new GtidSet();
    for (const [source, intervals] of this.#intervals) result.#set(source, difference(intervals, other.#of(source)));
    return result;
  }

  /** What is in this set and in the other. */
  intersect(other: GtidSet): GtidSet {
    return this.subtract(this.subtract(other));
  }

  /** True when this set has all of the other. */
  contains(other: GtidSet): boolean {
    return other.subtract(this).isEmpty;
  }

  toString(): string {
    return [...this.#intervals]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([source, intervals]) =>
        [source, ...intervals.map(({ start, end }) => (start === end ? `${start}` : `${start}-${end}`))].join(':'),
      )
      .join(',');
  }

  #of(source: string): readonly Interval[] {
    return this.#intervals.get(source) ?? [];
  }

  #set(source: string, intervals: Interval[]): void {
    if (intervals.length > 0) this.#intervals.set(source, intervals);
  }
}

function merged(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const { start, end } of intervals.toSorted((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = result.at(-1);
    if (last === undefined || start > last.end + 1n) result.push({ start, end });
    else if (end > last.end) last.end = end;
  }
  return result;
}

/** Both ascending and disjoint. */
function difference(intervals: readonly Interval[], without: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  const holes = without.values();
  let hole = holes.next().value;
  for (const { start, end } of intervals) {
    let from = start;
    while (hole !== undefined && hole.start <= end) {
      if (hole.start > from) result.push({ start: from, end: hole.start - 1n });
      if (hole.end >= from) from = hole.end + 1n;
      if (hole.end > end) break; // it may reach into the next interval
      hole = holes.next().value;
    }
    if (from <= end) result.push({ start: from, end });
  }
  return result;
}
