import { withCrashPoints } from '../../lib/crash-point.ts';
import { inParallel } from '../../lib/in-parallel.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import { withFailed } from '../../pipeline/failed-tables.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { CommitResult } from '../../pipeline/sink.ts';
import type { TableId } from '../../pipeline/table.ts';
import { alterTarget } from './alter-target.ts';
import type { CommitBuffer, TableChanges } from './encode/commit-buffer.ts';
import type { CommitJournal, SessionNote } from './commit-journal.ts';
import { commitSession } from './commit-session.ts';
import { isRefusal, toPipelineError } from './errors.ts';
import { describeTarget } from './names.ts';
import { retryRuleOf } from './protocol/retry-rule.ts';
import { RowStream } from './protocol/row-stream.ts';
import { UpsertSession } from './protocol/upsert-session.ts';
import { beginSession, type StoreRows, StoredSlice } from './store-rows.ts';
import type { Target } from './target.ts';

/** Statements and sessions that are begun at the same time. */
const BEGIN_LIMIT = 8;
/** Blocks on their way at the same time: each is held twice, as it is and packed. */
const BLOCK_LIMIT = 3;
/** Sessions that are committed at the same time; the service takes 32 of one table. */
const COMMIT_LIMIT = 16;

export interface CommitAttemptOptions extends StoreRows {
  readonly journal: CommitJournal;
  readonly buffer: CommitBuffer;
  readonly checkpoint: Checkpoint;
  /** That blocks are written into, and then again; as many as are needed are added. */
  readonly streams: RowStream[];
}

/**
 * One commit: alters the targets, stores all rows in sessions that nobody sees, notes the sessions and the checkpoint, and makes
 * them visible. A table that is refused is left out; whatever else fails leaves the commit to `recover`.
 */
export class CommitAttempt {
  readonly #options: CommitAttemptOptions;
  /** As its rows were encoded for: while it is on its way, rows of a newer shape may come. */
  readonly #columns: ReadonlyMap<Target, Target['columns']>;
  readonly #failed = new Map<Target, PipelineError>();
  readonly #stored: StoredSlice[] = [];

  constructor(options: CommitAttemptOptions) {
    this.#options = options;
    this.#columns = new Map(options.buffer.tables().map(({ target }) => [target, target.columns]));
  }

  /** Errors: PipelineError `transient` when the outcome is to be looked for; `fatal` for another instance. */
  async run(): Promise<CommitResult> {
    const { journal, checkpoint } = this.#options;
    await this.#alter();
    await this.#begin();
    await withCrashPoints('rows stored', () => this.#store());
    const flowing = this.#stored.filter(({ target }) => !this.#failed.has(target));
    if (flowing.length > 0) {
      await journal.begin(this.#mark(checkpoint), flowing.map(noteOf));
      await this.#makeVisible(flowing);
    }
    await journal.settle(this.#mark(checkpoint));
    const written = flowing.filter(({ target }) => !this.#failed.has(target));
    return {
      failed: this.#failures(),
      rowsWritten: written.reduce((sum, { slice }) => sum + slice.rows.count, 0),
    };
  }

  #alter(): Promise<void> {
    const altered = this.#options.buffer.tables().filter(({ truncate, added }) => truncate || added.size > 0);
    return inParallel(altered, BEGIN_LIMIT, (changes) =>
      this.#of(changes.target, 'altering', () => alterTarget(changes, this.#options)),
    );
  }

  #begin(): Promise<void> {
    const slices = this.#options.buffer
      .tables()
      .flatMap(({ target, slices: own }: TableChanges) => [...own.values()].map((slice) => ({ target, slice })));
    return inParallel(slices, BEGIN_LIMIT, ({ target, slice }) =>
      this.#of(target, 'beginning a session of', async () => {
        const session = await beginSession({ target, columns: this.#columns.get(target) ?? [] }, slice, this.#options);
        this.#stored.push(new StoredSlice(target, slice, session));
      }),
    );
  }

  async #store(): Promise<void> {
    const { streams } = this.#options;
    const tasks = function* (stored: readonly StoredSlice[], store: StoreRows) {
      for (const one of stored) for (const task of one.tasks(store)) yield { target: one.target, task };
    };
    await inParallel(tasks(this.#stored, this.#options), BLOCK_LIMIT, ({ target, task }) =>
      this.#of(target, 'storing rows of', async () => {
        const stream = streams.pop() ?? new RowStream();
        await task(stream);
        streams.push(stream);
      }),
    );
    const left = this.#stored.filter(({ target }) => this.#failed.has(target));
    await inParallel(left, BEGIN_LIMIT, ({ session }) => giveUp(session, this.#options.signal));
  }

  #makeVisible(flowing: readonly StoredSlice[]): Promise<void> {
    return inParallel(flowing, COMMIT_LIMIT, ({ target, session }) =>
      this.#of(target, 'committing', async () => {
        const state = await commitSession(session, this.#options.service, this.#options.signal);
        if (state === 'committed') return;
        throw new PipelineError(
          'transient',
          'Sink.Unavailable',
          `committing ${describeTarget(target.id)}: the session is ${state === 'lost' ? 'lost' : 'still being committed'}`,
          { hint: 'The run finds out what became of it, and goes on from there by itself.' },
        );
      }),
    );
  }

  /** A refusal concerns the table; after the first, nothing is done for it. */
  async #of(target: Target, doing: string, work: () => Promise<void>): Promise<void> {
    if (this.#failed.has(target)) return;
    try {
      await work();
    } catch (error) {
      const what = `${doing} ${describeTarget(target.id)}`;
      const { table } = target;
      const found = toPipelineError(asAltered(error), what, isRefusal(error) ? { table } : {});
      if (found.kind !== 'table') throw found;
      this.#failed.set(target, found);
    }
  }

  #mark(checkpoint: Checkpoint): Checkpoint {
    return withFailed(checkpoint, this.#failures());
  }

  #failures(): { table: TableId; error: PipelineError }[] {
    return [...this.#failed].map(([{ table }, error]) => ({ table, error }));
  }
}

/** The service says that the table is another than the session's. */
function asAltered(error: unknown): unknown {
  if (retryRuleOf(error).kind !== 'schema') return error;
  return new PipelineError('transient', 'Sink.TargetAltered', 'the target was altered while rows were written', {
    cause: error,
    hint: 'The run looks at the table and reads its rows again by itself.',
  });
}

/** Nothing of it was committed; what cannot be given up expires. */
async function giveUp(session: StoredSlice['session'], signal: AbortSignal): Promise<void> {
  if (session instanceof UpsertSession) await session.abort(signal).catch(() => {});
}

function noteOf({ session, target, slice, blocks }: StoredSlice): SessionNote {
  return {
    kind: session instanceof UpsertSession ? 'upsert' : 'upload',
    id: session.id,
    table: target.table,
    target: target.id,
    partition: slice.partition.spec,
    blocks,
    rows: slice.rows.count,
  };
}
