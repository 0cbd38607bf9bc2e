import { messageOf } from '../../lib/errors.ts';
import { HostRefused } from '../../lib/host-policy.ts';
import { hostRefused, PipelineError, type PipelineErrorFacts } from '../../pipeline/pipeline-error.ts';
import { StatementError } from './protocol/statement-run.ts';

/**
 * What a refusal means, by SQLSTATE alone:
 * `retry` the same again may succeed at once (deadlock, serialization); `row` a value or a constraint; `table` its shape
 * or its rights; `denied` the login or the database; `unavailable` the server or the connection.
 */
export type Refusal = 'retry' | 'row' | 'table' | 'denied' | 'unavailable';

const RETRY = new Set(['40001', '40P01', '55P03']);
const ROW_CLASSES = new Set(['22', '23']);
const TABLE_CLASSES = new Set(['42', '3F', '0A', '44']);
const DENIED = new Set(['28000', '28P01', '3D000']);

/** The SQLSTATE of a refused statement or login; null for what did not come from the server. */
export function sqlStateOf(error: unknown): string | null {
  const cause = error instanceof StatementError ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  const severity = (cause as { severity?: unknown } | null)?.severity;
  return typeof code === 'string' && typeof severity === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** The target that the server itself names in a constraint's error. */
export function targetNamedBy(error: unknown): { readonly schema: string; readonly table: string } | null {
  const { schema, table } = (error instanceof StatementError ? error.cause : error) as {
    schema?: unknown;
    table?: unknown;
  };
  return typeof schema === 'string' && typeof table === 'string' ? { schema, table } : null;
}

export function classify(error: unknown): Refusal {
  const state = sqlStateOf(error);
  if (state === null) return 'unavailable';
  if (RETRY.has(state)) return 'retry';
  if (DENIED.has(state)) return 'denied';
  if (state === '42804') return 'row';
  const group = state.slice(0, 2);
  if (ROW_CLASSES.has(group)) return 'row';
  return TABLE_CLASSES.has(group) ? 'table' : 'unavailable';
}

/**
 * A refusal as a PipelineError; one that is a PipelineError already passes as it is. The server's message is kept, its
 * detail is not: that quotes the row (I7).
 */
export function toPipelineError(error: unknown, doing: string, facts: PipelineErrorFacts = {}): PipelineError {
  if (error instanceof PipelineError) return error;
  if (error instanceof HostRefused) return hostRefused(error, doing, facts);
  const state = sqlStateOf(error);
  const why = `${doing}: ${state === null ? '' : `${state} `}${messageWithoutValues(error, state)}`;
  const refusal = classify(error);
  if (refusal === 'denied' || (state === '42501' && facts.table === undefined)) {
    return new PipelineError('fatal', 'Sink.Denied', why, {
      ...facts,
      cause: state,
      hint: 'Check the account, its password and the database, and grant it CREATE on the database or schema.',
    });
  }
  if (state === null && isTls(error)) {
    return new PipelineError('fatal', 'Sink.TlsFailed', why, {
      ...facts,
      cause: error,
      hint: 'Give the data source the certificate of the server’s authority ("ssl": {"ca": …}) and the host name that is in the server’s, or an ssl.mode that suits the server.',
    });
  }
  if (facts.table === undefined || refusal === 'unavailable' || refusal === 'retry') {
    return new PipelineError('transient', 'Sink.Unavailable', why, {
      ...facts,
      cause: state ?? error,
      hint: 'See whether the server listens there, and what lies between; a run tries again by itself.',
    });
  }
  return tableError(refusal, state, why, facts);
}

/** The handshake failed, or the server has none; a connection that was cut in its midst is an outage. */
function isTls(error: unknown): boolean {
  const code = String((error as { code?: unknown } | null)?.code);
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|^EPROTO$/.test(code) || /not support SSL/.test(messageOf(error));
}

function tableError(refusal: Refusal, state: string | null, why: string, facts: PipelineErrorFacts): PipelineError {
  if (state === '42501') {
    return new PipelineError('table', 'Sink.TableDenied', why, {
      ...facts,
      cause: state,
      hint: 'Grant the account SELECT, INSERT, UPDATE, DELETE and TRUNCATE on the target table, then deploy again.',
    });
  }
  if (refusal === 'row') {
    return new PipelineError('table', 'Sink.RowRefused', why, {
      ...facts,
      cause: state,
      hint: 'The target refuses a row: widen the column or drop the constraint, or allow dirty rows (errorLimit).',
    });
  }
  return new PipelineError('table', 'Sink.TargetMismatch', why, {
    ...facts,
    cause: state,
    hint: 'The target table must have the columns of the plan and the same primary key. Repair or drop it, then deploy again.',
  });
}

/** Messages of class 22 quote the value ("invalid input syntax for type integer: …"). */
function messageWithoutValues(error: unknown, state: string | null): string {
  const message = messageOf(error);
  return state?.startsWith('22') === true ? message.replace(/: ".*$/s, '') : message;
}
