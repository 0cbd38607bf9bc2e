import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../lib/log.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import { withFailed } from '../../pipeline/failed-tables.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { CommitResult, FailedTables } from '../../pipeline/sink.ts';
import { describeTable } from '../../pipeline/table.ts';
import type { CheckpointTable } from './checkpoint-table.ts';
import type { CommitBuffer } from './commit-buffer.ts';
import { ENTRY, type TableBuffer } from './encode/table-buffer.ts';
import { classify, sqlStateOf, targetNamedBy, toPipelineError } from './errors.ts';
import { targetKey } from './names.ts';
import { StatementError } from './protocol/statement-run.ts';
import { plain } from './protocol/statement.ts';
import { rowSteps, type Step } from './row-steps.ts';
import type { Session } from './session.ts';
import type { Target } from './target.ts';

/** Deadlocks and lock time-outs with other writers of the target are tried again at once, so many times. */
const RETRIES_MAX = 5;
const RETRY_PAUSE_MS = 50;

/** The account may not make temporary tables: the steps must be built again. */
class StagingDenied extends Error {
  override readonly name = 'StagingDenied';
}

/** The rows refused that may still be left out; counts those that were. */
export interface DirtyBudget {
  /** Infinity when there is no limit. */
  readonly left: number;
  /** Errors: PipelineError `fatal` when that is more than the limit. */
  add(rows: number, reason: string): void;
}

export interface CommitAttemptsOptions {
  readonly session: Session;
  readonly buffer: CommitBuffer;
  readonly checkpoint: Checkpoint;
  /** Null when the sink does not hold the checkpoint. */
  readonly checkpoints: CheckpointTable | null;
  readonly staged: boolean;
  readonly dirty: DirtyBudget;
  readonly log: Logger;
}

/**
 * Writes one commit: all tables and the checkpoint in one transaction on PostgreSQL, statement by statement on Hologres
 * (a repeat converges by key). A table that is refused is left out, and the others are written again without it.
 */
export class CommitAttempts {
  readonly #options: CommitAttemptsOptions;
  readonly #failed: { table: Target['table']; error: PipelineError }[] = [];
  readonly #transactional: boolean;
  #retries = 0;

  constructor(options: CommitAttemptsOptions) {
    this.#options = options;
    this.#transactional = options.session.server.kind === 'postgresql';
  }

  /** Errors: PipelineError `transient` when what became of the commit is unknown, `fatal`. */
  async run(): Promise<CommitResult> {
    const { buffer, checkpoint, checkpoints } = this.#options;
    for (;;) {
      const steps = this.#commitSteps();
      try {
        await this.#write(steps);
        break;
      } catch (error) {
        await this.#settle(error, steps);
      }
    }
    checkpoints?.saved(withFailed(checkpoint, this.#failed));
    for (const [target] of buffer.changes()) target.committed();
    return { failed: this.#failed as FailedTables, rowsWritten: buffer.rows };
  }

  #commitSteps(): readonly Step[] {
    const { buffer, checkpoint, checkpoints } = this.#options;
    const rows: Step[] = [];
    for (const [target, changes] of buffer.changes()) {
      rows.push(...this.#rowSteps(target, changes, { from: 0, to: changes.count, direct: true }));
    }
    // First, so that a second instance is refused before it waits for our rows.
    const saves = (checkpoints?.statements(withFailed(checkpoint, this.#failed)) ?? []).map((statement) => ({
      statement,
      target: null,
      direct: false,
    }));
    return [...saves, ...this.#alterSteps(), ...rows];
  }

  #alterSteps(only?: Target): readonly Step[] {
    return this.#options.buffer.alterations
      .filter(({ target }) => only === undefined || target === only)
      .map(({ target, clause }) => ({
        statement: plain(`ALTER TABLE ${target.sql} ${clause}`),
        target,
        direct: false,
      }));
  }

  #rowSteps(target: Target, buffer: TableBuffer, part: { from: number; to: number; direct: boolean }): readonly Step[] {
    const { session, staged } = this.#options;
    const { arena } = this.#options.buffer;
    return rowSteps({
      arena,
      target,
      buffer,
      staging: staged && session.staging.allowed ? session.staging : null,
      ...part,
    });
  }

  /** Runs the steps; `rollBack` runs them for nothing but their errors. */
  async #write(steps: readonly Step[], rollBack = false): Promise<void> {
    const { session } = this.#options;
    await this.#stage(session);
    if (!this.#transactional) {
      for (const [index, step] of steps.entries()) await this.#writeAlone(step, index);
      return;
    }
    const statements = steps.map(({ statement }) => statement);
    await session.run([plain('BEGIN', true), ...statements, plain(rollBack ? 'ROLLBACK' : 'COMMIT', true)]);
  }

  async #stage({ client, staging }: Session): Promise<void> {
    for (const sql of staging.takeStatements()) {
      try {
        await client.query(sql);
      } catch (error) {
        if (sqlStateOf(error) !== '42501') throw error;
        staging.allowed = false;
        throw new StagingDenied();
      }
    }
  }

  async #writeAlone(step: Step, index: number): Promise<void> {
    try {
      await this.#options.session.run([step.statement]);
    } catch (error) {
      // 42701: the column is there, from an earlier try.
      if (sqlStateOf(error) === '42701') return;
      // As if it had stood in a run behind a BEGIN.
      throw error instanceof StatementError ? new StatementError(index + 1, error.cause) : error;
    }
  }

  /** Does what makes another attempt worth it, or throws. */
  async #settle(error: unknown, steps: readonly Step[]): Promise<void> {
    if (error instanceof StagingDenied)
      return this.#options.log.warn({}, 'no right to make temporary tables: writing without staging');
    const step = error instanceof StatementError ? steps[error.index - 1] : undefined;
    const target = step?.target ?? this.#targetNamedBy(error);
    const refusal = classify(error);
    if (refusal === 'unavailable' || refusal === 'denied') throw this.#runError(error);
    if (this.#transactional) await this.#rollBack();
    if (step !== undefined && step.target === null && sqlStateOf(error) === '22012') throw this.#conflict();
    if (refusal === 'retry') {
      if (++this.#retries > RETRIES_MAX) throw this.#runError(error);
      await sleep(RETRY_PAUSE_MS * this.#retries);
    } else if (step?.direct === true && step.target !== null && sqlStateOf(error) === '23505') {
      step.target.directRefused();
    } else if (target === null) {
      throw this.#runError(error);
    } else if (refusal !== 'row' || this.#options.dirty.left <= 0 || !(await this.#leaveOutRefused(target))) {
      this.#fail(target, error);
    }
  }

  /** Finds the rows of a table that the target refuses by writing halves, and marks them. False when none is found. */
  async #leaveOutRefused(target: Target): Promise<boolean> {
    const { buffer, dirty, log } = this.#options;
    const changes = buffer.of(target);
    const refused: number[] = [];
    const ranges = [{ from: 0, to: changes.count }];
    for (let range = ranges.pop(); range !== undefined && refused.length <= dirty.left; range = ranges.pop()) {
      if (await this.#takes(target, changes, range)) continue;
      const middle = (range.from + range.to) >> 1;
      if (range.to - range.from === 1) refused.push(range.from);
      else ranges.push({ from: middle, to: range.to }, { from: range.from, to: middle });
    }
    for (const entry of refused) changes.states[entry] = ENTRY.REFUSED;
    buffer.rows -= refused.length;
    buffer.refused += refused.length;
    if (refused.length > 0)
      log.warn({ table: target.table, rows: refused.length }, 'the target refused rows: dirty data');
    dirty.add(refused.length, `${describeTable(target.table)}: the target refused it`);
    return refused.length > 0;
  }

  async #takes(target: Target, changes: TableBuffer, range: { from: number; to: number }): Promise<boolean> {
    const steps = [...this.#alterSteps(target), ...this.#rowSteps(target, changes, { ...range, direct: false })];
    try {
      await this.#write(steps, true);
      return true;
    } catch (error) {
      if (classify(error) !== 'row') throw this.#runError(error);
      if (this.#transactional) await this.#rollBack();
      return false;
    }
  }

  #fail(target: Target, error: unknown): void {
    const failure = toPipelineError(error, `writing ${describeTable(target.table)}`, { table: target.table });
    target.ready = false;
    this.#failed.push({ table: target.table, error: failure });
    this.#options.buffer.exclude(target);
  }

  /** A table that the server names when the error came with no statement of it, such as a deferred constraint's. */
  #targetNamedBy(error: unknown): Target | null {
    const named = targetNamedBy(error);
    if (named === null) return null;
    for (const [target] of this.#options.buffer.changes()) {
      if (targetKey(target.id) === targetKey(named)) return target;
    }
    return null;
  }

  async #rollBack(): Promise<void> {
    try {
      await this.#options.session.client.query('ROLLBACK');
    } catch (error) {
      throw this.#runError(error);
    }
  }

  #runError(error: unknown): PipelineError {
    return toPipelineError(error, 'writing a commit');
  }

  #conflict(): PipelineError {
    return new PipelineError(
      'fatal',
      'Sink.CheckpointConflict',
      'another instance of this task has written to the target',
      {
        hint: 'Run one service per store and target only. Stop the other one, then start this task again.',
      },
    );
  }
}
