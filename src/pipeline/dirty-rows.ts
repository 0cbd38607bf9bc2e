import type { Logger } from '../lib/log.ts';
import { PipelineError } from './pipeline-error.ts';
import { describeTable, type TableId } from './table.ts';

/** Counts the rows that a sink could not take as they stood, against how many are allowed. */
export class DirtyRows {
  /** Since the sink was opened. */
  count = 0;
  /** Of them, those of commits that were made. */
  #settled = 0;
  readonly #limit: number | null;

  /** `limit`: null is unlimited. */
  constructor(limit: number | null) {
    this.#limit = limit;
  }

  /** Those whose commit is still to be made. */
  get open(): number {
    return this.count - this.#settled;
  }

  /** So many of the open ones are of a commit that was made. */
  settle(rows: number): void {
    this.#settled += rows;
  }

  /** Forgets the open ones: they are read again. */
  rewind(): void {
    this.count = this.#settled;
  }

  /** How many more are allowed. */
  get left(): number {
    return this.#limit === null ? Infinity : this.#limit - this.count;
  }

  /** Adds rows that were left out before they were sent, and tells the log; `reason` is of the last. Errors: those of `add`. */
  leaveOut(table: TableId, { rows, reason }: { readonly rows: number; readonly reason: string }, log: Logger): void {
    if (rows === 0) return;
    log.warn({ table, rows, reason }, 'rows left out: dirty data');
    this.add(rows, `${describeTable(table)}: ${reason}`);
  }

  /** Errors: PipelineError `fatal` when they are more than is allowed; it gives the `reason` of the last. */
  add(rows: number, reason: string): void {
    this.count += rows;
    if (this.#limit === null || this.count <= this.#limit) return;
    const many = this.count === 1 ? 'a dirty row' : `${this.count} dirty rows, the last`;
    throw new PipelineError(
      'fatal',
      'Sink.DirtyRowsExceeded',
      `${many} of ${reason}. errorLimit.record allows ${this.#limit}`,
      {
        hint: 'Repair the rows or the target, or raise errorLimit; then start again. The log tells of each ("dirty data").',
      },
    );
  }
}
