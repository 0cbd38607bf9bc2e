import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { describeTable, type TableId } from '../../pipeline/table.ts';
import type { Partition } from './partition.ts';

/** What MaxCompute takes of one table. */
export const PARTITIONS_MAX = 60_000;
/** Beyond it, what the option `partition` names is hardly meant to name partitions. DataWorks ends a task there. */
export const NEW_PARTITIONS_PER_DAY_MAX = 1000;

const DAY_MS = 86_400_000;

/** The partitions of one target, and how many more a run may make: to stop before the service refuses rows (H13). */
export class PartitionLimits {
  readonly #table: TableId;
  readonly #known: Set<string>;
  #day = Number.NaN;
  #newToday = 0;

  /** `known`: those that there are, as `partitionsOf` lists them. */
  constructor(table: TableId, known: Iterable<string>) {
    this.#table = table;
    this.#known = new Set(Array.from(known, normalized));
  }

  /**
   * Before rows of a partition are taken for the first time; `now` in milliseconds since the epoch. Returns whether it is to be
   * made. Errors: PipelineError `table` when it would be one too many.
   */
  admit({ spec }: Partition, now: number): boolean {
    const name = normalized(spec);
    if (spec === '' || this.#known.has(name)) return false;
    const day = Math.floor(now / DAY_MS);
    if (day !== this.#day) this.#newToday = 0;
    this.#day = day;
    if (this.#newToday >= NEW_PARTITIONS_PER_DAY_MAX)
      throw this.#tooMany(`its rows would make more than ${NEW_PARTITIONS_PER_DAY_MAX} new partitions in one day`);
    if (this.#known.size >= PARTITIONS_MAX)
      throw this.#tooMany(`its target has ${this.#known.size} partitions, and MaxCompute takes no more`);
    this.#newToday += 1;
    this.#known.add(name);
    return true;
  }

  #tooMany(what: string): PipelineError {
    return new PipelineError('table', 'Sink.TooManyPartitions', `${describeTable(this.#table)}: ${what}`, {
      table: this.#table,
      hint: 'Partition by something that has fewer values, such as the day of the change; or drop old partitions. Then deploy again.',
    });
  }
}

/** The names of the levels ignore case, their values do not. */
function normalized(spec: string): string {
  return spec.replaceAll(/(^|,)([^=,]+)=/g, (level) => level.toLowerCase());
}
