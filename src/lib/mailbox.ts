/** A queue with one reader, who may wait for the next entry for a time. */
export class Mailbox<T> {
  readonly #entries: T[] = [];
  #wake: (() => void) | null = null;

  push(entry: T): void {
    this.#entries.push(entry);
    this.#wake?.();
  }

  /** The next entry; null when `ms` went by without one. `ms` null waits as long as it takes. */
  async take(ms: number | null): Promise<T | null> {
    if (this.#entries.length === 0 && ms !== 0) await this.#wait(ms);
    return this.#entries.shift() ?? null;
  }

  #wait(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }
}
