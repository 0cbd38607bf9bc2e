import { Worker } from 'node:worker_threads';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { BackOff } from '../../lib/retry.ts';
import type { Failure } from '../../pipeline/checkpoint.ts';
import { failureOf } from '../../pipeline/failed-tables.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { RunStatus } from '../engine.ts';
import type { EmbeddedEngineOptions } from './options.ts';
import type { FromWorker, Question, ToWorker, WorkerData } from './messages.ts';
import { shareMemory } from './memory-shares.ts';
import { Failovers } from './supervise.ts';

const STOP_DEADLINE_MS = 30_000;
/** What a run makes is over at once, or stays: more room for what is young costs memory, and gives nothing. */
const YOUNG_MB = 12;

export interface WorkerRunOptions extends EmbeddedEngineOptions {
  readonly log: Logger;
  /** The run ended by itself, for this reason; null after a stop. */
  onEnded(failure: Failure | null): void;
}

/** One run from outside its worker thread: starts it, answers its questions, starts it anew when it crashes. */
export class WorkerRun {
  status: RunStatus;
  readonly #options: WorkerRunOptions;
  readonly #failovers: Failovers;
  readonly #backOff = new BackOff(500, 30_000);
  #def: PipelineDef;
  #worker: Worker | null = null;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #ended!: () => void;
  readonly #end = new Promise<void>((resolve) => {
    this.#ended = resolve;
  });

  constructor(def: PipelineDef, options: WorkerRunOptions) {
    this.#def = def;
    this.#options = options;
    this.#failovers = new Failovers(def.policies.failover);
    this.status = {
      phase: 'starting',
      appliedVersion: 0,
      wantedVersion: def.version,
      lagMs: null,
      heldMs: null,
      offset: null,
      tables: [],
      failure: null,
      nextTryAt: null,
      failovers: 0,
      rowsRead: 0,
      rowsWritten: 0,
      bytesRead: 0,
      dirtyRows: 0,
      ddl: {},
      checkpointAt: null,
      watermarkAt: null,
    };
  }

  /** `retryFailed`: tables that failed are loaded afresh. */
  start({ retryFailed }: { retryFailed: boolean }): void {
    const { connectors, crashPoint } = this.#options;
    const memory = shareMemory(this.#options.memoryMb);
    const data: WorkerData = { def: this.#def, retryFailed, memory, connectors: connectors.href, crashPoint };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: memory.heapMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker = worker;
    let isOver = false;
    let crash: unknown;
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ended') {
        isOver = true;
        this.#over(message.failure);
        void worker.terminate(); // whatever a connector has left open
      } else this.#onMessage(worker, message);
    });
    worker.on('error', (error) => {
      crash = error;
    });
    worker.on('exit', (code) => {
      if (!isOver) this.#onCrash(crash ?? new Error(`the worker ended with code ${code}`));
    });
  }

  apply(def: PipelineDef): void {
    this.#def = def;
    this.#send({ kind: 'apply', def });
  }

  /** Flushes, saves, ends; after `deadlineMs` it is ended as it is, which loses nothing but time. */
  async stop(deadlineMs = STOP_DEADLINE_MS): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    if (this.#worker === null) {
      this.#over(null);
      return;
    }
    this.#send({ kind: 'stop' });
    const timer = setTimeout(() => void this.#worker?.terminate(), deadlineMs);
    await this.#end;
    clearTimeout(timer);
  }

  #onMessage(worker: Worker, message: Exclude<FromWorker, { kind: 'ended' }>): void {
    switch (message.kind) {
      case 'status':
        if (message.status.phase === 'running' && message.status.checkpointAt !== null) this.#backOff.reset();
        this.status = {
          ...message.status,
          failovers: message.status.failovers + this.#failovers.total,
        };
        return;
      case 'log':
        this.#options.log[message.level](message.facts, message.event);
        return;
      case 'ask':
        void this.#answer(message.question).then(
          (value) => worker.postMessage({ kind: 'answer', id: message.id, value } satisfies ToWorker),
          (error: unknown) =>
            worker.postMessage({
              kind: 'refusal',
              id: message.id,
              message: messageOf(error),
              failure: error instanceof PipelineError ? failureOf(error) : null,
            } satisfies ToWorker),
        );
    }
  }

  async #answer(question: Question): Promise<unknown> {
    const { store, journals, listener } = this.#options;
    switch (question.kind) {
      case 'load':
        return store.load(question.owner);
      case 'save':
        return store.save(question.owner, question.stored);
      case 'read journal':
        return journals.read(question.owner);
      case 'write journal':
        return journals.write(question.owner, question.record, question.after);
      case 'filled':
        await listener.onFilled(question.owner, question.targets);
        // A new worker after a crash is to know them too.
        this.#def = { ...this.#def, filled: [...this.#def.filled, ...question.targets] };
        return null;
    }
  }

  /** The thread died by a defect or for lack of memory: it goes on from the checkpoint, within the failover limit. */
  #onCrash(error: unknown): void {
    this.#worker = null;
    const failure: Failure = {
      code: 'Run.WorkerCrashed',
      message: messageOf(error),
      remedy:
        'The run goes on from its checkpoint. If it happens again: look for the reason in the log; for lack of memory, raise runMemoryMb.',
    };
    if (this.#stopping) {
      this.#over(null);
      return;
    }
    this.#options.log.error(
      { code: failure.code, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
      'the worker of a run crashed',
    );
    if (this.#failovers.exceeded(Date.now())) {
      this.#over({
        ...failure,
        remedy:
          'Look for the reason in the log; for lack of memory, raise runMemoryMb. Then start the task: it goes on from its checkpoint.',
      });
      return;
    }
    const wait = this.#backOff.next();
    this.status = {
      ...this.status,
      phase: 'backing-off',
      failure,
      nextTryAt: Date.now() + wait,
      failovers: this.#failovers.total,
    };
    this.#restart = setTimeout(() => this.start({ retryFailed: false }), wait);
  }

  #over(failure: Failure | null): void {
    this.#worker = null;
    this.status = { ...this.status, phase: failure === null ? 'stopped' : 'failed', failure, nextTryAt: null };
    this.#ended();
    this.#options.onEnded(failure);
  }

  #send(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }
}
