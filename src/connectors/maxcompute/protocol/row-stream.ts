import { freeMemory } from '../../../lib/free-memory.ts';
import { CRC_START, crcOfByte, crcOfBytes, crcOfInt32, crcOfInt64, crcValue } from './crc32c.ts';
import { VARINT_BYTES_MAX, writeVarint, writeZigzag, writeZigzag64 } from './varint.ts';

/*
 * A row stream, the body of every upload:
 *
 *   rows × ( values × ( tag | value ) | END_ROW | CRC of the row, varint ) | COUNT | rows, zigzag | CHECKSUM | CRC of CRCs, varint
 *   tag = varint ( column, from 1, << 3 | wire type )
 *
 * Nulls are left out. The CRC of a row is fed, for each value, with its column number as int32 and the value as the
 * methods below say, not with tags, lengths, counts and null flags. The CRC of CRCs is fed with those of the rows as int32.
 */
export const FIELD = { END_ROW: 33553408, COUNT: 33554430, CHECKSUM: 33554431 } as const;
export const WIRE_TYPE = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;
export type WireType = (typeof WIRE_TYPE)[keyof typeof WIRE_TYPE];

const TAG_END_ROW = FIELD.END_ROW * 8 + WIRE_TYPE.VARINT;
const TAG_COUNT = FIELD.COUNT * 8 + WIRE_TYPE.VARINT;
const TAG_CHECKSUM = FIELD.CHECKSUM * 8 + WIRE_TYPE.VARINT;
/** A tag and any value of fixed size. */
const FIXED_BYTES_MAX = 5 + 2 * VARINT_BYTES_MAX;
const FIRST_BYTES = 64 * 1024;
/** From here on a view and a native copy are cheaper than a loop. */
const LONG_BYTES = 256;

/**
 * Writes row streams into memory of its own, which grows as needed and is used again. A value is `field` and one of the
 * methods for values; a row is values and `endRow`. Elements of arrays and the like are values without `field`.
 */
export class RowStream {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  view: DataView = new DataView(this.bytes.buffer);
  /** Where the next byte goes. */
  at = 0;
  /** Rows that were ended. */
  rows = 0;
  #row = CRC_START;
  #stream = CRC_START;

  /** Begins an empty stream. */
  reset(): void {
    this.at = 0;
    this.rows = 0;
    this.#row = CRC_START;
    this.#stream = CRC_START;
  }

  field(column: number, wireType: WireType): void {
    const at = this.room(FIXED_BYTES_MAX);
    this.#row = crcOfInt32(this.#row, column);
    this.at = writeVarint(this.bytes, at, (column << 3) | wireType);
  }

  endRow(): void {
    const crc = crcValue(this.#row);
    const start = this.room(FIXED_BYTES_MAX);
    const at = writeVarint(this.bytes, start, TAG_END_ROW);
    this.at = writeVarint(this.bytes, at, crc);
    this.#stream = crcOfInt32(this.#stream, crc);
    this.#row = CRC_START;
    this.rows += 1;
  }

  /** Copies the values of a row that stands aside behind what is here, as no row yet; returns their CRC so far. */
  keepCopy(aside: RowStream): number {
    this.copyBytes(aside.bytes, 0, aside.at);
    return aside.#row;
  }

  /** Copies bytes as they are. */
  copyBytes(source: Uint8Array, start: number, end: number): void {
    const at = this.room(end - start);
    const { bytes } = this;
    if (end - start >= LONG_BYTES) bytes.set(source.subarray(start, end), at);
    else for (let from = start, to = at; from < end; ) bytes[to++] = source[from++]!;
    this.at = at + end - start;
  }

  /** Begins a row with values that were kept elsewhere, with their CRC so far; more may follow. */
  resumeRow(source: Uint8Array, start: number, end: number, crc: number): void {
    this.copyBytes(source, start, end);
    this.#row = crc;
  }

  /** The whole stream with its footer. Valid until the next `reset`. */
  finish(): Uint8Array<ArrayBuffer> {
    const start = this.room(2 * FIXED_BYTES_MAX);
    let at = writeVarint(this.bytes, start, TAG_COUNT);
    at = writeZigzag(this.bytes, at, this.rows);
    at = writeVarint(this.bytes, at, TAG_CHECKSUM);
    this.at = writeVarint(this.bytes, at, crcValue(this.#stream));
    return this.bytes.subarray(0, this.at);
  }

  /** A whole number whose magnitude is at most 2^53 - 1: also days, milliseconds and months. CRC: int64. */
  integer(value: number): void {
    const int = value | 0;
    if (int === value) {
      this.#row = crcOfInt64(this.#row, int, int >> 31);
      this.at = writeVarint(this.bytes, this.at, (int << 1) ^ (int >> 31));
      return;
    }
    const high = Math.floor(value / 4294967296);
    this.bigInteger(value - high * 4294967296, high);
  }

  /** An int64 as its halves. CRC: int64. */
  bigInteger(low: number, high: number): void {
    this.#row = crcOfInt64(this.#row, low, high);
    this.at = writeZigzag64(this.bytes, this.at, low, high);
  }

  /** CRC: one byte. */
  boolean(value: number): void {
    this.#row = crcOfByte(this.#row, value);
    this.bytes[this.at++] = value;
  }

  /** CRC: the bytes. */
  float(value: number): void {
    const { at, view } = this;
    view.setFloat32(at, value, true);
    this.#row = crcOfInt32(this.#row, view.getInt32(at, true));
    this.at = at + 4;
  }

  /** CRC: the bytes. */
  double(value: number): void {
    const { at, view } = this;
    view.setFloat64(at, value, true);
    this.#row = crcOfInt64(this.#row, view.getInt32(at, true), view.getInt32(at + 4, true));
    this.at = at + 8;
  }

  /** Seconds since the epoch, rounded down, and what is left over: `zigzag seconds | zigzag nanos`. CRC: int64, int32. */
  secondsAndNanos(seconds: number, nanos: number): void {
    this.integer(seconds);
    this.#row = crcOfInt32(this.#row, nanos);
    this.at = writeZigzag(this.bytes, this.at, nanos);
  }

  /** Texts, bytes and decimals: `length, varint | bytes`. CRC: the bytes. */
  blob(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const head = this.room(FIXED_BYTES_MAX + length);
    const { bytes } = this;
    const at = writeVarint(bytes, head, length);
    if (length >= LONG_BYTES) bytes.set(source.subarray(start, end), at);
    else for (let from = start, to = at; from < end; ) bytes[to++] = source[from++]!;
    this.at = at + length;
    this.#row = crcOfBytes(this.#row, this.view, at, this.at);
  }

  /** The same of a text of ASCII characters. */
  ascii(text: string): void {
    const head = this.room(FIXED_BYTES_MAX + text.length);
    const at = writeVarint(this.bytes, head, text.length);
    for (let i = 0; i < text.length; i += 1) this.bytes[at + i] = text.charCodeAt(i);
    this.at = at + text.length;
    this.#row = crcOfBytes(this.#row, this.view, at, this.at);
  }

  /** The length of an array or map, or a null flag: not in the CRC. Makes room for one value of fixed size. */
  uncounted(value: number): void {
    const at = this.room(FIXED_BYTES_MAX);
    this.at = writeVarint(this.bytes, at, value);
  }

  /** Makes room for `size` more bytes; returns where they go. `bytes` and `view` may be others afterwards. */
  room(size: number): number {
    if (this.at + size > this.bytes.length) this.#grow(this.at + size);
    return this.at;
  }

  #grow(size: number): void {
    const { buffer } = Buffer.allocUnsafeSlow(Math.max(size, this.bytes.length * 2));
    const bytes = new Uint8Array(buffer);
    bytes.set(this.bytes.subarray(0, this.at));
    freeMemory(this.bytes.buffer);
    this.bytes = bytes;
    this.view = new DataView(buffer);
  }
}
