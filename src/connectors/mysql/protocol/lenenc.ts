import { CorruptEvent } from './corrupt-event.ts';

/**
 * A reading position in a buffer, for the parts of the protocol that are read once per event, not per row.
 * Errors: CorruptEvent for what lies beyond `end`, so that no length of a damaged event is believed.
 */
export class Cursor {
  readonly buffer: Buffer;
  at: number;
  readonly end: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    return this.buffer[this.#take(1)]!;
  }

  uint(bytes: number): number {
    return this.buffer.readUIntLE(this.#take(bytes), bytes);
  }

  /** A length-encoded integer. */
  length(): number {
    const first = this.byte();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint(2);
    if (first === 0xfd) return this.uint(3);
    return Number(this.buffer.readBigUInt64LE(this.#take(8)));
  }

  text(bytes: number): string {
    const start = this.#take(bytes);
    return this.buffer.toString('utf8', start, this.at);
  }

  bytes(count: number): Buffer {
    const start = this.#take(count);
    return Buffer.from(this.buffer.subarray(start, this.at));
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  /** The next bytes as a cursor of their own. */
  part(bytes: number): Cursor {
    const start = this.#take(bytes);
    return new Cursor(this.buffer, start, this.at);
  }

  #take(bytes: number): number {
    const start = this.at;
    if (!(bytes >= 0 && bytes <= this.end - start)) throw new CorruptEvent('a length goes beyond the event');
    this.at = start + bytes;
    return start;
  }
}
