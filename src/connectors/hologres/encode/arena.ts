import { freeMemory } from '../../../lib/free-memory.ts';

const FIRST_BYTES = 256 * 1024;

/** Memory that rows are encoded into: grows as needed, is used again and again, and gives back what a huge row took. */
export class Arena {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  /** Bytes in use. */
  used = 0;
  readonly #usualBytes: number;

  /** `usualBytes`: what is used as a rule; much more than that is given back at the next `reset`. */
  constructor(usualBytes: number) {
    this.#usualBytes = usualBytes;
  }

  /** Makes room for `size` bytes in all; keeps the first `kept`. */
  grow(size: number, kept: number): void {
    const length = this.bytes.length;
    const wanted = length < this.#usualBytes ? Math.min(length * 2, this.#usualBytes) : Math.ceil(length * 1.5);
    const { buffer } = Buffer.allocUnsafeSlow(Math.max(size, wanted, FIRST_BYTES));
    const bytes = new Uint8Array(buffer);
    bytes.set(this.bytes.subarray(0, kept));
    freeMemory(this.bytes.buffer);
    this.#use(bytes);
  }

  /** `isWritten`: a socket that was given parts of it has done with them. */
  reset(isWritten: boolean): void {
    this.used = 0;
    if (this.bytes.length <= this.#usualBytes * 2) return;
    if (isWritten) freeMemory(this.bytes.buffer);
    this.#use(new Uint8Array(0));
  }

  #use(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
