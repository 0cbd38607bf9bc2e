import { withCrashPoints } from '../../lib/crash-point.ts';
import type { Checkpoint, CheckpointOwner } from '../../pipeline/checkpoint.ts';
import { withFailed } from '../../pipeline/failed-tables.ts';
import type { FailedTables, Sink } from '../../pipeline/sink.ts';
import type { CheckpointStore } from '../engine.ts';
import type { RunState } from './run-state.ts';

/** When nothing but the offset moved. */
const IDLE_INTERVAL_MS = 1000;
/** How old our copy of a checkpoint that the sink holds may get. */
const COPY_INTERVAL_MS = 5000;

/** Commits what was written, one commit at a time, and saves the checkpoint with it or behind it. */
export class Commits {
  readonly #sink: Sink;
  readonly #store: CheckpointStore;
  readonly #owner: CheckpointOwner;
  readonly #state: RunState;
  readonly #onSaved: (failed: FailedTables) => void;
  #inFlight = false;
  #startedAt = 0;
  #copiedAt = 0;
  #copiedStates = '';

  constructor(options: {
    sink: Sink;
    store: CheckpointStore;
    owner: CheckpointOwner;
    state: RunState;
    /** A commit is durable but for these tables; called before the next one can start, which must know of them. */
    onSaved: (failed: FailedTables) => void;
  }) {
    this.#sink = options.sink;
    this.#store = options.store;
    this.#owner = options.owner;
    this.#state = options.state;
    this.#onSaved = options.onSaved;
  }

  /** Milliseconds until a commit should start; null when there is nothing to commit, or one is on its way. */
  dueIn(now: number): number | null {
    if (this.#inFlight || !this.#mayCommit()) return null;
    const { rows, isFull } = this.#sink.load();
    if (isFull) return 0;
    if (this.#state.unsaved || rows > 0) return Math.max(0, this.#startedAt + this.#sink.commitIntervalMs - now);
    return this.#state.moved ? Math.max(0, this.#startedAt + IDLE_INTERVAL_MS - now) : null;
  }

  /** Starts one; resolves once it is durable. Errors: what the sink or the store threw. */
  async start(now: number): Promise<void> {
    this.#startedAt = now;
    this.#inFlight = true;
    await this.#commit(this.#state.checkpoint());
    this.#inFlight = false; // not after a failure: what became of it is unknown, and nothing may follow it
  }

  /** Commits what is left, if the last batch ended a transaction. None may be on its way. */
  async finish(): Promise<void> {
    if (!this.#state.transactionEnd || !(this.#state.unsaved || this.#state.moved)) return;
    this.#copiedAt = 0; // the last checkpoint is always copied
    await this.start(Date.now());
  }

  /** True when all that was taken is durable. */
  get isSettled(): boolean {
    const { offset, unsaved, moved } = this.#state;
    return offset !== null && !unsaved && !moved && !this.#inFlight;
  }

  #mayCommit(): boolean {
    if (this.#state.offset === null) return false;
    // A source transaction that is larger than the sink has room for is committed in pieces.
    return this.#state.transactionEnd || this.#sink.load().isFull;
  }

  /** I1: durable in the sink, then remembered. */
  async #commit(checkpoint: Checkpoint): Promise<void> {
    const { failed, rowsWritten } = await withCrashPoints('sink commit', () => this.#sink.commit(checkpoint));
    if (!this.#sink.holdsCheckpoint || this.#isCopyDue(checkpoint)) {
      const saved = withFailed(checkpoint, failed);
      await this.#store.save(this.#owner, { checkpoint: saved, heldBySink: this.#sink.holdsCheckpoint });
      this.#copiedAt = Date.now();
    }
    this.#state.rowsWritten += rowsWritten;
    this.#state.saved(checkpoint, Date.now());
    this.#onSaved(failed);
  }

  #isCopyDue({ tables, version }: Checkpoint): boolean {
    const states = `${version} ${tables.map(({ state }) => state).join()}`;
    const due = states !== this.#copiedStates || Date.now() - this.#copiedAt > COPY_INTERVAL_MS;
    this.#copiedStates = states;
    return due;
  }
}
