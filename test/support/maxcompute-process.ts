import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from './maxcompute-under-test.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'maxcompute-double.ts');

/** What goes wrong, as the double is told (maxcompute/control.ts). */
export interface ToldFault {
  readonly what: 'cut' | 'replyLost' | 'refuse' | 'slow';
  readonly method?: string;
  readonly path?: string;
  readonly times?: number;
  readonly status?: number;
  readonly code?: string;
  readonly holdMs?: number;
  readonly ms?: number;
}

/** A double of MaxCompute in a process of its own, which outlives every service that writes to it. */
export class DoubleProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(): Promise<DoubleProcess> {
    const child = spawn(process.execPath, [SCRIPT, '--project', PROJECT, '--id', 'id', '--key', 'secret'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const found = /endpoint\s+(\S+)\/api/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
      child.once('exit', (code) => reject(new Error(`the double ended with ${code}`)));
    });
    return new DoubleProcess(child, url);
  }

  async fault(...faults: readonly ToldFault[]): Promise<void> {
    for (const fault of faults) await this.#ask('POST', 'faults', JSON.stringify(fault));
  }

  async clear(): Promise<void> {
    await this.#ask('DELETE', 'faults');
  }

  async event(name: 'failNextCommit' | 'moveSlots' | 'expireSessions' | 'forgetSessions'): Promise<void> {
    await this.#ask('POST', `events/${name}`);
  }

  /** The rows of a table without partitions, as texts; none if there is no such table. */
  async rows(table: string): Promise<(string | null)[][]> {
    const path = encodeURIComponent(`projects/${PROJECT}/tables/${table}`);
    const reply = await fetch(`${this.url}/double/rows?table=${path}`);
    return reply.ok ? ((await reply.json()) as (string | null)[][]) : [];
  }

  stop(): void {
    this.#child.removeAllListeners('exit');
    this.#child.kill('SIGKILL');
  }

  async #ask(method: string, what: string, body?: string): Promise<void> {
    const reply = await fetch(`${this.url}/double/${what}`, { method, ...(body === undefined ? {} : { body }) });
    if (!reply.ok) throw new Error(`the double says ${reply.status}: ${await reply.text()}`);
  }
}
