/** What a journal holds. */
export interface JournalEntry {
  /** Grows by one with each write, whoever writes. */
  readonly revision: number;
  /** Null when nothing was written for this incarnation of the task. */
  readonly record: string | null;
}

/**
 * One durable record of a task in our own store, for sinks whose system cannot hold the checkpoint beside the rows: what they
 * are about to make visible is written down before, so that a crash leaves no doubt. The record is the sink's own, as text.
 * Errors: PipelineError `transient` when the store cannot be read or written.
 */
export interface SinkJournal {
  read(): Promise<JournalEntry>;
  /**
   * Replaces the record if its revision is still `after`; durable when it returns the new revision. Null: another instance
   * of the task has written, and nothing was changed.
   */
  write(record: string, after: number): Promise<number | null>;
}
