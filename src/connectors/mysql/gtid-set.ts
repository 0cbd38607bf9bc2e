interface Interval {
  start: number;
  end: number;
}

/**
 * A set of MySQL transaction ids: per source (uuid, or uuid:tag) the closed intervals of its numbers.
 * Text form as the server prints it: `uuid:1-5:7,uuid2:tag:1-3`.
 */
export class GtidSet {
  readonly #intervals = new Map<string, Interval[]>();

  /** Errors: Error if the text is no set. White space is ignored. */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const part of text.replace(/\s+/g, '').split(',')) {
      if (part === '') continue;
      const [uuid = '', ...rest] = part.split(':');
      let source = uuid.toLowerCase();
      for (const field of rest) {
        const match = /^(\d+)(?:-(\d+))?$/.exec(field);
        if (match === null) {
          source = `${uuid.toLowerCase()}:${field.toLowerCase()}`;
          continue;
        }
        const start = Number(match[1]);
        set.#add(source, start, Number(match[2] ?? match[1]));
      }
    }
    return set;
  }

  add(source: string, number: number): void {
    this.#add(source, number, number);
  }

  has(source: string, number: number): boolean {
    return this.#intervals.get(source)?.some(({ start, end }) => number >= start && number <= end) ?? false;
  }

  toString(): string {
    const sources = [...this.#intervals.keys()].sort();
    return sources
      .map((source) => {
        const intervals = this.#intervals.get(source) ?? [];
        return [source, ...intervals.map(({ start, end }) => (start === end ? `${start}` : `${start}-${end}`))].join(
          ':',
        );
      })
      .join(',');
  }

  #add(source: string, start: number, end: number): void {
    const intervals = this.#intervals.get(source);
    if (intervals === undefined) {
      this.#intervals.set(source, [{ start, end }]);
      return;
    }
    const last = intervals.at(-1);
    if (last !== undefined && start === last.end + 1) {
      last.end = end; // the usual case: the next transaction
      return;
    }
    intervals.push({ start, end });
    this.#intervals.set(source, merged(intervals));
  }
}

function merged(intervals: Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const next of intervals.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && next.start <= last.end + 1) last.end = Math.max(last.end, next.end);
    else result.push({ ...next });
  }
  return result;
}
