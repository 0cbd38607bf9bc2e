import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { ADMIN_PASSWORD, launch, own, type Server, serverFolder, serverUser } from './lifecycle.ts';
import { findProgram, installPackages, output } from './packages.ts';

const VERSIONS = '/usr/lib/postgresql';

/** Durable, on loopback only, and small. */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '256MB',
  max_connections: '200',
  listen_addresses: '127.0.0.1',
  max_wal_size: '2GB',
  logging_collector: 'off',
};

/** PostgreSQL from what is installed, else from Debian's package: the stand-in for Hologres. */
export async function startPostgres(settings: Readonly<Record<string, string>>): Promise<Server> {
  const bin = await installPostgres();
  const program = join(bin, 'postgres');
  const version = /(\d+(?:\.\d+)*)/.exec(await output(program, ['--version']))?.[1] ?? '';
  const folder = serverFolder('postgres');
  const data = join(folder, 'data');
  const port = await freePort();
  const password = join(folder, 'password');
  writeFileSync(password, ADMIN_PASSWORD);
  own(password);
  await output(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'postgres',
      '--pwfile',
      password,
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { cwd: folder, ...serverUser },
  );
  const all = { ...SETTINGS, ...settings, port: String(port), unix_socket_directories: folder };
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return launch({
    kind: 'postgres',
    version: `PostgreSQL ${version}`,
    user: 'postgres',
    folder,
    port,
    command: [program, '-D', data, ...args],
    // Fast shutdown: open sessions are ended, nothing is lost.
    stopSignal: 'SIGINT',
    ready: async () => {
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user: 'postgres',
        password: ADMIN_PASSWORD,
        database: 'postgres',
        connectionTimeoutMillis: 2000,
      });
      await client.connect();
      await client.end();
    },
  });
}

/** The folder of the newest PostgreSQL's programs. */
export async function installPostgres(): Promise<string> {
  const found = find();
  if (found !== undefined) return found;
  await installPackages('postgresql');
  const now = find();
  if (now === undefined) throw new Error('PostgreSQL is not installed, also after installing postgresql');
  return now;
}

function find(): string | undefined {
  if (existsSync(VERSIONS)) {
    const newest = readdirSync(VERSIONS)
      .filter((name) => existsSync(join(VERSIONS, name, 'bin', 'initdb')))
      .sort((a, b) => Number(b) - Number(a))[0];
    if (newest !== undefined) return join(VERSIONS, newest, 'bin');
  }
  const initdb = findProgram('initdb');
  return initdb === undefined ? undefined : join(initdb, '..');
}
