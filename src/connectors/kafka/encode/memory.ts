import { freeMemory } from '../../../lib/free-memory.ts';

const LEAST_BITS = 12;
const MOST_BITS = 20;
const LONG_STEP = 1 << MOST_BITS;

/** Of what was not needed, this part is given back at each trimming. */
const TRIMMED_PART = 8;

/** Pieces of memory that are used again, by powers of two from 4 KiB to 1 MiB; longer ones are given back at once. */
export class MemoryPool {
  readonly #free: ArrayBuffer[][] = Array.from({ length: MOST_BITS + 1 }, () => []);
  /** How many of each were free all the time since the last trimming. */
  readonly #spare = new Int32Array(MOST_BITS + 1);
  readonly #keptBytesMax: number;
  #keptBytes = 0;
  /** In use. */
  takenBytes = 0;

  /** `keptBytesMax`: what lies here unused, at most. */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  take(size: number): ArrayBuffer {
    const bits = Math.max(LEAST_BITS, 32 - Math.clz32(size - 1));
    const length = bits > MOST_BITS ? Math.ceil(size / LONG_STEP) * LONG_STEP : 1 << bits;
    this.takenBytes += length;
    const free = this.#free[bits]?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(length).buffer; // not zeroed, unlike new ArrayBuffer
    this.#keptBytes -= length;
    this.#spare[bits] = Math.min(this.#spare[bits]!, this.#free[bits]!.length);
    return free;
  }

  /** Gives back, little by little, what was not needed since the last time. */
  trim(): void {
    for (const [bits, free] of this.#free.entries()) {
      for (let count = Math.ceil(this.#spare[bits]! / TRIMMED_PART); count > 0; count -= 1) {
        const piece = free.pop();
        if (piece === undefined) break;
        this.#keptBytes -= piece.byteLength;
        freeMemory(piece);
      }
      this.#spare[bits] = free.length;
    }
  }

  /** Bytes that wait to be used again. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Somebody may still use it, but for the last time. */
  leave(buffer: ArrayBuffer): void {
    this.takenBytes -= buffer.byteLength;
  }

  /** Nobody uses it any more. */
  give(buffer: ArrayBuffer): void {
    this.leave(buffer);
    const bits = 31 - Math.clz32(buffer.byteLength);
    if (bits > MOST_BITS || this.#keptBytes + buffer.byteLength > this.#keptBytesMax) return freeMemory(buffer);
    this.#free[bits]?.push(buffer);
    this.#keptBytes += buffer.byteLength;
  }
}

/** Bytes that grow; what is written and how far is the writer's business. */
export class Memory {
  bytes: Uint8Array<ArrayBuffer>;
  view: DataView<ArrayBuffer>;
  readonly #pool: MemoryPool;

  constructor(pool: MemoryPool, size: number) {
    this.#pool = pool;
    const buffer = pool.take(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Makes room for `size` bytes in all, and more; the first `kept` stay. */
  grow(size: number, kept: number): void {
    this.#move(Math.max(size, 2 * Math.min(this.bytes.length, 1 << 22)), kept);
  }

  /** Gives back what is far beyond the first `kept`. */
  shrink(kept: number): void {
    if (this.bytes.length > LONG_STEP && this.bytes.length > 2 * kept) this.#move(kept, kept);
  }

  #move(size: number, kept: number): void {
    const before = this.bytes;
    const buffer = this.#pool.take(size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.bytes.set(before.subarray(0, kept));
    this.#pool.give(before.buffer);
  }

  /** `isUnused`: nobody reads it any more, such as a socket. */
  free(isUnused: boolean): void {
    if (isUnused) this.#pool.give(this.bytes.buffer);
    else this.#pool.leave(this.bytes.buffer);
  }
}
