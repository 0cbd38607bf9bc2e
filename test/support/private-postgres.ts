import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Client } from 'pg';

const DEBIAN_ROOT = '/usr/lib/postgresql';
const START_TIMEOUT_MS = 30_000;

/** A PostgreSQL of our own on a free loopback port, with a data folder of its own; ended by `stop`. */
export interface PrivatePostgres {
  readonly port: number;
  /** Content of a data source for one of its databases. */
  content(database: string): { jdbcUrl: string; username: string; password: string };
  connect(database?: string): Promise<Client>;
  /** What the server has logged so far: with `log_statement=all`, every statement. */
  log(): string;
  stop(): Promise<void>;
}

export interface PrivatePostgresOptions {
  /** Such as `log_statement=all`. */
  readonly settings?: readonly string[];
}

/** The folder of the newest server binaries; null when none are installed. */
export function findPostgresBinaries(): string | null {
  if (!existsSync(DEBIAN_ROOT)) return null;
  const versions = readdirSync(DEBIAN_ROOT).sort((a, b) => Number(b) - Number(a));
  const folders = versions.map((version) => join(DEBIAN_ROOT, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'postgres'))) ?? null;
}

export async function startPrivatePostgres({ settings = [] }: PrivatePostgresOptions = {}): Promise<PrivatePostgres> {
  const binaries = findPostgresBinaries();
  if (binaries === null) throw new Error('no PostgreSQL server is installed: apt-get install postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'disync-postgres-'));
  const account = unprivilegedAccount(folder);
  const data = join(folder, 'data');
  const locale = ['--encoding=UTF8', '--locale=C.UTF-8'];
  execFileSync(join(binaries, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', ...locale], {
    ...account,
    cwd: folder,
    stdio: 'ignore',
  });
  const port = await freePort();
  const logged: string[] = [];
  const server = spawn(
    join(binaries, 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      ...flags(['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, ...settings]),
    ],
    { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  server.stderr.setEncoding('utf8').on('data', (text: string) => logged.push(text));
  const connect = async (database = 'postgres') => {
    const client = new Client({ host: '127.0.0.1', port, user: 'postgres', password: '', database });
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  await untilReady(connect, server, logged);
  return {
    port,
    content: (database) => ({
      jdbcUrl: `jdbc:postgresql://127.0.0.1:${port}/${encodeURIComponent(database)}`,
      username: 'postgres',
      password: '',
    }),
    connect,
    log: () => logged.join(''),
    stop: async () => {
      await stopServer(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function flags(settings: readonly string[]): readonly string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}

/** The server refuses to run as root: then it runs as the account of its package. */
function unprivilegedAccount(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres');
  if (entry === undefined) throw new Error('running as root needs an account named postgres');
  const account = { uid: Number(entry[2]), gid: Number(entry[3]) };
  chownSync(folder, account.uid, account.gid);
  return account;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function untilReady(
  connect: () => Promise<Client>,
  server: ChildProcess,
  logged: readonly string[],
): Promise<void> {
  for (const deadline = Date.now() + START_TIMEOUT_MS; ; ) {
    try {
      const client = await connect();
      await client.end();
      return;
    } catch (error) {
      if (server.exitCode !== null || Date.now() > deadline) {
        throw new Error(`PostgreSQL did not start:\n${logged.join('')}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** SIGINT is PostgreSQL's fast shutdown. */
async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
}
