const CAPACITY_LEAST = 1024;

/** A set of 64-bit numbers, each as two unsigned halves; 16 to 32 bytes for each of them. */
export class NonceSet {
  /** High and low half side by side; both 0 where there is nothing. */
  #slots = new Uint32Array(2 * CAPACITY_LEAST);
  #size = 0;

  has(high: number, low: number): boolean {
    const at = this.#find(high, low || 1);
    return this.#slots[at + 1] !== 0;
  }

  add(high: number, low: number): void {
    if (2 * this.#size >= this.#slots.length / 2) this.#grow();
    const at = this.#find(high, low || 1);
    if (this.#slots[at + 1] === 0) this.#size += 1;
    this.#slots[at] = high;
    this.#slots[at + 1] = low || 1;
  }

  /** Where the number stands, or would stand. */
  #find(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    let at = (low * 2) & mask;
    while (this.#slots[at + 1] !== 0 && (this.#slots[at] !== high || this.#slots[at + 1] !== low)) at = (at + 2) & mask;
    return at;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(2 * old.length);
    for (let at = 0; at < old.length; at += 2) {
      const [high = 0, low = 0] = [old[at], old[at + 1]];
      if (low === 0) continue;
      const free = this.#find(high, low);
      this.#slots[free] = high;
      this.#slots[free + 1] = low;
    }
  }
}
