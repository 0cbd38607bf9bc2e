import type { Duplex } from 'node:stream';
import { freeMemory } from '../../../lib/free-memory.ts';

const HEADER = 4;
const MAX_PAYLOAD = 0xffffff;
/** The most of one read. With as much unread the socket is paused, so that less than twice as much is ever unread. */
const READ_BYTES = 256 * 1024;
/** A usual buffer: room for what may be unread when the former one is full, for a read behind it, and for some more. */
const BUFFER_BYTES = 4 * READ_BYTES;
/** With less room than this a read is not worth a call. */
const ROOM_MIN = 64 * 1024;
const FREE_MAX = 2;
/** No server sends a longer payload. */
const PAYLOAD_MAX = 2 ** 30 + MAX_PAYLOAD;

/**
 * What is known of the length of a payload that goes on in further packets: at least so many bytes. `start` to `end` is what
 * has come of its first packet.
 */
export type MeasurePayload = (bytes: Buffer, start: number, end: number) => number;

/** A packet is on its way that is longer than what may be held. */
export class PacketTooLarge extends Error {
  override readonly name = 'PacketTooLarge';
  /** At least. */
  readonly bytes: number;

  constructor(bytes: number) {
    super(`a packet of ${bytes} bytes or more`);
    this.bytes = bytes;
  }
}

/**
 * Splits a MySQL connection into packets, in the buffers that the bytes are read into.
 *
 *   [ length 3, little-endian ][ sequence 1 ][ payload ]      a payload of 2^24-1 bytes goes on in the next packet
 *
 * Bytes come either as the socket's chunks, or are read straight to `space` and told by `wrote`. A full buffer is followed
 * by another one, to which only the unread rest of a packet is copied: for a long packet it is as long as that, where its
 * length is known, and is given back behind it. A packet stays valid until `release` is called.
 */
export class PacketReader {
  /** The last packet taken: `buffer` from `start` to `end` is its payload. */
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** The longest payload that is taken. */
  bytesMax = PAYLOAD_MAX;
  measure: MeasurePayload = () => 0;

  readonly #socket: Duplex;
  #current: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #read = 0;
  #write = 0;
  /** Where bytes go next when `#current` has no more room; what is unread then is copied to just before `#nextStart`. */
  #next: Buffer | null = null;
  #nextStart = 0;
  /** Packets were taken from `#current` since `release`. */
  #taken = false;
  /** Full buffers with packets that are not released. */
  #held: Buffer[] = [];
  #free: Buffer[] = [];
  #paused = false;
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
    const bytes = this.#current;
    const at = this.#read;
    const length = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    if (length === MAX_PAYLOAD) return this.#takeJoined();
    if (available < HEADER + length) return false;
    this.buffer = bytes;
    this.start = at + HEADER;
    this.end = this.start + length;
    this.#read = this.end;
    this.#taken = true;
    return true;
  }

  /** Ends a wait for bytes, or the next one, although none came. */
  poke(): void {
    this.#poked = true;
    this.#awake();
  }

  /**
   * Waits until bytes come, or `poke`; what was taken stays valid. Throws the socket's error, or that it was closed;
   * PacketTooLarge.
   */
  async more(): Promise<void> {
    const pending = this.pending;
    if (pending > this.bytesMax) throw new PacketTooLarge(pending);
    if (this.#poked) {
      this.#poked = false;
      return;
    }
    if (this.#closed) throw this.#error ?? new Error('the server closed the connection');
    this.#resume();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#poked = false;
  }

  /** Frees the packets taken so far: their bytes may be overwritten from here on. */
  release(): void {
    this.#taken = false;
    for (const buffer of this.#held) this.#recycle(buffer);
    this.#held = [];
    if (this.#paused && this.#write - this.#read < READ_BYTES / 2) this.#resume();
  }

  /** The socket is closed, and what was taken is not needed: gives back what is long. */
  discard(): void {
    this.release();
    if (this.#next !== null) this.#recycle(this.#next);
    this.#recycle(this.#current);
  }

  /** Where the next bytes are to be written; stays so until `wrote`. */
  space(): Buffer {
    if (this.#next === null) {
      const unread = this.#write - this.#read;
      const isDone = this.#current.length > BUFFER_BYTES && unread < READ_BYTES;
      if (!isDone && this.#current.length - this.#write >= ROOM_MIN)
        return this.#current.subarray(this.#write, this.#write + READ_BYTES);
      this.#next = this.#bufferFor(unread);
      this.#nextStart = unread;
    }
    return this.#next.subarray(this.#nextStart, this.#nextStart + READ_BYTES);
  }

  /** So many bytes were written to what `space` gave. False when no more are wanted until the socket is resumed. */
  wrote(bytes: number): boolean {
    if (this.#next !== null) this.#goOnIn(this.#next);
    this.#write += bytes;
    this.#paused = this.#wake === undefined && this.#write - this.#read >= READ_BYTES;
    this.#awake();
    return !this.#paused;
  }

  #append(chunk: Buffer): void {
    let going = true;
    for (let from = 0; from < chunk.length; ) {
      const copied = chunk.copy(this.space(), 0, from);
      going = this.wrote(copied);
      from += copied;
    }
    if (!going) this.#socket.pause();
  }

  #goOnIn(next: Buffer): void {
    const unread = this.#write - this.#read;
    const from = this.#nextStart - unread;
    this.#current.copy(next, from, this.#read, this.#write);
    if (this.#taken) this.#held.push(this.#current);
    else this.#recycle(this.#current);
    this.#current = next;
    this.#read = from;
    this.#write = this.#nextStart;
    this.#next = null;
    this.#taken = false;
  }

  /** A buffer for what is unread and what comes next: of a long packet all, or twice as much as has come when that is not known. */
  #bufferFor(unread: number): Buffer {
    const payload = Math.min(this.pending, this.bytesMax);
    const packet = payload + HEADER * (Math.floor(payload / MAX_PAYLOAD) + 1);
    const bytes = Math.max(unread, packet) + READ_BYTES;
    if (bytes <= BUFFER_BYTES) return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
    return Buffer.allocUnsafeSlow(packet > unread ? bytes : 2 * bytes);
  }

  /** Of the packet that is not whole yet: how long its payload is at least. */
  get pending(): number {
    const unread = this.#write - this.#read;
    if (unread < HEADER) return 0;
    const length = this.#current.readUIntLE(this.#read, 3);
    if (length < MAX_PAYLOAD) return length;
    const start = this.#read + HEADER;
    return Math.max(unread - HEADER, this.measure(this.#current, start, Math.min(this.#write, start + MAX_PAYLOAD)));
  }

  #recycle(buffer: Buffer): void {
    if (buffer.length > BUFFER_BYTES) freeMemory(buffer.buffer);
    else if (this.#free.length < FREE_MAX) this.#free.push(buffer);
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Joins packets of which all but the last have the greatest length: later payloads move down over the headers before them. */
  #takeJoined(): boolean {
    const bytes = this.#current;
    let at = this.#read;
    let total = 0;
    for (;;) {
      if (this.#write - at < HEADER) return false;
      const length = bytes.readUIntLE(at, 3);
      if (this.#write - at < HEADER + length) return false;
      at += HEADER + length;
      total += length;
      if (length < MAX_PAYLOAD) break;
    }
    const start = this.#read + HEADER;
    let to = start;
    for (let from = this.#read; from < at; ) {
      const length = bytes.readUIntLE(from, 3);
      bytes.copyWithin(to, from + HEADER, from + HEADER + length);
      to += length;
      from += HEADER + length;
    }
    this.buffer = bytes;
    this.start = start;
    this.end = start + total;
    this.#read = at;
    this.#taken = true;
    return true;
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
