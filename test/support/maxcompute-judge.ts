/** A row (id, n, v) where `n` counts the changes of its key (counting-writer.ts). */
export type CountedRow = readonly (string | null)[];

/** What a target shows of a source table: what is wrong with it, and the rows that it comes to. */
export interface Verdict {
  /** Row changes that it has. */
  readonly changes: number;
  readonly faults: readonly string[];
  /** Of each key the row, as JSON. */
  readonly rows: ReadonlyMap<string, string>;
}

/** A Delta table has the rows as they are, each key once. */
export function judgeDelta(rows: readonly CountedRow[]): Verdict {
  const found = new Map(rows.map((row) => [String(row[0]), JSON.stringify(row)]));
  const faults = found.size === rows.length ? [] : [`${rows.length - found.size} keys are there twice`];
  return { changes: rows.length, faults, rows: found };
}

/**
 * A log has every change once: the counter of each key goes on by one, in the order of the sequence ids. Behind a row `T` all
 * before is void: the table was loaded afresh. A loaded row may repeat what its key had.
 */
export function judgeLog(log: readonly CountedRow[]): Verdict {
  const faults: string[] = [];
  const known = new Map<string, string>();
  const rows = new Map<string, string>();
  const seen = new Set<string>();
  for (const row of log.toSorted(byPlace)) {
    const [sequence, op, , , isAfter, id, n, v] = row;
    const name = `${sequence} ${op} ${isAfter} ${id}`;
    if (seen.has(name)) faults.push(`${name} is there twice`);
    seen.add(name);
    if (op === 'T') {
      known.clear();
      rows.clear();
      continue;
    }
    const key = String(id);
    const before = known.get(key);
    const count = String(n);
    if (isAfter === 'N') {
      if (before !== undefined && before !== count) faults.push(`${name} was ${count}, after ${before}`);
      rows.delete(key);
    } else {
      const isNext = before === undefined || Number(count) === Number(before) + 1;
      const isRepeat = op === 'I' && before === count;
      if (!isNext && !isRepeat) faults.push(`${name} becomes ${count}, after ${before}`);
      rows.set(key, JSON.stringify([id, n, v]));
    }
    known.set(key, count);
  }
  return { changes: log.length, faults, rows };
}

/** By place in the log; of the two rows of one change, the values before it first. */
function byPlace(a: CountedRow, b: CountedRow): number {
  const [left, right] = [`${a[0]} ${a[4]}`, `${b[0]} ${b[4]}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** An append table has the new values of each change once: for each key, a counter without gaps. Deletes leave nothing. */
export function judgeAppend(list: readonly CountedRow[]): Verdict {
  const faults: string[] = [];
  const counts = new Map<string, Set<number>>();
  const rows = new Map<string, string>();
  const last = new Map<string, number>();
  for (const row of list) {
    const key = String(row[0]);
    const count = Number(row[1]);
    const ofKey = counts.get(key) ?? new Set();
    counts.set(key, ofKey);
    if (ofKey.has(count)) faults.push(`${key} ${count} is there twice`);
    ofKey.add(count);
    if (count < (last.get(key) ?? 0)) continue;
    last.set(key, count);
    rows.set(key, JSON.stringify(row));
  }
  for (const [key, ofKey] of counts) {
    const least = Math.min(...ofKey);
    const most = Math.max(...ofKey);
    if (most - least + 1 !== ofKey.size) faults.push(`${key} has ${ofKey.size} of the counts ${least} to ${most}`);
  }
  return { changes: list.length, faults, rows };
}
