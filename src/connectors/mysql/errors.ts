import { HostRefused } from '../../lib/host-policy.ts';
import { hostRefused, PipelineError, type PipelineErrorFacts } from '../../pipeline/pipeline-error.ts';
import { messageOf } from '../../lib/errors.ts';

/** What a server or socket error of mysql2 or of our own protocol code carries. */
interface ServerError {
  errno?: number;
  code?: string;
  sqlState?: string;
}

const DENIED = new Set([1044, 1045, 1130, 1142, 1143, 1227, 1370, 1698, 1820, 1862, 3118, 4151]);
/** The server takes encrypted connections only. */
const MUST_ENCRYPT = 3159;
/** What went wrong while the log was being sent. */
const LOG_ERROR = 1236;
const TABLE = new Set([1051, 1054, 1146, 1356]);

/** The server's own error packet, met on a connection that we speak ourselves. */
export class MysqlServerError extends Error {
  override readonly name = 'MysqlServerError';
  readonly errno: number;

  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
  }
}

/** True when the server said that the account may not do it. */
export function isDenied(error: unknown): boolean {
  return DENIED.has((error as ServerError).errno ?? 0);
}

/** Classifies whatever a MySQL connection threw, by its number; a PipelineError passes as it is. */
export function toPipelineError(error: unknown, doing: string, facts: PipelineErrorFacts = {}): PipelineError {
  if (error instanceof PipelineError) return error;
  if (error instanceof HostRefused) return hostRefused(error, doing, facts);
  const { errno, code } = error as ServerError;
  const why = `${doing}: ${messageOf(error)}`;
  // The system's own numbers are negative, and their codes such as ECONNRESET; the server's codes begin with ER_.
  if (typeof errno === 'number' && errno > 0 && !/^E(?!R_)/.test(code ?? '')) {
    if (DENIED.has(errno)) {
      return new PipelineError('fatal', 'MySQL.Denied', why, {
        ...facts,
        cause: error,
        hint: 'Grant the account SELECT on the tables, REPLICATION SLAVE and REPLICATION CLIENT; check its password, and whether it may connect without TLS ("ssl").',
      });
    }
    if (errno === MUST_ENCRYPT)
      return tlsError(error, why, facts, 'Give the data source "ssl": {"mode": "required"}, or better.');
    if (errno === LOG_ERROR) return logError(error, why, facts);
    if (TABLE.has(errno) && facts.table !== undefined) {
      return new PipelineError('table', 'Table.Unreadable', why, {
        ...facts,
        cause: error,
        hint: 'Check that the table exists with the columns of the plan, then deploy again, or remove the table from the task.',
      });
    }
  }
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT')
    return tlsError(
      error,
      why,
      facts,
      'Switch TLS on at the server, or give the data source "ssl": {"mode": "disabled"}.',
    );
  if (code === 'HANDSHAKE_SSL_ERROR' && !WAS_CUT.test(messageOf(error)))
    return tlsError(
      error,
      why,
      facts,
      'Give the data source the certificate of the server’s authority ("ssl": {"ca": …}) and the host name that is in the server’s.',
    );
  return unavailable(error, why, facts);
}

/** The library gives every failure of the TLS handshake one code, an outage too. */
const WAS_CUT = /ECONNRESET|EPIPE|ETIMEDOUT|disconnected/;

function tlsError(error: unknown, why: string, facts: PipelineErrorFacts, hint: string): PipelineError {
  return new PipelineError('fatal', 'MySQL.TlsFailed', why, { ...facts, cause: error, hint });
}

/** One number for many reasons; which of them it is, only the text says. */
function logError(error: unknown, why: string, facts: PipelineErrorFacts): PipelineError {
  // Another reader came with our number, as our own next connection does while this one is half-open.
  if (/same server_(?:uuid|id)/i.test(why)) return unavailable(error, why, facts);
  const hint = /max_allowed_packet/.test(why)
    ? 'Either the log is damaged at this place, or an event is longer than the server sends: SET GLOBAL max_allowed_packet = 1073741824, then start; if that does not help, start with a new load.'
    : 'Start the task with a new load, and keep the binary log longer than the longest stop.';
  return new PipelineError('fatal', 'MySQL.BinlogUnreadable', why, { ...facts, cause: error, hint });
}

function unavailable(error: unknown, why: string, facts: PipelineErrorFacts): PipelineError {
  return new PipelineError('transient', 'MySQL.Unavailable', why, {
    ...facts,
    cause: error,
    hint: 'See whether the server listens there, and what lies between; a run tries again by itself.',
  });
}
