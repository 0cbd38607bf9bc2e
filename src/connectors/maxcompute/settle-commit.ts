import { inParallel } from '../../lib/in-parallel.ts';
import type { Logger } from '../../lib/log.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import { withFailed } from '../../pipeline/failed-tables.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { TableId } from '../../pipeline/table.ts';
import type { CommitJournal, SessionNote } from './commit-journal.ts';
import { commitSession, fateOf, isTableGone, resumeSession } from './commit-session.ts';
import { decideCommit, type ResolvedSession, type SessionFate } from './decide-commit.ts';
import { toPipelineError } from './errors.ts';
import { describeTarget } from './names.ts';
import { UpsertSession } from './protocol/upsert-session.ts';
import type { Service } from './service.ts';

const ASK_LIMIT = 8;

export interface SettleOptions {
  readonly journal: CommitJournal;
  readonly service: Service;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Finds out what became of the commit that was on its way when the last run ended, and finishes it or takes it back. Returns the
 * checkpoint to go on from; null at a first start.
 * Errors: PipelineError `transient` when nobody knows yet; `fatal` when what was appended is in part visible and in part lost.
 */
export async function settleCommit({ journal, service, log, signal }: SettleOptions): Promise<Checkpoint | null> {
  const { done, pending } = await journal.load();
  if (pending === null) return done;
  const failed: { table: TableId; error: PipelineError }[] = [];
  const sessions: ResolvedSession[] = [];
  const of = async (note: SessionNote, ask: () => Promise<SessionFate>) => {
    try {
      return await ask();
    } catch (error) {
      const found = toPipelineError(
        error,
        `looking for a session of ${describeTarget(note.target)}`,
        isTableGone(error) ? { table: note.table } : {},
      );
      if (found.kind !== 'table') throw found;
      failed.push({ table: note.table, error: found });
      return null;
    }
  };
  await inParallel(pending.sessions, ASK_LIMIT, async (note) => {
    const fate = await of(note, () => fateOf(note, service, signal));
    if (fate !== null) sessions.push({ note, fate });
  });
  let decision = decideCommit(sessions);
  log.info({ sessions: pending.sessions.length, decision }, 'a commit was on its way when the run ended');
  if (decision === 'forward') {
    const open = sessions.filter(({ fate }) => fate === 'open');
    const others = sessions.filter(({ fate }) => fate !== 'open');
    const committed: ResolvedSession[] = [];
    await inParallel(open, ASK_LIMIT, async ({ note }) => {
      const fate = await of(note, async () =>
        commitSession(await resumeSession(note, service, signal), service, signal),
      );
      if (fate !== null) committed.push({ note, fate });
    });
    decision = decideCommit([...others, ...committed]);
  }
  switch (decision) {
    case 'forward': {
      const checkpoint = withFailed(pending.checkpoint, failed);
      await journal.settle(checkpoint);
      return checkpoint;
    }
    case 'back':
      await inParallel(sessions, ASK_LIMIT, ({ note, fate }) => giveUp(note, fate, service, signal));
      await journal.settle(done);
      return done;
    case 'wait':
      throw new PipelineError('transient', 'Sink.Unavailable', 'MaxCompute is still committing what was stored', {
        hint: 'The run asks again by itself.',
      });
    case 'stop':
      throw inDoubt(sessions);
  }
}

async function giveUp(note: SessionNote, fate: SessionFate, service: Service, signal: AbortSignal): Promise<void> {
  if (note.kind !== 'upsert' || fate !== 'open') return;
  const session = await resumeSession(note, service, signal).catch(() => null);
  // What cannot be given up expires.
  if (session instanceof UpsertSession) await session.abort(signal).catch(() => {});
}

function inDoubt(sessions: readonly ResolvedSession[]): PipelineError {
  const of = (...fates: SessionFate[]) =>
    sessions
      .filter(({ note, fate }) => note.kind === 'upload' && fates.includes(fate))
      .map(({ note }) =>
        `${describeTarget(note.target)} ${note.partition} ${note.id} (${note.rows} rows)`.replace('  ', ' '),
      )
      .join(', ');
  return new PipelineError(
    'fatal',
    'Sink.CommitInDoubt',
    `a commit was cut short, and its sessions did not end alike: committed ${of('committed') || 'none'}; lost ${of('lost') || 'none'}; not known to the service ${of('unknown') || 'none'}`,
    {
      hint: 'Going on would lose rows or write them twice. See which rows are there, repair the tables, then terminate the task and start it anew with the tables loaded afresh.',
    },
  );
}
