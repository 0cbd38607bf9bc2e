import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { RunControl } from './run-control.ts';
import type { Turns } from './turns.ts';

const EVERY_MS = 1000;

/** Ends the runs of tasks that only load, once all of their tables are. */
export class FinishWatch {
  readonly #options: { readonly runs: RunControl; readonly turns: Turns; readonly log: Logger };
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  /** `turns`: shared with all that changes tasks. */
  constructor(options: { readonly runs: RunControl; readonly turns: Turns; readonly log: Logger }) {
    this.#options = options;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.look().then(() => this.start());
    }, EVERY_MS).unref();
  }

  async look(): Promise<void> {
    const { runs, turns, log } = this.#options;
    for (const task of runs.loaded()) {
      try {
        await turns.take(`task ${task}`, () => runs.finish(task));
      } catch (error) {
        log.warn(
          { task, message: messageOf(error) },
          'a task that has loaded its tables could not be ended; it is tried again',
        );
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }
}
