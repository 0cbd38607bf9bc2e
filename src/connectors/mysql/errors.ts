import { PipelineError, type PipelineErrorFacts } from '../../pipeline/pipeline-error.ts';
import { messageOf } from '../../lib/errors.ts';

/** What a server or socket error of mysql2 or of our own protocol code carries. */
interface ServerError {
  errno?: number;
  code?: string;
  sqlState?: string;
}

const DENIED = new Set([1044, 1045, 1142, 1143, 1227, 1370, 1698, 1820, 3118]);
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
  const { errno, code } = error as ServerError;
  const why = `${doing}: ${messageOf(error)}`;
  // The system's own numbers are negative, and their codes such as ECONNRESET; the server's codes begin with ER_.
  if (typeof errno === 'number' && errno > 0 && !/^E(?!R_)/.test(code ?? '')) {
    if (DENIED.has(errno)) {
      return new PipelineError('fatal', 'MySQL.Denied', why, {
        ...facts,
        cause: error,
        hint: 'Grant the account SELECT on the tables, REPLICATION SLAVE and REPLICATION CLIENT, and check its password.',
      });
    }
    if (errno === 1236) {
      return new PipelineError('fatal', 'MySQL.BinlogUnreadable', why, {
        ...facts,
        cause: error,
        hint: 'Start the task with a new load, and keep the binary log longer than the longest stop.',
      });
    }
    if (TABLE.has(errno) && facts.table !== undefined) {
      return new PipelineError('table', 'Table.Unreadable', why, {
        ...facts,
        cause: error,
        hint: 'Check that the table exists with the columns of the plan, then deploy again, or remove the table from the task.',
      });
    }
  }
  return new PipelineError('transient', 'MySQL.Unavailable', why, {
    ...facts,
    cause: error,
    hint: 'The server cannot be reached or cut the connection; the run tries again by itself.',
  });
}
