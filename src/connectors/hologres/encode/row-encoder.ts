import { daysFromCivil, isRealDate } from '../../../lib/civil.ts';
import { dateText, instantText, timeText } from '../../../lib/civil-text.ts';
import { shortestFloat32 } from '../../../lib/shortest-float.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import type { Arena } from './arena.ts';
import { DAYS_TO_2000, SECONDS_TO_2000, writeMicros } from './micros.ts';
import { numericBytesMax, writeNumeric, writeNumericInteger } from './numeric.ts';
import { DIRTY, WIRE, type EncodedColumn } from './wire.ts';

/** From here on a view and a native copy are cheaper than a loop. */
const LONG_BYTES = 512;

/**
 * Writes one row after the other into an arena as PostgreSQL's COPY BINARY wants it; the same bytes, field by field, are
 * the elements of a binary array and the parameters of a statement.
 *
 *   int16 fields | fields × ( int32 length, -1 is null | bytes )
 *
 * It is one long class because it is one switch per kind of value: the columns' wire types stand in a small array, so
 * that a value costs neither a closure nor an object. A value that does not fit sets `dirty`; the row is then void.
 */
export class RowEncoder implements ValueVisitor {
  /** One of DIRTY; the reason why the row that was written last cannot be used. */
  dirty: number = DIRTY.NONE;
  /** Where the next byte goes. */
  at = 0;

  #arena: Arena;
  #bytes: Uint8Array;
  #view: DataView;
  #columns: readonly EncodedColumn[] = [];
  #wires = new Int8Array(0);
  #column = 0;
  #source: ArrayBufferLike | null = null;
  #sourceView: DataView = new DataView(new ArrayBuffer(0));

  constructor(arena: Arena) {
    this.#arena = arena;
    this.#bytes = arena.bytes;
    this.#view = arena.view;
  }

  /** From now on rows of these columns go to the end of `arena`. */
  start(arena: Arena, columns: readonly EncodedColumn[], wires: Int8Array<ArrayBuffer>): void {
    this.#arena = arena;
    this.#bytes = arena.bytes;
    this.#view = arena.view;
    this.#columns = columns;
    this.#wires = wires;
    this.at = arena.used;
  }

  /** Begins a row of `fields` fields, which are then visited in the order of the columns given to `start`. */
  row(fields: number): void {
    this.#need(2);
    this.#view.setInt16(this.at, fields);
    this.at += 2;
    this.#column = 0;
    this.dirty = DIRTY.NONE;
  }

  null(): void {
    const column = this.#column++;
    if (!this.#columns[column]!.nullable) this.dirty = DIRTY.NULL;
    this.#nothing();
  }

  integer(value: number): void {
    const at = this.#need(24);
    const view = this.#view;
    switch (this.#wires[this.#column++]!) {
      case WIRE.INT8: {
        view.setInt32(at, 8);
        const high = Math.floor(value / 4294967296);
        view.setInt32(at + 4, high);
        view.setUint32(at + 8, value - high * 4294967296);
        this.at = at + 12;
        return;
      }
      case WIRE.INT4:
        if (value > 2147483647 || value < -2147483648) return this.#bad(DIRTY.RANGE);
        view.setInt32(at, 4);
        view.setInt32(at + 4, value);
        this.at = at + 8;
        return;
      case WIRE.INT2:
        if (value > 32767 || value < -32768) return this.#bad(DIRTY.RANGE);
        view.setInt32(at, 2);
        view.setInt16(at + 4, value);
        this.at = at + 6;
        return;
      case WIRE.NUMERIC: {
        const size = Math.abs(value);
        const high = Math.floor(size / 4294967296);
        this.at = writeNumericInteger(view, at + 4, high, size - high * 4294967296, value < 0);
        view.setInt32(at, this.at - at - 4);
        return;
      }
      case WIRE.BOOL:
        if (value !== 0 && value !== 1) return this.#bad(DIRTY.RANGE);
        view.setInt32(at, 1);
        view.setUint8(at + 4, value);
        this.at = at + 5;
        return;
      case WIRE.TEXT:
        return this.#ascii(String(value));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  bigInteger(high: number, low: number, unsigned: boolean): void {
    const at = this.#need(24);
    const view = this.#view;
    switch (this.#wires[this.#column++]!) {
      case WIRE.INT8:
        if (unsigned && high > 0x7fffffff) return this.#bad(DIRTY.RANGE);
        view.setInt32(at, 8);
        view.setInt32(at + 4, high);
        view.setUint32(at + 8, low);
        this.at = at + 12;
        return;
      case WIRE.NUMERIC: {
        const negative = !unsigned && high < 0;
        // Two's complement: the magnitude's low half borrows from the high half unless it is zero.
        const magnitudeLow = negative && low !== 0 ? 4294967296 - low : low;
        const magnitudeHigh = negative ? -high - (low === 0 ? 0 : 1) : high;
        this.at = writeNumericInteger(view, at + 4, magnitudeHigh, magnitudeLow, negative);
        view.setInt32(at, this.at - at - 4);
        return;
      }
      case WIRE.TEXT:
        return this.#ascii(String((BigInt(high) << 32n) + BigInt(low)));
      case WIRE.INT2:
      case WIRE.INT4:
      case WIRE.BOOL:
        return this.#bad(DIRTY.RANGE);
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    switch (this.#wires[this.#column++]!) {
      case WIRE.NUMERIC: {
        const at = this.#need(4 + numericBytesMax(end - start));
        this.at = writeNumeric(this.#view, at + 4, buffer, start, end);
        this.#view.setInt32(at, this.at - at - 4);
        return;
      }
      case WIRE.TEXT:
        return this.#copy(buffer, start, end);
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  float(value: number): void {
    const column = this.#column++;
    const at = this.#need(12);
    // In a unique index -0 equals 0, so a key has one of them only.
    const number = this.#columns[column]!.isKey ? value + 0 : value;
    switch (this.#wires[column]!) {
      case WIRE.FLOAT4:
        this.#view.setInt32(at, 4);
        this.#view.setFloat32(at + 4, number);
        this.at = at + 8;
        return;
      case WIRE.FLOAT8:
        this.#view.setInt32(at, 8);
        this.#view.setFloat64(at + 4, number);
        this.at = at + 12;
        return;
      case WIRE.TEXT:
        return this.#ascii(shortestFloat32(number));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  double(value: number): void {
    const column = this.#column++;
    const at = this.#need(12);
    const number = this.#columns[column]!.isKey ? value + 0 : value;
    switch (this.#wires[column]!) {
      case WIRE.FLOAT8:
        this.#view.setInt32(at, 8);
        this.#view.setFloat64(at + 4, number);
        this.at = at + 12;
        return;
      case WIRE.TEXT:
        return this.#ascii(String(number));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#column++;
    if (this.#wires[column]! !== WIRE.TEXT) return this.#bad(DIRTY.UNEXPECTED);
    this.#textValue(column, buffer, start, end);
  }

  label(buffer: Uint8Array, start: number, end: number, ordinal: number | bigint): void {
    if (this.#wires[this.#column]! !== WIRE.TEXT) {
      if (typeof ordinal === 'number') return this.integer(ordinal);
      return this.bigInteger(Number(ordinal >> 32n), Number(ordinal & 0xffffffffn), true);
    }
    this.#textValue(this.#column++, buffer, start, end);
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#column++;
    if (this.#wires[column]! !== WIRE.BYTEA) return this.#bad(DIRTY.UNEXPECTED);
    const before = this.at;
    this.#copy(buffer, start, end);
    const missing = this.#columns[column]!.width - (end - start);
    if (missing <= 0) return;
    // BINARY(n) comes without its trailing zeros from some logs.
    this.#need(missing);
    this.#bytes.fill(0, this.at, this.at + missing);
    this.at += missing;
    this.#view.setInt32(before, end - start + missing);
  }

  date(year: number, month: number, day: number): void {
    const column = this.#column++;
    const at = this.#need(16);
    switch (this.#wires[column]!) {
      case WIRE.DATE:
        if (!isRealDate(year, month, day)) return this.#unreal(column);
        this.#view.setInt32(at, 4);
        this.#view.setInt32(at + 4, daysFromCivil(year, month, day) - DAYS_TO_2000);
        this.at = at + 8;
        return;
      case WIRE.TEXT:
        return this.#ascii(dateText(year, month, day));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  time(micros: number): void {
    const column = this.#column++;
    const at = this.#need(12);
    switch (this.#wires[column]!) {
      case WIRE.TIME: {
        if (micros < 0 || micros > 86_400_000_000) return this.#bad(DIRTY.RANGE);
        const high = Math.floor(micros / 4294967296);
        this.#view.setInt32(at, 8);
        this.#view.setInt32(at + 4, high);
        this.#view.setUint32(at + 8, micros - high * 4294967296);
        this.at = at + 12;
        return;
      }
      case WIRE.TEXT:
        return this.#ascii(timeText(micros, this.#columns[column]!.fraction));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  datetime(
    year: number,
    month: number,
    day: number,
    hour: number,
    minute: number,
    second: number,
    micros: number,
  ): void {
    const column = this.#column++;
    switch (this.#wires[column]!) {
      case WIRE.TIMESTAMP:
      case WIRE.TIMESTAMPTZ: {
        if (!isRealDate(year, month, day)) return this.#unreal(column);
        const seconds = (daysFromCivil(year, month, day) - DAYS_TO_2000) * 86400 + hour * 3600 + minute * 60 + second;
        return this.#timestamp(seconds, micros);
      }
      case WIRE.TEXT: {
        const clock = timeText(((hour * 60 + minute) * 60 + second) * 1e6 + micros, this.#columns[column]!.fraction);
        return this.#ascii(`${dateText(year, month, day)} ${clock}`);
      }
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  instant(seconds: number, micros: number): void {
    const column = this.#column++;
    switch (this.#wires[column]!) {
      case WIRE.TIMESTAMP:
      case WIRE.TIMESTAMPTZ:
        if (seconds === 0 && micros === 0) return this.#unreal(column);
        return this.#timestamp(seconds - SECONDS_TO_2000, micros);
      case WIRE.TEXT:
        return this.#ascii(instantText(seconds, micros, this.#columns[column]!.fraction));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#column++;
    switch (this.#wires[column]!) {
      case WIRE.BOOL: {
        const at = this.#need(5);
        this.#view.setInt32(at, 1);
        this.#view.setUint8(at + 4, end > start ? buffer[end - 1]! & 1 : 0);
        this.at = at + 5;
        return;
      }
      case WIRE.VARBIT:
        return this.#bitString(this.#columns[column]!.width, buffer, end);
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#column++;
    switch (this.#wires[column]!) {
      case WIRE.JSONB: {
        const at = this.#need(5 + end - start);
        this.#bytes[at + 4] = 1;
        this.#jsonText(at, at + 5, buffer, start, end);
        return;
      }
      case WIRE.JSON: {
        const at = this.#need(4 + end - start);
        this.#jsonText(at, at + 4, buffer, start, end);
        return;
      }
      case WIRE.TEXT:
        return this.#copy(buffer, start, end);
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    if (this.#wires[this.#column++]! !== WIRE.BYTEA) return this.#bad(DIRTY.UNEXPECTED);
    this.#copy(buffer, start, end);
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    if (this.#wires[this.#column++]! !== WIRE.TEXT) return this.#bad(DIRTY.UNEXPECTED);
    const view = new DataView(buffer.buffer, buffer.byteOffset + start, end - start);
    const parts: string[] = [];
    for (let i = 0; i + 4 <= end - start; i += 4) parts.push(shortestFloat32(view.getFloat32(i, true)));
    this.#ascii(`[${parts.join(',')}]`);
  }

  /** Makes room for `size` more bytes; returns where they go. */
  #need(size: number): number {
    const at = this.at;
    if (at + size > this.#bytes.length) {
      this.#arena.grow(at + size, at);
      this.#bytes = this.#arena.bytes;
      this.#view = this.#arena.view;
    }
    return at;
  }

  #nothing(): void {
    const at = this.#need(4);
    this.#view.setInt32(at, -1);
    this.at = at + 4;
  }

  #bad(reason: number): void {
    this.dirty = reason;
    this.#nothing();
  }

  /** A zero date, or one that no calendar has: unknown, so null, where the target allows it. */
  #unreal(column: number): void {
    if (!this.#columns[column]!.nullable) this.dirty = DIRTY.DATE;
    this.#nothing();
  }

  #timestamp(secondsSince2000: number, micros: number): void {
    const at = this.#need(12);
    this.#view.setInt32(at, 8);
    writeMicros(this.#view, at + 4, secondsSince2000, micros);
    this.at = at + 12;
  }

  #ascii(value: string): void {
    const at = this.#need(4 + value.length);
    for (let i = 0; i < value.length; i++) this.#bytes[at + 4 + i] = value.charCodeAt(i);
    this.#view.setInt32(at, value.length);
    this.at = at + 4 + value.length;
  }

  #copy(buffer: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const at = this.#need(4 + length);
    const bytes = this.#bytes;
    this.#view.setInt32(at, length);
    if (length >= LONG_BYTES) {
      bytes.set(buffer.subarray(start, end), at + 4);
    } else {
      for (let from = start, to = at + 4; from < end; ) bytes[to++] = buffer[from++]!;
    }
    this.at = at + 4 + length;
  }

  /** Copies text four bytes at a time, looking for NUL, which PostgreSQL's text cannot hold, on the way. */
  #textValue(column: number, buffer: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const at = this.#need(4 + length);
    const view = this.#view;
    const bytes = this.#bytes;
    view.setInt32(at, length);
    let to = at + 4;
    if (length >= LONG_BYTES) {
      const value = buffer.subarray(start, end);
      if (value.includes(0)) return this.#withoutNul(column, at, buffer, start, end);
      bytes.set(value, to);
      this.at = to + length;
      return;
    }
    if (buffer.buffer !== this.#source) this.#lookAt(buffer);
    const source = this.#sourceView;
    let from = buffer.byteOffset + start;
    const last = from + length;
    // In the byte order of the machine: words are only copied.
    for (const words = last - 3; from < words; from += 4, to += 4) {
      const word = source.getInt32(from, true);
      if (((word - 0x01010101) & ~word & 0x80808080) !== 0) {
        return this.#withoutNul(column, at, buffer, start, end);
      }
      view.setInt32(to, word, true);
    }
    if (from < last && length >= 4) {
      // What is left ends with the word that ends with the text, some of which is there already.
      const word = source.getInt32(last - 4, true);
      if (((word - 0x01010101) & ~word & 0x80808080) !== 0) {
        return this.#withoutNul(column, at, buffer, start, end);
      }
      view.setInt32(to + last - from - 4, word, true);
    } else {
      for (let left = 0; left < last - from; left++) {
        const byte = source.getUint8(from + left);
        if (byte === 0) return this.#withoutNul(column, at, buffer, start, end);
        bytes[to + left] = byte;
      }
    }
    this.at = at + 4 + length;
  }

  #lookAt(buffer: Uint8Array): void {
    this.#source = buffer.buffer;
    this.#sourceView = new DataView(buffer.buffer);
  }

  #withoutNul(column: number, at: number, buffer: Uint8Array, start: number, end: number): void {
    // Two keys may differ by a NUL alone: taking it out would make one row of them.
    if (this.#columns[column]!.isKey) return this.#bad(DIRTY.NUL_IN_KEY);
    let to = at + 4;
    for (let from = start; from < end; from++) if (buffer[from] !== 0) this.#bytes[to++] = buffer[from]!;
    this.#view.setInt32(at, to - at - 4);
    this.at = to;
  }

  /** int32 bits | the bits, left-aligned. */
  #bitString(width: number, buffer: Uint8Array, end: number): void {
    const size = (width + 7) >> 3;
    const at = this.#need(8 + size);
    const shift = size * 8 - width;
    this.#view.setInt32(at, 4 + size);
    this.#view.setInt32(at + 4, width);
    for (let i = 0; i < size; i++) {
      const here = buffer[end - size + i]!;
      const next = i + 1 < size ? buffer[end - size + i + 1]! : 0;
      this.#bytes[at + 8 + i] = (here << shift) | (next >> (8 - shift));
    }
    this.at = at + 8 + size;
  }

  /** Copies JSON text without escapes of NUL, which jsonb refuses. */
  #jsonText(lengthAt: number, to: number, buffer: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let out = to;
    for (let from = start; from < end; ) {
      const byte = buffer[from]!;
      if (byte === BACKSLASH) {
        if (isNulEscape(buffer, from, end)) {
          from += 6;
          continue;
        }
        bytes[out++] = byte;
        from++;
      }
      bytes[out++] = buffer[from++]!;
    }
    this.#view.setInt32(lengthAt, out - lengthAt - 4);
    this.at = out;
  }
}

const BACKSLASH = 0x5c;
const U = 0x75;
const ZERO = 0x30;

function isNulEscape(buffer: Uint8Array, at: number, end: number): boolean {
  if (at + 6 > end || buffer[at + 1] !== U) return false;
  return buffer[at + 2] === ZERO && buffer[at + 3] === ZERO && buffer[at + 4] === ZERO && buffer[at + 5] === ZERO;
}
