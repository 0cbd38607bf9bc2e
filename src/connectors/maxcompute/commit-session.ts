import { withCrashPoints } from '../../lib/crash-point.ts';
import { pause } from '../../lib/retry.ts';
import { ServiceError } from './protocol/service-error.ts';
import { RETRY, retryRuleOf } from './protocol/retry-rule.ts';
import { type SessionState, UploadSession, uploadStateOf } from './protocol/upload-session.ts';
import { UpsertSession, upsertStateOf } from './protocol/upsert-session.ts';
import type { SessionNote } from './commit-journal.ts';
import type { SessionFate } from './decide-commit.ts';
import { type Service, tunnelTarget } from './service.ts';

/** So long a commit may take on its way at the service; after that, its outcome is looked for anew. */
const COMMIT_WAIT_MS = 120_000;

/**
 * Makes what a session was told visible, and waits for it. Returns `committed`; `lost` if it ended otherwise; `committing`
 * if nobody knows yet. Errors: ServiceError.
 */
export async function commitSession(
  session: UploadSession | UpsertSession,
  service: Service,
  signal: AbortSignal,
): Promise<SessionState> {
  return withCrashPoints('session committed', async () => {
    if (session instanceof UpsertSession) return session.commit(signal, { waitMs: COMMIT_WAIT_MS });
    const backOff = service.tunnel.backOff();
    const until = Date.now() + COMMIT_WAIT_MS;
    let unheard = 0;
    for (let state: SessionState = 'open'; ; await pause(backOff.next(), signal)) {
      state = state === 'committing' ? await session.state(signal) : await session.commit(signal);
      if (state === 'committed' || state === 'lost') return state;
      if (state === 'open') unheard += 1;
      if (Date.now() >= until || unheard > RETRY.faultTries || signal.aborted) return 'committing';
    }
  });
}

/** What became of a session that is known by its note alone; waits while it is being committed. Errors: ServiceError. */
export async function fateOf(note: SessionNote, service: Service, signal: AbortSignal): Promise<SessionFate> {
  const target = tunnelTarget(service, note.target, note.partition);
  const backOff = service.tunnel.backOff();
  const until = Date.now() + COMMIT_WAIT_MS;
  for (; ; await pause(backOff.next(), signal)) {
    const fate = await askFate(note, async () => {
      if (note.kind === 'upload') return uploadStateOf(service.tunnel, target, note.id, signal);
      const state = await upsertStateOf(service.tunnel, target, note.id, signal);
      if (state !== 'committing') return state;
      // It is told again what it is about, until it is done: that is how the vendor's clients wait.
      const session = await UpsertSession.resume(service.tunnel, target, note.id, signal);
      return session.commit(signal, { waitMs: COMMIT_WAIT_MS, asked: true });
    });
    if (fate !== 'committing' || Date.now() >= until || signal.aborted) return fate;
  }
}

async function askFate({ kind }: SessionNote, ask: () => Promise<SessionState | null>): Promise<SessionFate> {
  try {
    return (await ask()) ?? 'unknown';
  } catch (error) {
    // What an upload that is gone is called is not documented; what a table or a partition is, is.
    const isGone =
      error instanceof ServiceError &&
      (error.status === 404 || /upload|session/i.test(error.code)) &&
      retryRuleOf(error).kind === 'caller';
    if (kind === 'upload' && isGone && !isTableGone(error)) return 'unknown';
    throw error;
  }
}

/** The table or the partition itself is missing: not only the session. */
export function isTableGone(error: unknown): boolean {
  return (
    error instanceof ServiceError &&
    ['NoSuchTable', 'NoSuchPartition', 'NoSuchProject', 'NoSuchSchema'].includes(error.code)
  );
}

/** A noted session, to be committed after a crash. Errors: ServiceError. */
export function resumeSession(
  { kind, id, target, partition, blocks }: SessionNote,
  service: Service,
  signal: AbortSignal,
): Promise<UploadSession | UpsertSession> {
  const where = tunnelTarget(service, target, partition);
  return kind === 'upsert'
    ? UpsertSession.resume(service.tunnel, where, id, signal)
    : UploadSession.resume(service.tunnel, where, { id, blocks }, signal);
}
