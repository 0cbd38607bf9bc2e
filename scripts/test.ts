// npm test [-- --only AREA]: starts one server of each kind that the chosen tests need, then runs them.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { SERVER_KINDS, type Server, type ServerKind, startServer } from './servers/servers.ts';

/** Of a test, and of a whole `describe`; several times what the longest takes on a machine that has nothing else to do. */
const ONE_TEST_MS = 600_000;

const only = readOnly(process.argv.slice(2));
const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'quickstart/**/*.test.ts'])
  .filter((file) => only === null || file.includes(only))
  .sort();
if (files.length === 0) fail(`no test file has ${only} in its path`);

const servers = await startAll(SERVER_KINDS.filter((kind) => files.some((file) => needs(file, kind))));
for (const { version } of servers) console.log(`server: ${version}`);
const code = await runTests();
await Promise.allSettled(servers.map((server) => server.stop()));
process.exit(code);

function readOnly(args: readonly string[]): string | null {
  if (args.length === 0) return null;
  const [flag, area] = args;
  if (flag === '--only' && area !== undefined) return area;
  return fail('usage: npm test, or npm test -- --only AREA (a part of a path, such as api or connectors/mysql)');
}

function needs(file: string, kind: ServerKind): boolean {
  if (kind === 'kafka') return /^test\/(?:e2e|fault)\/[^/]*(?:kafka|crash-points)|\.kafka\./.test(file);
  if (/^test\/(?:e2e|fault)\//.test(file)) return true;
  return kind === 'postgres' ? file.includes('.postgres.') : file.includes('.mysql.');
}

/** A kind of server that cannot be had is a failure, not a skip. */
async function startAll(kinds: readonly ServerKind[]): Promise<Server[]> {
  const started = await Promise.allSettled(kinds.map((kind) => startServer(kind)));
  const failed = started.flatMap((result, index) =>
    result.status === 'rejected' ? [`${kinds[index]}: ${String(result.reason)}`] : [],
  );
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failed.length > 0) {
    await Promise.allSettled(running.map((server) => server.stop()));
    fail(`servers that the tests need could not be started:\n${failed.join('\n')}`);
  }
  return running;
}

function runTests(): Promise<number> {
  const shared = servers.map(({ kind, version, host, port, user, password }) => ({
    kind,
    version,
    host,
    port,
    user,
    password,
  }));
  // A connection that a test leaves open would keep its file until the limit, and fail it, though all of it has passed.
  const options = ['--test', '--test-force-exit', '--test-concurrency=2', `--test-timeout=${ONE_TEST_MS}`];
  const args = [...options, '--test-reporter=spec', ...files];
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, DISYNC_TEST_SERVERS: JSON.stringify(shared) },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('exit', (exit) => resolve(exit ?? 1)));
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
