import { PipelineError } from './pipeline-error.ts';

/** Counts the rows that a sink could not take as they stood, against how many are allowed. */
export class DirtyRows {
  /** Since the sink was opened. */
  count = 0;
  readonly #limit: number | null;

  /** `limit`: null is unlimited. */
  constructor(limit: number | null) {
    this.#limit = limit;
  }

  /** How many more are allowed. */
  get left(): number {
    return this.#limit === null ? Infinity : this.#limit - this.count;
  }

  /** Errors: PipelineError `fatal` when they are more than is allowed. */
  add(rows: number): void {
    this.count += rows;
    if (this.#limit === null || this.count <= this.#limit) return;
    throw new PipelineError('fatal', 'Sink.DirtyRowsExceeded', `${this.count} dirty rows; ${this.#limit} are allowed`, {
      hint: 'Look for "dirty data" in the log, repair the rows or the target, or raise errorLimit; then start again.',
    });
  }
}
