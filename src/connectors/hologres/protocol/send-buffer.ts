import type { Writable } from 'node:stream';

const BLOCK_BYTES = 128 * 1024;
/** A block that grew for a large message is used again up to this size. */
const KEPT_BLOCK_BYTES_MAX = 1024 * 1024;
const BLOCKS_IN_FLIGHT_MAX = 4;

/**
 * Builds protocol messages in blocks of memory that are used again once the socket has taken them. A message is
 *
 *   byte type | int32 length, itself included | body
 */
export class SendBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  view: DataView = viewOf(this.bytes);
  at = 0;

  readonly #stream: Writable;
  readonly #free: Buffer[] = [];
  #inFlight = 0;
  #waiting: (() => void) | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Makes room for `size` more bytes; returns where they go. */
  need(size: number): number {
    if (this.at + size > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.at + size, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.at);
      this.bytes = grown;
      this.view = viewOf(grown);
    }
    return this.at;
  }

  /** Begins a message; its result is for `end`. */
  begin(type: string): number {
    const at = this.need(5);
    this.bytes[at] = type.charCodeAt(0);
    this.at = at + 5;
    return at;
  }

  end(start: number): void {
    this.view.setInt32(start + 1, this.at - start - 1);
  }

  int16(value: number): void {
    const at = this.need(2);
    this.view.setInt16(at, value);
    this.at = at + 2;
  }

  int32(value: number): void {
    const at = this.need(4);
    this.view.setInt32(at, value);
    this.at = at + 4;
  }

  cstring(text: string): void {
    const at = this.need(Buffer.byteLength(text) + 1);
    const end = at + this.bytes.write(text, at);
    this.bytes[end] = 0;
    this.at = end + 1;
  }

  /** Copies `bytes` from `start` to `end`. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    const at = this.need(end - start);
    if (end - start < 64) {
      const out = this.bytes;
      for (let from = start, to = at; from < end; ) out[to++] = bytes[from++]!;
    } else {
      this.bytes.set(bytes.subarray(start, end), at);
    }
    this.at = at + end - start;
  }

  /** True when a block is full: time to `flush`. */
  get full(): boolean {
    return this.at >= BLOCK_BYTES / 2;
  }

  /** Hands what was built to the socket; waits while too much of it is on its way. */
  async flush(): Promise<void> {
    if (this.at > 0) this.#send();
    while (this.#inFlight >= BLOCKS_IN_FLIGHT_MAX) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  #send(): void {
    const block = this.bytes;
    this.#inFlight++;
    // The callback comes with an error when the socket is gone: the query hears of that by itself.
    this.#stream.write(block.subarray(0, this.at), () => {
      this.#inFlight--;
      if (block.length <= KEPT_BLOCK_BYTES_MAX) this.#free.push(block);
      this.#waiting?.();
      this.#waiting = null;
    });
    this.bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.view = viewOf(this.bytes);
    this.at = 0;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
