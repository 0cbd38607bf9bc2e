import type { Writable } from 'node:stream';

const BLOCK_BYTES = 128 * 1024;
/** A block that grew for a large message is used again up to this size. */
const KEPT_BLOCK_BYTES_MAX = 1024 * 1024;
const BLOCKS_IN_FLIGHT_MAX = 4;
/** Values this long are not copied into a block: they go out from where they stand. */
const PIECE_BYTES_MIN = 256 * 1024;

/** Bytes that stand elsewhere and go out before the byte `at` of the block. */
interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

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
  #pieces: Piece[] = [];
  #inFlight = 0;
  #waiting: (() => void) | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Forgets what was built and not handed to the socket. */
  clear(): void {
    this.at = 0;
    this.#pieces = [];
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
    this.view.setInt32(start + 1, this.since(start) - 1);
  }

  /** Bytes since `start`, a place in the present block. */
  since(start: number): number {
    let bytes = this.at - start;
    for (const piece of this.#pieces) if (piece.at > start) bytes += piece.bytes.length;
    return bytes;
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

  /** Puts in `bytes` from `start` to `end`: they must stay as they are until what is built here was answered. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    if (end - start >= PIECE_BYTES_MIN) {
      this.#pieces.push({ at: this.at, bytes: bytes.subarray(start, end) });
      return;
    }
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
    return this.at >= BLOCK_BYTES / 2 || this.#pieces.length > 0;
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
    const last = this.#sendPieces(block);
    // The callback comes with an error when the socket is gone: the query hears of that by itself.
    this.#stream.write(block.subarray(last, this.at), () => {
      this.#inFlight--;
      if (block.length <= KEPT_BLOCK_BYTES_MAX) this.#free.push(block);
      this.#waiting?.();
      this.#waiting = null;
    });
    this.bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.view = viewOf(this.bytes);
    this.at = 0;
  }

  /** Sends the pieces and what stands before them; returns where the rest of the block begins. */
  #sendPieces(block: Buffer): number {
    let from = 0;
    for (const { at, bytes } of this.#pieces) {
      this.#stream.write(block.subarray(from, at));
      this.#stream.write(bytes);
      from = at;
    }
    this.#pieces = [];
    return from;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
