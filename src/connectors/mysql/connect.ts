import mysql, { type Connection, type ConnectionOptions } from 'mysql2';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { resolveAllowed } from '../../lib/host-policy.ts';
import { withinTime } from '../../lib/within-time.ts';
import { toPipelineError } from './errors.ts';
import type { MysqlSettings } from './options.ts';
import { DirectSocket } from './protocol/direct-socket.ts';
import { RawConnection } from './protocol/raw-connection.ts';
import { watchSilence } from './protocol/silence.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;

/** Every session reads instants in UTC and text in UTF-8, whatever the server's defaults. */
const SESSION = [
  "SET SESSION time_zone = '+00:00'",
  'SET NAMES utf8mb4',
  // A paused reader must not be cut off: back-pressure can last as long as the sink is down.
  'SET SESSION net_write_timeout = 86400',
  'SET SESSION wait_timeout = 86400',
  // Limits that an administrator sets for people's statements would cut off loads, or leave rows out.
  'SET SESSION sql_select_limit = 18446744073709551615, sql_big_selects = 1 /*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */',
  // What the server's globals say must not change what a SELECT shows, or how it prints it.
  "SET SESSION autocommit = 1, sql_mode = ''",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];

/** What a thread says of itself while its answer does not go out; the name differs between versions. */
const ANSWERING = /to (?:net|client)\b/i;

/** A connection for questions of metadata: answers as objects. Errors: PipelineError. */
export async function connectForQueries(settings: MysqlSettings): Promise<Questions> {
  const { connection, id } = await authenticate(settings);
  return questionsOver(connection, (giveUp) => watchSilence(() => isAtWork(settings, id), giveUp));
}

function questionsOver(connection: Connection, watch: (giveUp: (error: Error) => void) => () => void): Questions {
  let failAll: (error: Error) => void = () => {};
  const closed = new Promise<never>((_, reject) => {
    failAll = reject;
  });
  closed.catch(() => {});
  const close = (error: Error) => {
    failAll(error);
    connection.destroy();
    (connection as unknown as { stream: Duplex }).stream.destroy();
  };
  return {
    query: async (sql, values) => {
      const end = watch(close);
      const answer = new Promise<Row[]>((resolve, reject) => {
        connection.query({ sql, values: (values as unknown[] | undefined) ?? [] }, (error, rows) =>
          error ? reject(error) : resolve(rows as Row[]),
        );
      });
      try {
        return await Promise.race([answer, closed]);
      } finally {
        end();
      }
    },
    close: () => close(new Error('the connection was closed')),
  };
}

export type Row = Readonly<Record<string, string | null>>;

export interface Questions {
  /** Every value comes as text, or null. */
  query(sql: string, values?: readonly (string | readonly string[] | readonly (readonly string[])[])[]): Promise<Row[]>;
  close(): void;
}

/** A connection that we speak ourselves, once the library has authenticated it. Errors: PipelineError. */
export async function connectRaw(settings: MysqlSettings): Promise<RawConnection> {
  const isPlain = settings.ssl.mode === 'disabled';
  const { connection, id, direct } = await authenticate(settings, isPlain);
  const socket = (connection as unknown as { stream: Duplex }).stream;
  socket.removeAllListeners('data');
  return new RawConnection(socket, direct, () => isAtWork(settings, id));
}

/** Whether the server is at work on a statement of the connection `id`; one that it has answered, it is not. */
async function isAtWork(settings: MysqlSettings, id: string): Promise<boolean> {
  const { connection } = await authenticate(settings);
  const late = new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`);
  const questions = questionsOver(connection, (giveUp) => {
    const timer = setTimeout(() => giveUp(late), CONNECT_TIMEOUT_MS);
    return () => clearTimeout(timer);
  });
  try {
    const thread = (await questions.query('SHOW PROCESSLIST')).find((row) => row['Id'] === id);
    return thread?.['Command'] === 'Query' && !ANSWERING.test(thread['State'] ?? '');
  } finally {
    questions.close();
  }
}

interface Authenticated {
  readonly connection: Connection;
  /** The server's own number of the connection; a proxy in between may greet with another. */
  readonly id: string;
  readonly direct: DirectSocket | null;
}

/** Each time the host is resolved anew, looked at, and connected to as it was looked at. */
async function authenticate(settings: MysqlSettings, isDirect = false): Promise<Authenticated> {
  const { host, port } = settings;
  let connection: Connection | undefined;
  try {
    const { lookup } = await resolveAllowed(host, settings.hosts);
    const address = { host, port, lookup, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    const direct = isDirect ? new DirectSocket(address) : null;
    const made = mysql.createConnection({
      ...connectionOptions(settings),
      stream: direct?.socket ?? connectTcp(address),
    });
    connection = made;
    await new Promise<void>((resolve, reject) => {
      made.once('error', reject);
      made.connect((error) => (error ? reject(error) : resolve()));
    });
    // Later errors reach whoever waits for an answer; a connection without one must not end the process.
    made.on('error', () => {});
    return { connection: made, id: await prepareSession(made), direct };
  } catch (error) {
    connection?.destroy();
    throw toPipelineError(error, `connecting to ${host}:${port}`);
  }
}

/** The library bounds the time of the handshake only. */
function prepareSession(connection: Connection): Promise<string> {
  const late = () => new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`);
  return withinTime({ ms: CONNECT_TIMEOUT_MS, late }, async () => {
    let answer: unknown;
    for (const sql of [...SESSION, 'SELECT CONNECTION_ID() AS id'])
      answer = await new Promise<unknown>((resolve, reject) => {
        connection.query(sql, (error: Error | null, rows: unknown) => (error ? reject(error) : resolve(rows)));
      });
    return (answer as Row[])[0]?.['id'] ?? '';
  });
}

function connectionOptions({ host, port, user, password, ssl }: MysqlSettings): ConnectionOptions {
  return {
    host,
    port,
    user,
    password,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A rogue server must not read our files; query attributes and session tracking would change the packets we read.
    flags: ['-LOCAL_FILES', '-CLIENT_QUERY_ATTRIBUTES', '-SESSION_TRACK'],
    typeCast: (field) => field.string('utf8'),
    ...(ssl.mode === 'disabled' ? {} : { ssl: tlsOptions(ssl) }),
  };
}

function tlsOptions({ mode, ca, cert, key }: MysqlSettings['ssl']): NonNullable<ConnectionOptions['ssl']> {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: mode !== 'required',
    verifyIdentity: mode === 'verify-identity',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
