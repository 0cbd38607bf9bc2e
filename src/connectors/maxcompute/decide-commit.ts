import type { SessionState } from './protocol/upload-session.ts';
import type { SessionNote } from './commit-journal.ts';

/** What became of a session: as the service says; `unknown` where it knows nothing of it. */
export type SessionFate = SessionState | 'unknown';

export interface ResolvedSession {
  readonly note: SessionNote;
  readonly fate: SessionFate;
}

/**
 * What to do with a commit that was cut short:
 *
 *   forward  the open ones are committed, and all before the checkpoint is visible: none of them is lost or unknown
 *   wait     one is being committed by the service at this moment
 *   back     the open ones are given up, and all is read again: nothing that was appended is visible. What was upserted may
 *            be: it is upserted again, and ends equal by key
 *   stop     some of what was appended is visible, or may be, and the rest will never be: reading again would double rows
 */
export type CommitDecision = 'forward' | 'wait' | 'back' | 'stop';

export function decideCommit(sessions: readonly ResolvedSession[]): CommitDecision {
  const has = (...fates: SessionFate[]) => sessions.some(({ fate }) => fates.includes(fate));
  if (has('committing')) return 'wait';
  if (!has('lost', 'unknown')) return 'forward';
  const appended = sessions.filter(({ note }) => note.kind === 'upload');
  return appended.some(({ fate }) => fate === 'committed' || fate === 'unknown') ? 'stop' : 'back';
}
