import type { Clock } from '../lib/clock.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import { messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import type { Logger } from '../lib/log.ts';
import type { ProcessId } from './ids.ts';
import { PlanFailure } from './plan-task.ts';
import type { Planner } from './planner.ts';
import type { WantedTask } from './task-definition.ts';
import type { ProcessRecord, TaskStore } from './task-store.ts';

const AT_ONCE = 4;
export const KEPT_MS = 7 * 24 * 3600 * 1000;
const PURGE_EVERY_MS = 3600 * 1000;

/**
 * Works config processes off in the background: durable rows, taken up again after a restart, each ending in success or
 * fail whatever happens (decision 4).
 */
export class ConfigProcesses {
  readonly #store: TaskStore;
  readonly #planner: Planner;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #queue: ProcessRecord[] = [];
  readonly #working = new Map<bigint, Promise<void>>();
  readonly #purge: NodeJS.Timeout;
  #closed = false;

  constructor(options: { store: TaskStore; planner: Planner; clock: Clock; log: Logger }) {
    this.#store = options.store;
    this.#planner = options.planner;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#purge = setInterval(() => void this.#forgetOld(), PURGE_EVERY_MS).unref();
  }

  /** Takes up what an earlier process of the service left unfinished. */
  async resume(): Promise<void> {
    await this.#forgetOld();
    for (const process of await this.#store.transaction((records) => records.runningProcesses())) this.add(process);
  }

  add(process: ProcessRecord): void {
    this.#queue.push(process);
    this.#next();
  }

  /** Resolves when the process has ended, or after `ms`. */
  async wait(id: ProcessId, ms: number): Promise<void> {
    const until = this.#clock.now() + ms;
    while (this.#isUnfinished(id) && this.#clock.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#purge);
    this.#queue.length = 0;
    await Promise.race([
      Promise.allSettled(this.#working.values()),
      new Promise((resolve) => setTimeout(resolve, 2000).unref()),
    ]);
  }

  #isUnfinished(id: ProcessId): boolean {
    return this.#working.has(id) || this.#queue.some((process) => process.id === id);
  }

  #next(): void {
    while (!this.#closed && this.#working.size < AT_ONCE) {
      const process = this.#queue.shift();
      if (process === undefined) return;
      const work = this.#work(process).finally(() => {
        this.#working.delete(process.id);
        this.#next();
      });
      this.#working.set(process.id, work);
    }
  }

  async #work(process: ProcessRecord): Promise<void> {
    const end = await this.#plan(process);
    if (this.#closed) return; // still `running` in the store: taken up again at the next start
    try {
      await withCrashPoints('process ended', () =>
        this.#store.transaction((records) => records.endProcess(process.id, end)),
      );
    } catch (error) {
      this.#log.error(
        { process: process.id, message: messageOf(error) },
        'the end of a config process could not be saved',
      );
    }
  }

  async #plan({ project, user, task, baseVersion, id, input }: ProcessRecord) {
    try {
      const wanted = parseJson(input) as unknown as WantedTask;
      return { result: await this.#planner.plan({ project, user, wanted, task, baseVersion, processId: id }) };
    } catch (error) {
      if (error instanceof PlanFailure) return { message: error.message };
      this.#log.error({ process: id, error: messageOf(error) }, 'a config process failed unexpectedly');
      const remedy = 'Look for the reason in the log of the service.';
      return { message: new PlanFailure([{ code: 'Task.PlanFailed', message: messageOf(error), remedy }]).message };
    }
  }

  async #forgetOld(): Promise<void> {
    await this.#store
      .transaction((records) => records.purge(this.#clock.now() - KEPT_MS))
      .catch((error: unknown) => {
        this.#log.warn({ message: messageOf(error) }, 'old processes and tokens could not be removed');
      });
  }
}
