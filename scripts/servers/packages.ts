import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
  constants,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLICY = '/usr/sbin/policy-rc.d';

export const isRoot = process.getuid?.() === 0;

/** Where what was fetched is kept between runs: outside the checkout, and readable for the user that servers run as. */
export function cacheFolder(): string {
  // Root's own folders are closed to the user that servers run as.
  const folder = isRoot ? '/var/cache' : (process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'));
  const own = join(folder, 'disync');
  mkdirSync(own, { recursive: true, mode: 0o755 });
  return own;
}

/** The path of a program, looked for on PATH and where servers are put; undefined when it is not installed. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  for (const folder of [...folders, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Runs a program to its end and gives its output. Errors: Error with the end of what it said. */
export async function output(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, args, { ...options, maxBuffer: 64 << 20 });
    return stdout + stderr;
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { stderr?: string; stdout?: string };
    const said = `${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n');
    throw new Error(`${program} ${args.slice(0, 3).join(' ')}… failed: ${said || String(error)}`, { cause: error });
  }
}

/** The path of a program, from Debian's package when it is not installed. Errors: Error that says why it cannot be had. */
export async function installProgram(name: string, debianPackage: string): Promise<string> {
  if (findProgram(name) === undefined) await installPackages(debianPackage);
  const found = findProgram(name);
  if (found === undefined) throw new Error(`${name} is not installed, also after installing ${debianPackage}`);
  return found;
}

/** Installs Debian packages, without letting a service start. Errors: Error that says why it cannot. */
export async function installPackages(...packages: string[]): Promise<void> {
  if (!isRoot)
    throw new Error(
      `${packages.join(', ')} is not installed, and only root can install packages: apt-get install ${packages.join(' ')}`,
    );
  if (findProgram('apt-get') === undefined)
    throw new Error(`${packages.join(', ')} is not installed, and this system has no apt-get`);
  await withLock('apt', async () => {
    const ownPolicy = !existsSync(POLICY);
    if (ownPolicy) {
      writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
      chmodSync(POLICY, 0o755);
    }
    try {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      await output('apt-get', ['update'], { env });
      await output('apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env });
    } finally {
      if (ownPolicy) rmSync(POLICY, { force: true });
    }
  });
}

/** Runs `work` while no other process runs one of the same name: a folder is the lock, its owner's pid is in it. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const lock = join(cacheFolder(), `${name}.lock`);
  const owner = join(lock, 'pid');
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(owner, String(process.pid));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (isAbandoned(owner)) {
        rmSync(owner, { force: true });
        try {
          rmdirSync(lock);
        } catch {
          // Another process was faster.
        }
      }
      await sleep(200);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isAbandoned(owner: string): boolean {
  try {
    process.kill(Number(readFileSync(owner, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** The machine's own Debian mirror, as its apt sources name it. */
export function debianMirror(): string | undefined {
  const folder = '/etc/apt/sources.list.d';
  const files = [
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
    '/etc/apt/sources.list',
  ];
  for (const file of files.filter((path) => existsSync(path))) {
    const text = readFileSync(file, 'utf8').replace(/^\s*#.*$/gm, '');
    const uris = [
      ...text.matchAll(/^URIs:\s*(\S+)/gim),
      ...text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+\S+\s+.*\bmain\b/gm),
    ].map((match) => match[1] ?? '');
    const mirror = uris.find((uri) => /\/debian\/?$/.test(uri));
    if (mirror !== undefined) return mirror;
  }
  return undefined;
}
