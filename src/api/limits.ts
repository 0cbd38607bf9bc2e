import type { ThrottleLimits } from './throttle.ts';

/** What a client may cost. Times in milliseconds. */
export interface GatewayLimits extends ThrottleLimits {
  /** Request line and headers together. */
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** Above this, of head or body, the access key must be known and active before more is parsed. */
  readonly unknownKeyBytes: number;
  readonly connections: number;
  readonly headersTimeoutMs: number;
  /** For a whole request, from its first byte. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How far a request's time may be from ours, either way. */
  readonly clockWindowMs: number;
}

/** UpdateDISyncTask carries a script of 4 MB in its query (1,000 tables of 20 columns). */
export const DEFAULT_LIMITS: GatewayLimits = {
  headBytes: 16 * 1024 * 1024,
  bodyBytes: 32 * 1024 * 1024,
  unknownKeyBytes: 64 * 1024,
  connections: 512,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 25_000,
  clockWindowMs: 15 * 60_000,
  readsPerSecond: 200,
  writesPerSecond: 50,
};
