const FIRST_BYTES = 256 * 1024;

/** Memory that rows are encoded into: grows by doubling, is used again and again, and gives back what a huge row took. */
export class Arena {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  /** Bytes in use. */
  used = 0;
  readonly #keptBytesMax: number;

  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** Makes room for `size` bytes in all; keeps the first `kept`. */
  grow(size: number, kept: number): void {
    const { buffer } = Buffer.allocUnsafeSlow(Math.max(size, this.bytes.length * 2, FIRST_BYTES));
    const bytes = new Uint8Array(buffer);
    bytes.set(this.bytes.subarray(0, kept));
    this.#use(bytes);
  }

  reset(): void {
    this.used = 0;
    if (this.bytes.length > this.#keptBytesMax) this.#use(new Uint8Array(0));
  }

  #use(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
