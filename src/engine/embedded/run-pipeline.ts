import type { Logger } from '../../lib/log.ts';
import { Mailbox } from '../../lib/mailbox.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { TargetId } from '../../pipeline/route.ts';
import type { FailedTables, Sink } from '../../pipeline/sink.ts';
import type { Source } from '../../pipeline/source.ts';
import type { CheckpointStore } from '../engine.ts';
import { Commits } from './commits.ts';
import { recoverCheckpoint } from './recover-checkpoint.ts';
import type { RunOrders } from './run-orders.ts';
import { RunState } from './run-state.ts';
import { failTables, noteEffect, type PreparedTables, prepareTables, type TableChangeParts } from './table-changes.ts';

export interface PipelineParts {
  readonly source: Source;
  readonly sink: Sink;
  readonly store: CheckpointStore;
  readonly control: RunOrders;
  readonly retryFailed: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called with the state once it is known; and, as working, after each commit and when there is nothing to commit. */
  report(state: RunState, isWorking: boolean): void;
  /** Targets are about to receive the first rows of this task: resolves once that is remembered. */
  filled(targets: readonly TargetId[]): Promise<void>;
}

type RunEvent =
  | { kind: 'batch'; batch: Batch | null }
  | { kind: 'committed' }
  | { kind: 'prepared'; prepared: PreparedTables }
  | { kind: 'newer' }
  | { kind: 'error'; error: unknown };

/**
 * Moves one source's changes into one sink until `signal` aborts; goes on from the checkpoint. When it has ended, nothing
 * of it is on its way any more: another try meets no commit of this one.
 */
export async function runPipeline(parts: PipelineParts): Promise<void> {
  const { source, sink, store, control, signal } = parts;
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  let def = control.def;
  const from = await recoverCheckpoint(sink, store, def.owner);
  const state = new RunState(from);
  const changes: TableChangeParts = { ...parts, signal: ended, state, filled: control.filled };
  const onSaved = (failed: FailedTables) => {
    failTables(failed, changes);
    parts.report(state, true);
  };
  const commits = new Commits({ sink, store, owner: def.owner, state, onSaved });
  // A version that was on its way when the last try ended was to retry its failed tables.
  const first = await prepareTables(def, parts.retryFailed || state.version < def.version, changes);
  parts.report(state, false);

  const inbox = new Mailbox<RunEvent>();
  const fail = (error: unknown) => inbox.push({ kind: 'error', error });
  const batches = source
    .read({ after: from?.offset ?? null, tables: first.set, start: def.start, signal: ended })
    [Symbol.asyncIterator]();
  const askForBatch = () => {
    batches.next().then(({ done, value }) => inbox.push({ kind: 'batch', batch: done === true ? null : value }), fail);
  };
  // One version after the other: the next is compared with what has taken effect.
  let preparing: Promise<void> | null = null;
  let changing: PreparedTables | null = first;
  let committing: Promise<void> | null = null;
  control.onNewer = () => inbox.push({ kind: 'newer' });
  askForBatch();
  try {
    for (;;) {
      const event = await inbox.take(commits.dueIn(Date.now()));
      if (event?.kind === 'error') throw event.error;
      if (event?.kind === 'batch') {
        if (event.batch === null) break;
        await control.filled.note(event.batch, parts.filled);
        failTables(await sink.write(event.batch), changes); // encodes; awaiting it is the back-pressure
        state.take(event.batch, Date.now());
        if (changing !== null && state.version === changing.set.version) {
          noteEffect(def, changing, changes);
          changing = null;
        }
        if (state.checkpointAt === null && commits.isSettled) parts.report(state, true);
        askForBatch();
      } else if (event?.kind === 'prepared') {
        preparing = null;
        changing = event.prepared;
        source.setTables(event.prepared.set); // takes effect between two batches: the gap closes there
      }
      if (preparing === null && changing === null && control.def !== def) {
        def = control.def;
        const prepared = prepareTables(def, true, changes);
        preparing = prepared.then(
          (tables) => inbox.push({ kind: 'prepared', prepared: tables }),
          (error: unknown) => {
            if (!ended.aborted) fail(error); // a stop still commits what is left
          },
        );
      }
      if (commits.dueIn(Date.now()) === 0)
        committing = commits.start(Date.now()).then(() => inbox.push({ kind: 'committed' }), fail);
    }
    if (!signal.aborted) throw new Error('the source ended by itself');
    await committing;
    for (let event = await inbox.take(0); event !== null; event = await inbox.take(0)) {
      if (event.kind === 'error') throw event.error;
    }
    await commits.finish();
  } finally {
    control.onNewer = () => {};
    over.abort();
    await batches.return?.(undefined);
    await committing;
    if (!signal.aborted) await preparing;
  }
}
