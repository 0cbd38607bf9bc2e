import type { Logger } from '../../lib/log.ts';
import { Mailbox } from '../../lib/mailbox.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { TargetId } from '../../pipeline/route.ts';
import type { FailedTables, Sink } from '../../pipeline/sink.ts';
import type { Source, TableSet } from '../../pipeline/source.ts';
import type { CheckpointStore } from '../engine.ts';
import { Commits } from './commits.ts';
import { recoverCheckpoint } from './recover-checkpoint.ts';
import { RunState } from './run-state.ts';
import { failTables, prepareTables, type TableChangeParts } from './table-changes.ts';

export interface PipelineParts {
  readonly source: Source;
  readonly sink: Sink;
  readonly store: CheckpointStore;
  readonly control: RunControl;
  readonly retryFailed: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called with the state once it is known, and again after each commit. */
  report(state: RunState): void;
  filled(targets: readonly TargetId[]): Promise<void>;
}

/** Where a run hears of newer versions of its definition. */
export class RunControl {
  /** The newest definition. */
  def: PipelineDef;
  /** Called when there is a newer one. */
  onNewer: () => void = () => {};

  constructor(def: PipelineDef) {
    this.def = def;
  }

  apply(def: PipelineDef): void {
    this.def = def;
    this.onNewer();
  }
}

type RunEvent =
  | { kind: 'batch'; batch: Batch | null }
  | { kind: 'committed'; failed: FailedTables }
  | { kind: 'prepared'; tables: TableSet }
  | { kind: 'newer' }
  | { kind: 'error'; error: unknown };

/** Moves one source's changes into one sink until `signal` aborts; goes on from the checkpoint. */
export async function runPipeline(parts: PipelineParts): Promise<void> {
  const { source, sink, store, control, signal } = parts;
  let def = control.def;
  const from = await recoverCheckpoint(sink, store, def.owner);
  const state = new RunState(from);
  const changes: TableChangeParts = { ...parts, state };
  const commits = new Commits({ sink, store, owner: def.owner, state, onSaved: () => parts.report(state) });
  const tables = await prepareTables(def, parts.retryFailed, changes);
  parts.report(state);

  const inbox = new Mailbox<RunEvent>();
  const fail = (error: unknown) => inbox.push({ kind: 'error', error });
  const over = new AbortController();
  const batches = source
    .read({
      after: from?.offset ?? null,
      tables,
      startTime: def.startTime,
      signal: AbortSignal.any([signal, over.signal]),
    })
    [Symbol.asyncIterator]();
  const askForBatch = () => {
    batches.next().then(({ done, value }) => inbox.push({ kind: 'batch', batch: done === true ? null : value }), fail);
  };
  // One version after the other: the next is compared with what has taken effect.
  let changing: number | null = def.version;
  const prepareNewest = () => {
    def = control.def;
    changing = def.version;
    prepareTables(def, true, changes).then((set) => inbox.push({ kind: 'prepared', tables: set }), fail);
  };
  control.onNewer = () => inbox.push({ kind: 'newer' });
  askForBatch();
  try {
    for (;;) {
      const event = await inbox.take(commits.dueIn(Date.now()));
      if (event?.kind === 'error') throw event.error;
      if (event?.kind === 'batch') {
        if (event.batch === null) break;
        failTables(await sink.write(event.batch), changes); // encodes; awaiting it is the back-pressure
        state.take(event.batch);
        if (state.version === changing) changing = null;
        askForBatch();
      } else if (event?.kind === 'committed') failTables(event.failed, changes);
      else if (event?.kind === 'prepared') source.setTables(event.tables); // takes effect between two batches: the gap closes there
      if (changing === null && control.def !== def) prepareNewest();
      if (commits.dueIn(Date.now()) === 0)
        commits.start(Date.now()).then((failed) => inbox.push({ kind: 'committed', failed }), fail);
    }
    await lastCommit(commits, inbox);
  } finally {
    control.onNewer = () => {};
    over.abort();
    await batches.return?.(undefined);
  }
}

/** The source has ended: waits for the commit on its way, and commits what is left. */
async function lastCommit(commits: Commits, inbox: Mailbox<RunEvent>): Promise<void> {
  while (commits.inFlight) {
    const event = await inbox.take(null);
    if (event?.kind === 'error') throw event.error;
  }
  await commits.finish();
}
