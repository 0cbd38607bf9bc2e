import { isAbort, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { BackOff, pause } from '../../lib/retry.ts';
import type { Failure } from '../../pipeline/checkpoint.ts';
import { failureOf } from '../../pipeline/failed-tables.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { FailoverLimit } from '../../pipeline/policies.ts';

const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 30_000;

/** Counts failovers in the window of the limit. One outage is one failover, however many tries it takes. */
export class Failovers {
  readonly #limit: FailoverLimit;
  readonly #times: number[] = [];
  total = 0;

  constructor(limit: FailoverLimit) {
    this.#limit = limit;
  }

  /** Notes one; true when there are more than the limit allows. */
  exceeded(now: number): boolean {
    this.total += 1;
    this.#times.push(now);
    const since = now - this.#limit.intervalMinutes * 60_000;
    while ((this.#times[0] ?? now) < since) this.#times.shift();
    return this.#times.length > this.#limit.count;
  }
}

export interface SupervisedRun {
  readonly failover: FailoverLimit;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** One try. `alive` is to be called once it has proven that it works: the outage before it is over then. */
  attempt(options: { first: boolean; alive: () => void }): Promise<void>;
  /** Shows that a try failed and when the next one comes. */
  onWaiting(failure: Failure, nextTryAt: number, failovers: number): void;
}

/**
 * Tries again after what passes, with a capped back-off, until `signal` aborts (a normal end: null), or until what does
 * not pass, or the failover limit, ends the run: its reason is returned.
 */
export async function supervise({ failover, log, signal, attempt, onWaiting }: SupervisedRun): Promise<Failure | null> {
  const failovers = new Failovers(failover);
  const backOff = new BackOff(FIRST_WAIT_MS, MOST_WAIT_MS);
  let isOutage = false;
  for (let first = true; ; first = false) {
    try {
      await attempt({
        first,
        alive: () => {
          isOutage = false;
          backOff.reset();
        },
      });
      return null;
    } catch (error) {
      if (isAbort(error, signal)) return null;
      const failure = error instanceof PipelineError ? failureOf(error) : unexpected(error, log);
      if (error instanceof PipelineError && error.kind !== 'transient') return failure;
      if (!isOutage && failovers.exceeded(Date.now())) return limitReached(failover, failure);
      isOutage = true;
      const wait = backOff.next();
      log.warn(
        { code: failure.code, message: failure.message, waitMs: wait },
        'the run was interrupted and tries again',
      );
      onWaiting(failure, Date.now() + wait, failovers.total);
      await pause(wait, signal);
      if (signal.aborted) return null;
    }
  }
}

/** A defect of ours: with its stack in the log, and tried again as an outage, so that the limit ends it. */
function unexpected(error: unknown, log: Logger): Failure {
  log.error(
    { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
    'an unexpected error in a run',
  );
  return {
    code: 'Run.Unexpected',
    message: messageOf(error),
    remedy: 'This is a defect of disync: please report it with the log.',
  };
}

function limitReached({ count, intervalMinutes }: FailoverLimit, last: Failure): Failure {
  return {
    code: 'Run.FailoverLimit',
    message: `more than ${count} failovers in ${intervalMinutes} minutes; the last: ${last.code}: ${last.message}`,
    remedy: last.remedy ?? 'Settle the cause, then start the task again: it goes on from its checkpoint.',
  };
}
