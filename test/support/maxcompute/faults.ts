import type { Refusal } from './refusal.ts';

/**
 * Something that goes wrong at the next call that it is meant for.
 *
 *   cut        the connection breaks once some of the body has arrived; nothing is done
 *   replyLost  it is done, and nobody hears of it
 *   replyIs    it is done, and the reply is not what the service says
 *   refuse     nothing is done
 *   slow       it is done later
 */
export interface Fault {
  readonly when: (method: string, url: URL) => boolean;
  readonly what:
    | { readonly kind: 'replyLost' | 'cut' }
    | { readonly kind: 'replyIs'; readonly body: string }
    | { readonly kind: 'refuse'; readonly refusal: Refusal }
    | { readonly kind: 'slow'; readonly ms: number };
}

/** Faults that wait for their calls; each strikes once, the first that fits. */
export class Faults {
  readonly #waiting: Fault[] = [];

  push(...faults: readonly Fault[]): void {
    this.#waiting.push(...faults);
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** Those that did not strike yet. */
  get size(): number {
    return this.#waiting.length;
  }

  take(method: string, url: URL): Fault['what'] | null {
    const index = this.#waiting.findIndex(({ when }) => when(method, url));
    return index < 0 ? null : (this.#waiting.splice(index, 1)[0]?.what ?? null);
  }
}
