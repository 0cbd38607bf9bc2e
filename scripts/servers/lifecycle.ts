import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRoot } from './packages.ts';
import { tethered } from './tether.ts';

export type ServerKind = 'mariadb' | 'mysql' | 'postgres' | 'kafka';

/** A private server of ours: its own data folder and port, on loopback, ended with us. */
export interface Server {
  readonly kind: ServerKind;
  /** Such as `MariaDB 10.11.19`. */
  readonly version: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly pid: number;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
  /** As a power cut would end it; the data stay for `restart`. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** What it has logged so far. */
  log(): string;
}

export const ADMIN_PASSWORD = 'disync';

/** Servers that refuse root run as nobody: our own files are theirs then. */
const NOBODY = 65534;
export const serverUser: { uid?: number; gid?: number } = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

export interface LaunchOptions {
  readonly kind: ServerKind;
  readonly version: string;
  readonly user: string;
  readonly folder: string;
  readonly port: number;
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  /** Resolves once the server takes connections; throws while it does not. */
  ready(): Promise<void>;
  /** Ends it in good order. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long after a kill it cannot come back. */
  readonly restartAfterMs?: number;
}

const running = new Set<ChildProcess>();
/** Those of servers that were not stopped: a run that ends early must not leave its data on the disk. */
const folders = new Set<string>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
    } catch {
      // A server that dies just now may still write there.
    }
  }
});

/** A fresh folder that the server may write. */
export function serverFolder(kind: ServerKind): string {
  const folder = mkdtempSync(join(tmpdir(), `disync-${kind}-`));
  folders.add(folder);
  own(folder);
  return folder;
}

export function own(path: string): void {
  if (serverUser.uid !== undefined) chownSync(path, serverUser.uid, serverUser.gid ?? NOBODY);
}

/** Starts a server in the foreground and waits until it is ready. Errors: Error with the end of its log. */
export async function launch(options: LaunchOptions): Promise<Server> {
  const log = join(options.folder, 'server.log');
  let child = await boot(options, log);
  let killedAt = 0;
  return {
    kind: options.kind,
    version: options.version,
    host: '127.0.0.1',
    port: options.port,
    user: options.user,
    password: ADMIN_PASSWORD,
    get pid() {
      return child.pid ?? 0;
    },
    stop: async () => {
      await end(child, options.stopSignal ?? 'SIGTERM');
      rmSync(options.folder, { recursive: true, force: true });
      folders.delete(options.folder);
    },
    kill: async () => {
      await end(child, 'SIGKILL');
      killedAt = Date.now();
    },
    restart: async () => {
      await sleep(Math.max(0, killedAt + (options.restartAfterMs ?? 0) - Date.now()));
      await end(child, options.stopSignal ?? 'SIGTERM');
      child = await boot(options, log);
    },
    log: () => readFileSync(log, 'utf8'),
  };
}

async function boot(options: LaunchOptions, log: string): Promise<ChildProcess> {
  const { command, detached } = tethered(options.command);
  // The log is read only when the start fails; the server writes it by itself through the shell's redirection.
  const child = spawn('/bin/sh', ['-c', 'exec "$@" >>"$0" 2>&1', log, ...command], {
    cwd: options.folder,
    env: options.env ?? process.env,
    stdio: 'ignore',
    detached,
    ...serverUser,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const deadline = Date.now() + 90_000;
  for (;;) {
    try {
      await options.ready();
      child.unref();
      return child;
    } catch (error) {
      const ended = child.exitCode !== null || child.signalCode !== null;
      if (ended || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${options.version} did not start:\n${tail(log)}`, { cause: error });
      }
      await sleep(100);
    }
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.ref();
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

function tail(log: string): string {
  try {
    return readFileSync(log, 'utf8').split('\n').slice(-25).join('\n');
  } catch {
    return '(it wrote no log)';
  }
}
