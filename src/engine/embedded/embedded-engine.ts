import type { Failure } from '../../pipeline/checkpoint.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { Engine, RunStatus } from '../engine.ts';
import type { EmbeddedEngineOptions } from './options.ts';
import { WorkerRun } from './worker-run.ts';

/** Runs pipelines in this process: a worker thread each, so that the API never decodes rows and rows never wait for the API. */
export class EmbeddedEngine implements Engine {
  readonly #options: EmbeddedEngineOptions;
  readonly #runs = new Map<string, WorkerRun>();
  /** The last status of runs that ended. */
  readonly #ended = new Map<string, RunStatus>();

  constructor(options: EmbeddedEngineOptions) {
    this.#options = options;
  }

  async start(def: PipelineDef): Promise<void> {
    this.#run(def).start({ retryFailed: true });
  }

  async resume(def: PipelineDef): Promise<void> {
    this.#run(def).start({ retryFailed: false });
  }

  async apply(def: PipelineDef): Promise<void> {
    this.#runs.get(def.owner.task)?.apply(def);
  }

  async stop(task: string): Promise<void> {
    const run = this.#runs.get(task);
    if (run === undefined) return;
    await run.stop();
    this.#forget(task, run);
  }

  status(task: string): RunStatus | null {
    return this.#runs.get(task)?.status ?? this.#ended.get(task) ?? null;
  }

  async close(deadlineMs: number): Promise<void> {
    const runs = [...this.#runs];
    await Promise.all(runs.map(([, run]) => run.stop(deadlineMs)));
    for (const [task, run] of runs) this.#forget(task, run);
  }

  /** Every run of this process, for metrics. */
  statuses(): ReadonlyMap<string, RunStatus> {
    return new Map([...this.#runs].map(([task, run]) => [task, run.status]));
  }

  #run(def: PipelineDef): WorkerRun {
    const { task } = def.owner;
    if (this.#runs.has(task)) throw new Error(`task ${task} runs already`);
    this.#ended.delete(task);
    const run = new WorkerRun(def, {
      ...this.#options,
      log: this.#options.log.child({ task }),
      onEnded: (failure) => this.#onEnded(def, failure),
    });
    this.#runs.set(task, run);
    return run;
  }

  #onEnded(def: PipelineDef, failure: Failure | null): void {
    const { task } = def.owner;
    const run = this.#runs.get(task);
    if (run === undefined || failure === null) return;
    this.#forget(task, run);
    this.#options.listener.onFailed(def.owner, failure);
  }

  #forget(task: string, run: WorkerRun): void {
    this.#ended.set(task, run.status);
    this.#runs.delete(task);
  }
}
