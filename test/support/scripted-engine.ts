import type { Engine, RunListener, RunStatus } from '../../src/engine/engine.ts';
import type { Failure, TableProgress } from '../../src/pipeline/checkpoint.ts';
import type { PipelineDef } from '../../src/pipeline/pipeline-def.ts';

/** An engine that does as a test says, and remembers what it was told. */
export class ScriptedEngine implements Engine {
  /** In order: `start 700001 v1`, `apply 700001 v2`, `stop 700001`. */
  readonly calls: string[] = [];
  readonly defs = new Map<string, PipelineDef>();
  readonly #listener: RunListener;
  readonly #statuses = new Map<string, RunStatus>();
  /** Awaited by each stop. */
  stopping: Promise<void> = Promise.resolve();
  /** Thrown by the next start. */
  refusal: Error | null = null;

  constructor(listener: RunListener) {
    this.#listener = listener;
  }

  async start(def: PipelineDef): Promise<void> {
    return this.#begin('start', def);
  }

  async resume(def: PipelineDef): Promise<void> {
    return this.#begin('resume', def);
  }

  async #begin(how: 'start' | 'resume', def: PipelineDef): Promise<void> {
    const { task } = def.owner;
    this.calls.push(`${how} ${task} v${def.version}`);
    const { refusal } = this;
    this.refusal = null;
    if (refusal !== null) throw refusal;
    if (this.defs.has(task)) throw new Error(`task ${task} runs already`);
    this.defs.set(task, def);
    this.show(task, { phase: 'running', failure: null, appliedVersion: def.version, wantedVersion: def.version });
  }

  async apply(def: PipelineDef): Promise<void> {
    const { task } = def.owner;
    this.calls.push(`apply ${task} v${def.version}`);
    if (this.defs.has(task)) this.defs.set(task, def);
  }

  async stop(task: string): Promise<void> {
    this.calls.push(`stop ${task}`);
    await this.stopping;
    if (this.defs.delete(task)) this.show(task, { phase: 'stopped', failure: null });
  }

  status(task: string): RunStatus | null {
    return this.#statuses.get(task) ?? null;
  }

  async close(): Promise<void> {}

  show(task: string, changes: Partial<RunStatus>): void {
    this.#statuses.set(task, { ...(this.#statuses.get(task) ?? IDLE), ...changes });
  }

  /** The run of a task ends by itself. */
  fail(task: string, failure: Failure): void {
    const def = this.defs.get(task);
    if (def === undefined) throw new Error(`task ${task} does not run`);
    this.defs.delete(task);
    this.show(task, { phase: 'failed', failure });
    this.#listener.onFailed(def.owner, failure);
  }
}

export function streaming(database: string, table: string): TableProgress {
  return {
    table: { database, table },
    state: 'STREAMING',
    chunksDone: 1,
    chunksAll: 1,
    rows: 1,
    failure: null,
    resume: null,
  };
}

const IDLE: RunStatus = {
  phase: 'starting',
  appliedVersion: 0,
  wantedVersion: 0,
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
