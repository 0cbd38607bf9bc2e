import { HostRefused } from '../../../lib/host-policy.ts';
import { ServiceError } from './service-error.ts';

/**
 * What a failed call means for the next step:
 * `moved` the slot is elsewhere: learn its address, then the same again, as often as it takes;
 * `throttled` the same again, as often as it takes; `fault` the same again, a few times, after a look at the session where `reload` says so;
 * `schema` the table was changed: a new session and a new encoder; `notYet` the new schema is not to be seen yet: ask again;
 * `state` the session is not as we think: look at it, never guess; `concurrent` someone changed the table meanwhile: a new session;
 * `gone` there is no such session: it was committed or it expired; `caller` it will never work like this.
 */
export type RetryRule =
  | { readonly kind: 'moved' | 'throttled' | 'schema' | 'notYet' | 'state' | 'concurrent' | 'gone' | 'caller' }
  | { readonly kind: 'fault'; readonly reload: boolean };

/** Waits between tries double from the first to the last; `fault` ends after so many tries. */
export const RETRY = { firstMs: 1000, mostMs: 64_000, faultTries: 7 } as const;

const BY_CODE: Readonly<Record<string, RetryRule>> = {
  FlowExceeded: { kind: 'throttled' },
  SlotExceeded: { kind: 'throttled' },
  QPSExceeded: { kind: 'throttled' },
  SchemaModified: { kind: 'schema' },
  NoSuchSchema: { kind: 'notYet' },
  StatusConflict: { kind: 'state' },
  TableModified: { kind: 'concurrent' },
  DataVersionConflict: { kind: 'concurrent' },
  DataUnderReplication: { kind: 'concurrent' },
  MetaTransactionAborted: { kind: 'concurrent' },
  MetaTransactionFailed: { kind: 'concurrent' },
  StreamSessionNotFound: { kind: 'gone' },
  UpsertSessionNotFound: { kind: 'gone' },
  CorruptedDataStream: { kind: 'fault', reload: false },
  IncompleteBody: { kind: 'fault', reload: false },
  InternalServerError: { kind: 'fault', reload: false },
  'ODPS-0010000': { kind: 'fault', reload: false },
  'ODPS-0420153': { kind: 'fault', reload: false },
};

/** By the code where it says enough, else by the status. What did not come from the service is a broken connection. */
export function retryRuleOf(error: unknown): RetryRule {
  if (error instanceof HostRefused) return { kind: 'caller' };
  if (!(error instanceof ServiceError)) return { kind: 'fault', reload: false };
  const { status, code } = error;
  if (status === 308) return { kind: 'moved' };
  if (status === 429) return { kind: 'throttled' };
  if (status === 412) return { kind: 'schema' };
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  return status >= 500 ? { kind: 'fault', reload: status === 502 || status === 504 } : { kind: 'caller' };
}

/** What a connection that was never made says. */
const UNSENT: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether the service may have done what the failed call told it: it was sent, and no refusal came. */
export function mayHaveBeenDone(error: unknown): boolean {
  if (error instanceof ServiceError) return retryRuleOf(error).kind === 'fault';
  return !(error instanceof HostRefused) && !UNSENT.has((error as { code?: unknown }).code);
}
