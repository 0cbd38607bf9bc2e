import mysql from 'mysql2/promise';
import pg from 'pg';
import { type Server, type ServerKind, startServer } from '../../scripts/servers/servers.ts';

/** A running server, as tests need it: where it is and who may connect. */
export type TestServer = Pick<Server, 'kind' | 'version' | 'host' | 'port' | 'user' | 'password'>;

/** Set by scripts/test.ts: the servers that it started for the whole run. */
const SHARED = 'DISYNC_TEST_SERVERS';

/** The two families that tests of the source run against. */
export const FAMILIES = ['mariadb', 'mysql'] as const;
export type Family = (typeof FAMILIES)[number];

const own = new Map<ServerKind, Promise<Server>>();
let databases = 0;

// Not a hook of node:test: campaigns that are no tests start servers here too.
process.once('beforeExit', () => {
  for (const server of own.values()) void server.then((started) => started.stop());
});

/** A server of this kind: the one of the whole run, else one of this test file, ended with it. */
export async function sharedServer(kind: ServerKind): Promise<TestServer> {
  const shared = JSON.parse(process.env[SHARED] ?? '[]') as TestServer[];
  const found = shared.find((server) => server.kind === kind);
  if (found !== undefined) return found;
  let server = own.get(kind);
  if (server === undefined) {
    server = startServer(kind);
    own.set(kind, server);
  }
  return server;
}

/** A name that no other test file uses. */
export function uniqueName(prefix: string): string {
  databases += 1;
  return `${prefix}_${process.pid}_${databases}`;
}

/** A connection to MariaDB or MySQL; several statements at once are allowed. The caller ends it. */
export async function mysqlClient({ port, user, password }: TestServer, database?: string): Promise<mysql.Connection> {
  return mysql.createConnection({
    host: '127.0.0.1',
    port,
    user,
    password,
    multipleStatements: true,
    charset: 'utf8mb4',
    ...(database === undefined ? {} : { database }),
  });
}

/** A connection to PostgreSQL. The caller ends it. */
export async function pgClient({ port, user, password }: TestServer, database = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
  // A server that is stopped under it is told at the next query; it must not end the test.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A new empty database at the source; gives its name. */
export async function freshMysqlDatabase(server: TestServer): Promise<string> {
  const name = uniqueName('t');
  const client = await mysqlClient(server);
  await client.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
  await client.end();
  return name;
}

/** A new empty database at the target; gives its name. */
export async function freshPgDatabase(server: TestServer): Promise<string> {
  const name = uniqueName('t');
  const client = await pgClient(server);
  await client.query(`CREATE DATABASE "${name}"`);
  await client.end();
  return name;
}
