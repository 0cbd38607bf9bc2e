import { ApiError } from './errors.ts';
import type { Operation } from './operation.ts';

/** Calls a second that one key may make of one operation; 0 sets no limit. Twice as many may come at once. */
export interface ThrottleLimits {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
}

interface Bucket {
  /** Calls that may come now. */
  left: number;
  /** When that was reckoned, ms. */
  at: number;
}

const SWEEP_EVERY_MS = 60_000;

/** A token bucket for each key and operation. */
export class Throttle {
  readonly #limits: ThrottleLimits;
  readonly #buckets = new Map<string, Bucket>();
  #sweptAt = 0;

  constructor(limits: ThrottleLimits) {
    this.#limits = limits;
  }

  /** Takes one call. `now`: ms. Errors: ApiError `Throttling.User`, which says when to come again. */
  take(keyId: string, operation: Pick<Operation, 'name' | 'access' | 'throttled'>, now: number): void {
    const { name, access } = operation;
    const perSecond = access === 'read' ? this.#limits.readsPerSecond : this.#limits.writesPerSecond;
    if (perSecond === 0) return;
    this.#sweep(now);
    const id = `${keyId}\n${name}`;
    const most = 2 * perSecond;
    const bucket = this.#buckets.get(id) ?? { left: most, at: now };
    const left = Math.min(most, bucket.left + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    if (left < 1) throw tooMany(operation, perSecond, Math.ceil(((1 - left) / perSecond) * 1000));
    this.#buckets.set(id, { left: left - 1, at: now });
  }

  /** A bucket that has filled up again is as good as none. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    for (const [id, { at }] of this.#buckets) if (now - at > 2000) this.#buckets.delete(id);
  }
}

function tooMany(
  { name, throttled }: Pick<Operation, 'name' | 'throttled'>,
  perSecond: number,
  retryAfterMs: number,
): ApiError {
  return new ApiError(throttled, 'Throttling.User', 'Request was denied due to user flow control.', {
    hint: `A key may call ${name} ${perSecond} times a second: try again in ${retryAfterMs} ms.`,
    retryAfterMs,
  });
}
