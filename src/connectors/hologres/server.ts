import { type LookupFunction, Socket } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { Client, type ClientConfig } from 'pg';
import { resolveAllowed } from '../../lib/host-policy.ts';
import { sqlStateOf, toPipelineError } from './errors.ts';
import type { HologresSettings } from './options.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Which of the two speaks behind the PostgreSQL protocol; what they allow differs (semantics: fixed plans, transactions). */
export interface Server {
  readonly kind: 'hologres' | 'postgresql';
  /** Such as `PostgreSQL 15.18` or `Hologres 3.0.1`. */
  readonly name: string;
}

export interface Connected {
  readonly client: Client;
  readonly server: Server;
}

/** Settings that make Hologres take our statements as fixed plans; what a version does not know, it refuses, and we go on. */
const FIXED_PLAN_SETTINGS = [
  'hg_experimental_enable_fixed_dispatcher',
  'hg_experimental_enable_fixed_dispatcher_for_multi_values',
  'hg_experimental_enable_fixed_dispatcher_for_update',
  'hg_experimental_enable_fixed_dispatcher_for_delete',
];

/**
 * Merging never gains from these join methods: the target is looked up by its key, whatever the statistics say of a
 * table that was just filled. A commit's rows are sorted in memory.
 */
const POSTGRES_SETTINGS = [
  'enable_seqscan = off',
  'enable_hashjoin = off',
  'enable_mergejoin = off',
  'jit = off',
  "work_mem = '64MB'",
];

/** Opens a connection and asks who is there. Errors: PipelineError `transient`, or `fatal` when the login is refused. */
export async function connect(settings: HologresSettings): Promise<Connected> {
  const { host, port, hosts } = settings;
  const { lookup } = await resolveAllowed(host, hosts).catch((error: unknown) => {
    throw toPipelineError(error, `connecting to ${host}:${port}`);
  });
  const client = new Client({ ...clientConfig(settings), stream: () => new AllowedSocket(lookup) });
  // Whoever waits for an answer hears of a broken connection; one that nobody waits on must not end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query("SET timezone = 'UTC'");
    const server = await askServer(client);
    await tune(client, server);
    return { client, server };
  } catch (error) {
    disconnect(client);
    throw toPipelineError(error, `connecting to ${host}:${port}`);
  }
}

/** Connects to the addresses that were looked at, whatever name it is told. */
class AllowedSocket extends Socket {
  readonly #lookup: LookupFunction;

  constructor(lookup: LookupFunction) {
    super();
    this.#lookup = lookup;
  }

  /** As the library calls it. */
  override connect(...[port, host]: unknown[]): this {
    return super.connect({ port: Number(port), host: String(host), lookup: this.#lookup });
  }
}

/** Closes a connection without waiting for the server's word. */
export function disconnect(client: Client): void {
  client.end().catch(() => {});
}

async function askServer(client: Client): Promise<Server> {
  try {
    const { rows } = await client.query<{ version: string }>('SELECT hg_version() AS version');
    return { kind: 'hologres', name: rows[0]?.version.split(' (')[0] ?? 'Hologres' };
  } catch (error) {
    // 42883: no such function, so it is no Hologres.
    if (sqlStateOf(error) !== '42883') throw error;
  }
  const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version");
  return { kind: 'postgresql', name: `PostgreSQL ${rows[0]?.version.split(' ')[0] ?? ''}`.trim() };
}

async function tune(client: Client, server: Server): Promise<void> {
  if (server.kind === 'postgresql') {
    await client.query(POSTGRES_SETTINGS.map((setting) => `SET ${setting}`).join('; '));
    return;
  }
  for (const setting of FIXED_PLAN_SETTINGS) {
    try {
      await client.query(`SET ${setting} = on`);
    } catch (error) {
      if (sqlStateOf(error) === null) throw error;
    }
  }
}

function clientConfig({ host, port, database, user, password, ssl }: HologresSettings): ClientConfig {
  return {
    host,
    port,
    database,
    user,
    password,
    application_name: 'disync',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    ssl:
      ssl.mode === 'disabled'
        ? false
        : {
            minVersion: 'TLSv1.2',
            rejectUnauthorized: ssl.mode !== 'required',
            checkServerIdentity: (_, certificate) =>
              ssl.mode === 'verify-identity' ? checkServerIdentity(host, certificate) : undefined,
            ...(ssl.ca === undefined ? {} : { ca: ssl.ca }),
            ...(ssl.cert === undefined ? {} : { cert: ssl.cert }),
            ...(ssl.key === undefined ? {} : { key: ssl.key }),
          },
  };
}
