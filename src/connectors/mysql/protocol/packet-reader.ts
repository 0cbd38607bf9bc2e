import type { Duplex } from 'node:stream';

const HEADER = 4;
const MAX_PAYLOAD = 0xffffff;
const INITIAL = 1 << 20;
const STEADY = 4 << 20;

/**
 * Splits a MySQL connection into packets, in one buffer that the bytes are copied to once.
 *
 *   [ length 3, little-endian ][ sequence 1 ][ payload ]      a payload of 2^24-1 bytes goes on in the next packet
 *
 * A packet stays valid until `release` is called; until then new bytes go behind it, and once the buffer is full the
 * socket is paused: that is the back-pressure on the server.
 */
export class PacketReader {
  /** The last packet taken: `buffer` from `start` to `end` is its payload. */
  buffer: Buffer = Buffer.allocUnsafe(INITIAL);
  start = 0;
  end = 0;

  readonly #socket: Duplex;
  #read = 0;
  #write = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #closed = false;
  #poked = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#append(chunk));
    socket.on('error', (error: Error) => this.#end(error));
    socket.on('close', () => this.#end(undefined));
    socket.on('end', () => this.#end(undefined));
  }

  /** Takes the next packet if it is whole in the buffer. */
  take(): boolean {
    const available = this.#write - this.#read;
    if (available < HEADER) return false;
    const length = this.buffer.readUIntLE(this.#read, 3);
    if (length === MAX_PAYLOAD) return this.#takeJoined();
    if (available < HEADER + length) return false;
    this.start = this.#read + HEADER;
    this.end = this.start + length;
    this.#read = this.end;
    return true;
  }

  /** Ends a wait for bytes, or the next one, although none came. */
  poke(): void {
    this.#poked = true;
    this.#awake();
  }

  /** Waits until bytes come, or `poke`. Throws the socket's error, or that it was closed. */
  async more(): Promise<void> {
    this.#makeRoom();
    return this.#wait();
  }

  /** The same, and what was taken since `release` stays valid: bytes that find no room go to another buffer. */
  async moreBehind(): Promise<void> {
    if (this.#waiting.length > 0) {
      const unread = this.buffer.subarray(this.#read, this.#write);
      const other = Buffer.allocUnsafe(Math.max(this.buffer.length, 2 * unread.length + this.#waitingBytes));
      unread.copy(other);
      this.buffer = other;
      this.#write = unread.length;
      this.#read = 0;
    }
    return this.#wait();
  }

  async #wait(): Promise<void> {
    if (this.#poked) {
      this.#poked = false;
      return;
    }
    if (this.#waiting.length > 0) {
      this.#appendWaiting();
      return;
    }
    if (this.#closed) throw this.#error ?? new Error('the server closed the connection');
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#poked = false;
  }

  /** Frees the packets taken so far: their bytes may be overwritten from here on. */
  release(): void {
    if (this.#read === this.#write) {
      if (this.buffer.length > STEADY && this.#waitingBytes < STEADY) this.buffer = Buffer.allocUnsafe(STEADY);
      this.#read = 0;
      this.#write = 0;
    } else if (this.#read > this.buffer.length >> 1 || this.#waiting.length > 0) {
      this.buffer.copyWithin(0, this.#read, this.#write);
      this.#write -= this.#read;
      this.#read = 0;
    }
    if (this.#waiting.length > 0) this.#appendWaiting();
  }

  /** Joins packets of which all but the last have the greatest length, into a buffer of their own. */
  #takeJoined(): boolean {
    let at = this.#read;
    let total = 0;
    for (;;) {
      if (this.#write - at < HEADER) return false;
      const length = this.buffer.readUIntLE(at, 3);
      if (this.#write - at < HEADER + length) return false;
      at += HEADER + length;
      total += length;
      if (length < MAX_PAYLOAD) break;
    }
    // In place: each later payload moves down over the header before it.
    const start = this.#read + HEADER;
    let to = start;
    for (let from = this.#read; from < at; ) {
      const length = this.buffer.readUIntLE(from, 3);
      this.buffer.copyWithin(to, from + HEADER, from + HEADER + length);
      to += length;
      from += HEADER + length;
    }
    this.start = start;
    this.end = start + total;
    this.#read = at;
    return true;
  }

  #append(chunk: Buffer): void {
    if (this.#waiting.length > 0 || this.#write + chunk.length > this.buffer.length) {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.length;
      this.#socket.pause();
    } else {
      chunk.copy(this.buffer, this.#write);
      this.#write += chunk.length;
    }
    this.#awake();
  }

  /** Nothing whole is in the buffer: frees what was read, and grows if one packet needs more than the buffer holds. */
  #makeRoom(): void {
    if (this.#read > 0) {
      this.buffer.copyWithin(0, this.#read, this.#write);
      this.#write -= this.#read;
      this.#read = 0;
    }
    if (this.#write + this.#waitingBytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.#write + this.#waitingBytes));
    this.buffer.copy(grown, 0, 0, this.#write);
    this.buffer = grown;
  }

  #appendWaiting(): void {
    let taken = 0;
    for (const chunk of this.#waiting) {
      if (this.#write + chunk.length > this.buffer.length) break;
      chunk.copy(this.buffer, this.#write);
      this.#write += chunk.length;
      this.#waitingBytes -= chunk.length;
      taken += 1;
    }
    this.#waiting.splice(0, taken);
    if (this.#waiting.length === 0 && !this.#closed) this.#socket.resume();
  }

  #end(error: Error | undefined): void {
    this.#closed = true;
    this.#error ??= error;
    this.#awake();
  }

  #awake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
