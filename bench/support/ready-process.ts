import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { spawnPinned } from './pinned.ts';
import { cpuSeconds } from './process-facts.ts';

/** A server in a process of its own, on processor 0, that says on which port it is ready. */
export class ReadyProcess {
  readonly name: string;
  readonly port: number;
  /** From the start of the process until it was ready. */
  readonly startMs: number;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess, port: number, startMs: number) {
    this.name = name;
    this.#child = child;
    this.port = port;
    this.startMs = startMs;
  }

  static async start(name: string, args: readonly string[]): Promise<ReadyProcess> {
    const begun = performance.now();
    const child = spawnPinned(0, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const port = await new Promise<number>((resolve, reject) => {
      let text = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        const match = /ready on http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
        if (match !== null) resolve(Number(match[1]));
      });
      child.once('exit', (code) => reject(new Error(`${name} ended with code ${code}`)));
    });
    return new ReadyProcess(name, child, port, performance.now() - begun);
  }

  /** What it holds now. Linux only. */
  get rssMiB(): number {
    const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'));
    return Math.round(Number(match?.[1] ?? 0) / 1024);
  }

  /** Processor seconds so far. */
  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid ?? 0);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}
