/**
 * Connections that load at the same time come to long rows one after the other: whoever has its turn may hold one, until what
 * was read with it is handed on. The others let the server wait.
 */
export class LongRowTurn {
  #holder: object | null = null;
  readonly #waiting = new Map<object, () => void>();

  /** Waits for the turn of `who`; at once if it has it. */
  async take(who: object): Promise<void> {
    this.#holder ??= who;
    if (this.#holder === who) return;
    await new Promise<void>((resolve) => this.#waiting.set(who, resolve));
  }

  /** `who` does not hold or want one any more; if it waits, it waits no longer. */
  leave(who: object): void {
    this.#waiting.get(who)?.();
    this.#waiting.delete(who);
    if (this.#holder !== who) return;
    this.#holder = null;
    for (const [next, resolve] of this.#waiting) {
      this.#waiting.delete(next);
      this.#holder = next;
      resolve();
      return;
    }
  }
}
