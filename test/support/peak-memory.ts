import { readFileSync, writeFileSync } from 'node:fs';

/** The most memory that a process has held since `reset`, as the kernel counts it: no moment between two looks is missed. Linux. */
export class PeakMemory {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** What is held now is the most from here on. */
  reset(): void {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, '5');
  }

  get mib(): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
  }
}
