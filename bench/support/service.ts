import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SERVICE_FLAGS } from '../../scripts/node24.mjs';

/** The service as a user starts it, in a process of its own with a store of its own. */
export class Service {
  readonly #child: ChildProcess;
  readonly #folder: string;
  /** `host:port` of the API. */
  readonly endpoint: string;

  private constructor(child: ChildProcess, folder: string, endpoint: string) {
    this.#child = child;
    this.#folder = folder;
    this.endpoint = endpoint;
  }

  /** `folder` holds its store, and is removed at the end. */
  static async start(profile: readonly string[] = []): Promise<Service> {
    const folder = mkdtempSync(join(tmpdir(), 'disync-bench-'));
    const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
    const child = spawn(
      process.execPath,
      [
        ...profile,
        ...SERVICE_FLAGS,
        main,
        'serve',
        '--dev',
        '--port',
        '0',
        '--data-dir',
        join(folder, 'data'),
        '--log-level',
        'warn',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const endpoint = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const match = /ready on http:\/\/([\d.:]+)/.exec(text);
        if (match?.[1] !== undefined) resolve(match[1]);
      });
      child.once('exit', (code) => reject(new Error(`the service ended with code ${code}`)));
    });
    return new Service(child, folder, endpoint);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
