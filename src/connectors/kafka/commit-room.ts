const LEAST_BYTES = 64 * 1024;

/**
 * How much a commit may hold. A broker that throttles may not take in time what there is room for: the coordinator ends
 * such a transaction, and the same again would fare no better. So the next ones hold less, and again more once they are
 * quick.
 */
export class CommitRoom {
  bytes: number;
  readonly #bytesMax: number;
  readonly #timeoutMs: number;

  /** `timeoutMs`: of a transaction. */
  constructor(bytesMax: number, timeoutMs: number) {
    this.bytes = bytesMax;
    this.#bytesMax = bytesMax;
    this.#timeoutMs = timeoutMs;
  }

  committed(tookMs: number): void {
    if (tookMs < this.#timeoutMs / 4) this.bytes = Math.min(2 * this.bytes, this.#bytesMax);
  }

  /** The transaction of so many bytes was ended by its coordinator. */
  ended(bytes: number, afterMs: number): void {
    if (afterMs >= this.#timeoutMs / 2) this.bytes = Math.max(LEAST_BYTES, Math.min(this.bytes, bytes) / 2);
  }
}
