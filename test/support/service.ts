import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CrashPoint } from '../../src/lib/crash-point.ts';
import { freePort } from '../../scripts/servers/free-port.ts';
import { SERVICE_FLAGS } from '../../scripts/node24.mjs';
import { Api } from '../../quickstart/api.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
export const PROJECT = 10000;

/** An access key, as the command line prints it when it is made. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
}

export interface ServiceOptions {
  readonly dev?: boolean;
  /** What a run may take; null for the default. */
  readonly memoryMb?: number | null;
}

/** The real service in a process of its own; unless told otherwise for development: any key, project 10000. */
export class Service {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'disync-service-'));
  port = 0;
  /** What it wrote to standard error. */
  errors = '';
  readonly #dev: boolean;
  readonly #memoryMb: number | null;
  #child: ChildProcess | null = null;

  constructor({ dev = true, memoryMb = null }: ServiceOptions = {}) {
    this.#dev = dev;
    this.#memoryMb = memoryMb;
  }

  static async start(options: ServiceOptions = {}): Promise<Service> {
    const service = new Service(options);
    await service.restart();
    return service;
  }

  get api(): Api {
    return new Api(`127.0.0.1:${this.port}`, PROJECT);
  }

  /** Runs `disync ARGS` on its store, as an operator does; gives what it printed. */
  async cli(...args: readonly string[]): Promise<string> {
    const all = [MAIN, ...args, '--data-dir', join(this.folder, 'data')];
    const { stdout } = await promisify(execFile)(process.execPath, all);
    return stdout;
  }

  /** Makes a project, and a key that opens it. */
  async makeProject(project: number): Promise<AccessKey> {
    await this.cli('project', 'create', String(project));
    return JSON.parse(await this.cli('key', 'create', '--project', String(project))) as AccessKey;
  }

  /** Starts it, on the port and store that it has. Errors: Error with what it said when it ends instead. */
  async restart({ crashPoint = null }: { readonly crashPoint?: CrashPoint | null } = {}): Promise<void> {
    // None that the system may give to a connection while the service is gone.
    if (this.port === 0) this.port = await freePort();
    const child = spawn(
      process.execPath,
      [
        ...SERVICE_FLAGS,
        MAIN,
        'serve',
        ...(this.#dev ? ['--dev'] : []),
        '--port',
        String(this.port),
        '--data-dir',
        join(this.folder, 'data'),
        '--log-level',
        'warn',
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          NODE_COMPILE_CACHE: join(this.folder, 'compiled'),
          ...(crashPoint === null ? {} : { DISYNC_CRASH_POINT: crashPoint }),
          ...(this.#memoryMb === null ? {} : { DISYNC_RUN_MEMORY_MB: String(this.#memoryMb) }),
        },
      },
    );
    this.#child = child;
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes(`ready on http://127.0.0.1:${this.port}`)) resolve();
      });
      child.once('exit', (code) => reject(new Error(`the service ended with ${code}: ${this.errors}`)));
    });
  }

  /** Ended by itself, or by a signal from elsewhere. */
  get isOver(): boolean {
    return this.#child === null || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it in good order; gives the milliseconds that it took, and its exit code. */
  async stop(): Promise<{ ms: number; code: number | null }> {
    const begun = performance.now();
    const code = await this.#end('SIGTERM');
    return { ms: performance.now() - begun, code };
  }

  /** Ends it, and removes its store. */
  async dispose(): Promise<void> {
    await this.#end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null)
      return Promise.resolve(child?.exitCode ?? null);
    return new Promise((resolve) => {
      child.removeAllListeners('exit');
      child.once('exit', (code) => resolve(code));
      child.kill(signal);
    });
  }
}
