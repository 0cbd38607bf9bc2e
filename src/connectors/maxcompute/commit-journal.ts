import { parseJson, stringifyJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json-value.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import type { SinkJournal } from '../../pipeline/journal.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { progressText } from '../../pipeline/progress-text.ts';
import type { TargetId } from '../../pipeline/route.ts';
import type { TableId } from '../../pipeline/table.ts';

/** A session of the tunnel that is about to be committed: all of its blocks are stored at the service. */
export interface SessionNote {
  readonly kind: 'upsert' | 'upload';
  readonly id: string;
  readonly table: TableId;
  readonly target: TargetId;
  /** Such as `pt=20240101`; empty for a table without partitions. */
  readonly partition: string;
  /** Of an upload: blocks 0 to `blocks - 1`. */
  readonly blocks: number;
  readonly rows: number;
}

/**
 * What the journal's record says. No transaction spans sessions, so a commit is three steps: `pending` is written, the
 * sessions are committed, and its checkpoint becomes `done`. Whoever finds `pending` finishes it, or takes all of it back.
 */
export interface CommitRecord {
  /** All before it is visible; null before the first commit. */
  readonly done: Checkpoint | null;
  readonly pending: { readonly checkpoint: Checkpoint; readonly sessions: readonly SessionNote[] } | null;
}

const NOTHING: CommitRecord = { done: null, pending: null };

/** The task's record of its commits, in our own store. Every write is refused once another instance of the task has written. */
export class CommitJournal {
  record: CommitRecord = NOTHING;
  readonly #journal: SinkJournal;
  #revision = 0;

  constructor(journal: SinkJournal) {
    this.#journal = journal;
  }

  async load(): Promise<CommitRecord> {
    const { revision, record } = await this.#journal.read();
    this.#revision = revision;
    this.record = record === null ? NOTHING : (parseJson(record) as unknown as CommitRecord);
    return this.record;
  }

  /** These sessions will be committed, and then all before `checkpoint` is visible. Errors: PipelineError `fatal` for another instance. */
  begin(checkpoint: Checkpoint, sessions: readonly SessionNote[]): Promise<void> {
    return this.#write({ ...this.record, pending: { checkpoint, sessions } });
  }

  /** All before `checkpoint` is visible; null: nothing is. Errors: as `begin`. */
  settle(checkpoint: Checkpoint | null): Promise<void> {
    return this.#write({ done: checkpoint, pending: null });
  }

  async #write(record: CommitRecord): Promise<void> {
    const revision = await this.#journal.write(recordText(record), this.#revision);
    if (revision === null)
      throw new PipelineError('fatal', 'Sink.CheckpointConflict', 'another instance of this task has committed', {
        hint: 'Find the other instance: only one may run. Stop it, then start this task again.',
      });
    this.#revision = revision;
    this.record = record;
  }
}

/** The texts of tables come from where they are kept: most of them are the same from one commit to the next. */
function recordText({ done, pending }: CommitRecord): string {
  const sessions = pending === null ? '' : stringifyJson(pending.sessions as unknown as Json);
  const pendingText =
    pending === null ? 'null' : `{"checkpoint":${checkpointText(pending.checkpoint)},"sessions":${sessions}}`;
  return `{"done":${done === null ? 'null' : checkpointText(done)},"pending":${pendingText}}`;
}

function checkpointText({ sequence, offset, version, tables }: Checkpoint): string {
  return `{"sequence":${sequence},"offset":${stringifyJson(offset)},"version":${version},"tables":[${tables.map(progressText).join()}]}`;
}
