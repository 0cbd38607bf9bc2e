import { daysFromCivil, isRealDate } from '../../../lib/civil.ts';
import { dateText, instantText, timeText } from '../../../lib/civil-text.ts';
import { freeMemory } from '../../../lib/free-memory.ts';
import { shortestFloat32 } from '../../../lib/shortest-float.ts';
import type { TimeZone } from '../../../lib/time-zone.ts';
import type { RowImage, RowsPart } from '../../../pipeline/batch.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import {
  type Hasher,
  hashOfBoolean,
  hashOfBytes,
  hashOfDays,
  hashOfDouble,
  hashOfFloat,
  hashOfInt64,
  hashOfInteger,
  hashOfSecondsAndNanos,
  hashOfUnscaled,
  unscaledOf,
} from '../protocol/key-hash.ts';
import { RowStream, type WireType } from '../protocol/row-stream.ts';
import type { FieldRun } from './row-layout.ts';
import { DIRTY, WIRE } from './wire.ts';

/** What a column of strings or bytes holds at most: the service's own limit of a field. */
export const FIELD_BYTES_MAX: number = 8 * 1024 * 1024;
/** A row aside that was larger gives its memory back. */
const ASIDE_KEPT_BYTES = 1024 * 1024;
const DAY_SECONDS = 86_400;
const NANOS = 1000;

/** One row that is not in a stream yet: its values, where each begins, and the hash of its key. */
export class AsideRow {
  stream: RowStream = new RowStream();
  starts: Int32Array<ArrayBuffer> = new Int32Array(64);
  hash = 0;
  /** One of DIRTY: why the row cannot be used. */
  dirty: number = DIRTY.NONE;
  /** How many values there are; where they end is `starts[count]`. */
  count = 0;

  /** Begins an empty row. */
  begin(): void {
    if (this.stream.bytes.length > ASIDE_KEPT_BYTES) {
      freeMemory(this.stream.bytes.buffer);
      this.stream = new RowStream();
    }
    this.stream.reset();
    this.hash = 0;
    this.dirty = DIRTY.NONE;
    this.count = 0;
  }
}

/**
 * Writes the values of one row image as a row stream has them, into a row that stands aside. It is one long class because it
 * is one switch per kind of value: the target's kinds stand in small arrays, so that a value costs neither a closure nor an
 * object. A value that does not fit sets `dirty`; the row is then void.
 */
export class RowEncoder implements ValueVisitor {
  readonly #zone: TimeZone;
  #row: AsideRow = new AsideRow();
  #stream: RowStream = this.#row.stream;
  #starts: Int32Array<ArrayBuffer> = this.#row.starts;
  #hasher: Hasher = 'default';
  /** Place of the run's first value among those of the row. */
  #base = 0;
  #at = 0;
  #numbers = new Int32Array(0);
  #wireTypes = new Uint8Array(0);
  #wires = new Uint8Array(0);
  #hashed = new Uint8Array(0);
  #run: FieldRun | null = null;

  /** `zone`: whose clock a DATETIME of the source is taken to show. */
  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  /** Writes the values of an image into `row`, behind what it has. */
  write(into: AsideRow, part: RowsPart, row: number, image: RowImage, runs: readonly FieldRun[], hasher: Hasher): void {
    this.#row = into;
    this.#stream = into.stream;
    this.#hasher = hasher;
    for (let index = 0; index < runs.length; index += 1) {
      const run = runs[index]!;
      this.#start(run);
      part.visit(row, image, run.columns, this);
      into.count = this.#base + this.#at;
    }
    into.starts[into.count] = this.#stream.at;
  }

  null(): void {
    const column = this.#at++;
    this.#starts[this.#base + column] = this.#stream.at;
    if (this.#run!.notNull[column] === 1) this.#row.dirty = DIRTY.NULL;
  }

  integer(value: number): void {
    const column = this.#open();
    switch (this.#wires[column]!) {
      case WIRE.BIGINT:
        return this.#whole(column, value);
      case WIRE.INT:
        if (value > 2147483647 || value < -2147483648) return this.#bad(DIRTY.RANGE);
        return this.#whole(column, value);
      case WIRE.SMALLINT:
        if (value > 32767 || value < -32768) return this.#bad(DIRTY.RANGE);
        return this.#whole(column, value);
      case WIRE.TINYINT:
        if (value > 127 || value < -128) return this.#bad(DIRTY.RANGE);
        return this.#whole(column, value);
      case WIRE.BOOLEAN:
        if (value !== 0 && value !== 1) return this.#bad(DIRTY.RANGE);
        return this.#boolean(column, value);
      case WIRE.DECIMAL:
        return this.#decimalText(column, String(value));
      case WIRE.STRING:
      case WIRE.LIMITED:
        return this.#ascii(column, String(value));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  bigInteger(high: number, low: number, unsigned: boolean): void {
    const column = this.#open();
    switch (this.#wires[column]!) {
      case WIRE.BIGINT:
        if (unsigned && high > 0x7fffffff) return this.#bad(DIRTY.RANGE);
        if (high === -0x80000000 && low === 0) return this.#bad(DIRTY.LOWEST);
        this.#stream.bigInteger(low, high | 0);
        if (this.#hashed[column] === 1) this.#addHash(hashOfInt64(this.#hasher, low | 0, high | 0));
        return;
      case WIRE.DECIMAL:
        return this.#decimalText(column, String((BigInt(high) << 32n) + BigInt(low)));
      case WIRE.STRING:
      case WIRE.LIMITED:
        return this.#ascii(column, String((BigInt(high) << 32n) + BigInt(low)));
      case WIRE.TINYINT:
      case WIRE.SMALLINT:
      case WIRE.INT:
      case WIRE.BOOLEAN:
        return this.#bad(DIRTY.RANGE);
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#open();
    switch (this.#wires[column]!) {
      case WIRE.DECIMAL:
        if (!this.#hasRoom(column, buffer, start, end)) return this.#bad(DIRTY.DIGITS);
        this.#stream.blob(buffer, start, end);
        if (this.#hashed[column] === 1) this.#hashDecimal(column, asciiOf(buffer, start, end));
        return;
      case WIRE.STRING:
      case WIRE.LIMITED:
        return this.#blob(column, buffer, start, end);
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  float(value: number): void {
    const column = this.#open();
    // -0 equals 0 at the source, so a key has one of them only.
    const number = this.#run!.keys[column] === 1 ? value + 0 : value;
    switch (this.#wires[column]!) {
      case WIRE.FLOAT:
        this.#stream.float(number);
        if (this.#hashed[column] === 1) this.#addHash(hashOfFloat(this.#hasher, number));
        return;
      case WIRE.DOUBLE:
        return this.#double(column, number);
      case WIRE.STRING:
      case WIRE.LIMITED:
        return this.#ascii(column, shortestFloat32(number));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  double(value: number): void {
    const column = this.#open();
    const number = this.#run!.keys[column] === 1 ? value + 0 : value;
    switch (this.#wires[column]!) {
      case WIRE.DOUBLE:
        return this.#double(column, number);
      case WIRE.STRING:
      case WIRE.LIMITED:
        return this.#ascii(column, String(number));
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#open();
    const wire = this.#wires[column]!;
    if (wire !== WIRE.STRING && wire !== WIRE.LIMITED) return this.#bad(DIRTY.UNEXPECTED);
    this.#blob(column, buffer, start, end);
  }

  label(buffer: Uint8Array, start: number, end: number, _ordinal: number | bigint): void {
    this.text(buffer, start, end);
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#open();
    const missing = this.#run!.widths[column]! - (end - start);
    // BINARY(n) comes without its trailing zeros from some logs.
    const padded = missing > 0 ? filledUp(buffer, start, end, missing) : buffer;
    const from = padded === buffer ? start : 0;
    const to = padded === buffer ? end : padded.length;
    switch (this.#wires[column]!) {
      case WIRE.BINARY:
        return this.#blob(column, padded, from, to);
      case WIRE.STRING:
      case WIRE.LIMITED:
        if (to - from > FIELD_BYTES_MAX) return this.#bad(DIRTY.LONG);
        return this.#ascii(column, Buffer.from(padded.subarray(from, to)).toString('hex').toUpperCase());
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    const column = this.#open();
    if (this.#wires[column] !== WIRE.BINARY) return this.#bad(DIRTY.UNEXPECTED);
    this.#blob(column, buffer, start, end);
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#open();
    const wire = this.#wires[column]!;
    if (wire !== WIRE.STRING && wire !== WIRE.LIMITED) return this.#bad(DIRTY.UNEXPECTED);
    const view = new DataView(buffer.buffer, buffer.byteOffset + start, end - start);
    const parts: string[] = [];
    for (let i = 0; i + 4 <= end - start; i += 4) parts.push(shortestFloat32(view.getFloat32(i, true)));
    this.#ascii(column, `[${parts.join(',')}]`);
  }

  date(year: number, month: number, day: number): void {
    switch (this.#wires[this.#at]!) {
      case WIRE.DATE: {
        if (!isRealDate(year, month, day)) return this.#unreal();
        const column = this.#open();
        const days = daysFromCivil(year, month, day);
        this.#stream.integer(days);
        if (this.#hashed[column] === 1) this.#addHash(hashOfDays(this.#hasher, days));
        return;
      }
      case WIRE.STRING:
      case WIRE.LIMITED:
        return this.#ascii(this.#open(), dateText(year, month, day));
      default:
        this.#open();
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  time(micros: number): void {
    const column = this.#open();
    const wire = this.#wires[column]!;
    if (wire !== WIRE.STRING && wire !== WIRE.LIMITED) return this.#bad(DIRTY.UNEXPECTED);
    this.#ascii(column, timeText(micros, this.#run!.fractions[column]!));
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
    const wire = this.#wires[this.#at]!;
    if (wire === WIRE.STRING || wire === WIRE.LIMITED) {
      const column = this.#open();
      const ofDay = ((hour * 60 + minute) * 60 + second) * 1e6 + micros;
      return this.#ascii(column, `${dateText(year, month, day)} ${timeText(ofDay, this.#run!.fractions[column]!)}`);
    }
    if (!isRealDate(year, month, day)) return this.#unreal();
    const civil = daysFromCivil(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second;
    const column = this.#open();
    if (wire === WIRE.TIMESTAMP_NTZ) return this.#secondsAndNanos(column, civil, micros * NANOS);
    this.#instant(column, this.#zone.toInstant(civil), micros);
  }

  instant(seconds: number, micros: number): void {
    const wire = this.#wires[this.#at]!;
    if (wire === WIRE.STRING || wire === WIRE.LIMITED) {
      const column = this.#open();
      return this.#ascii(column, instantText(seconds, micros, this.#run!.fractions[column]!));
    }
    if (seconds === 0 && micros === 0) return this.#unreal();
    const column = this.#open();
    if (wire === WIRE.TIMESTAMP_NTZ) return this.#secondsAndNanos(column, this.#zone.toCivil(seconds), micros * NANOS);
    this.#instant(column, seconds, micros);
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    const column = this.#open();
    switch (this.#wires[column]!) {
      case WIRE.BOOLEAN:
        return this.#boolean(column, end > start ? buffer[end - 1]! & 1 : 0);
      case WIRE.BINARY:
        return this.#blob(column, buffer, start, end);
      case WIRE.BIGINT: {
        const low = wordOf(buffer, Math.max(start, end - 4), end);
        const high = wordOf(buffer, Math.max(start, end - 8), Math.max(start, end - 4));
        if (high > 0x7fffffff) return this.#bad(DIRTY.RANGE);
        this.#stream.bigInteger(low, high);
        if (this.#hashed[column] === 1) this.#addHash(hashOfInt64(this.#hasher, low | 0, high));
        return;
      }
      case WIRE.DECIMAL: {
        const low = wordOf(buffer, Math.max(start, end - 4), end);
        const high = wordOf(buffer, Math.max(start, end - 8), Math.max(start, end - 4));
        return this.#decimalText(column, String((BigInt(high) << 32n) + BigInt(low)));
      }
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  #start(run: FieldRun): void {
    const row = this.#row;
    this.#base = row.count;
    this.#at = 0;
    this.#run = run;
    this.#numbers = run.numbers;
    this.#wireTypes = run.wireTypes;
    this.#wires = run.wires;
    this.#hashed = run.hashed;
    const most = row.count + run.numbers.length + 1;
    if (row.starts.length < most) {
      const starts = new Int32Array(most * 2);
      starts.set(row.starts);
      row.starts = starts;
    }
    this.#starts = row.starts;
  }

  /** Begins a value; returns its column's place in the run. */
  #open(): number {
    const column = this.#at++;
    const stream = this.#stream;
    this.#starts[this.#base + column] = stream.at;
    stream.field(this.#numbers[column]!, this.#wireTypes[column] as WireType);
    return column;
  }

  #bad(reason: number): void {
    this.#row.dirty = reason;
  }

  /** A zero date, or one that no calendar has: unknown, so null, where the target allows it. */
  #unreal(): void {
    const column = this.#at++;
    this.#starts[this.#base + column] = this.#stream.at;
    if (this.#run!.notNull[column] === 1) this.#row.dirty = DIRTY.DATE;
  }

  #addHash(hash: number): void {
    this.#row.hash = (this.#row.hash + hash) | 0;
  }

  #whole(column: number, value: number): void {
    this.#stream.integer(value);
    if (this.#hashed[column] === 1) this.#addHash(hashOfInteger(this.#hasher, value));
  }

  #boolean(column: number, value: number): void {
    this.#stream.boolean(value);
    if (this.#hashed[column] === 1) this.#addHash(hashOfBoolean(value === 1));
  }

  #double(column: number, value: number): void {
    this.#stream.double(value);
    if (this.#hashed[column] === 1) this.#addHash(hashOfDouble(this.#hasher, value));
  }

  #instant(column: number, seconds: number, micros: number): void {
    switch (this.#wires[column]!) {
      case WIRE.DATETIME: {
        const millis = seconds * 1000 + ((micros / 1000) | 0);
        this.#stream.integer(millis);
        if (this.#hashed[column] === 1) this.#addHash(hashOfInteger(this.#hasher, millis));
        return;
      }
      case WIRE.TIMESTAMP:
        return this.#secondsAndNanos(column, seconds, micros * NANOS);
      default:
        return this.#bad(DIRTY.UNEXPECTED);
    }
  }

  #secondsAndNanos(column: number, seconds: number, nanos: number): void {
    this.#stream.secondsAndNanos(seconds, nanos);
    if (this.#hashed[column] === 1) this.#addHash(hashOfSecondsAndNanos(this.#hasher, seconds, nanos));
  }

  #blob(column: number, buffer: Uint8Array, start: number, end: number): void {
    if (end - start > FIELD_BYTES_MAX) return this.#bad(DIRTY.LONG);
    if (this.#wires[column] === WIRE.LIMITED && charactersOf(buffer, start, end) > this.#run!.limits[column]!)
      return this.#bad(DIRTY.CHARACTERS);
    this.#stream.blob(buffer, start, end);
    if (this.#hashed[column] === 1) this.#addHash(hashOfBytes(this.#hasher, buffer, start, end));
  }

  #ascii(column: number, text: string): void {
    if (text.length > FIELD_BYTES_MAX) return this.#bad(DIRTY.LONG);
    if (this.#wires[column] === WIRE.LIMITED && text.length > this.#run!.limits[column]!)
      return this.#bad(DIRTY.CHARACTERS);
    const stream = this.#stream;
    stream.ascii(text);
    if (this.#hashed[column] === 1)
      this.#addHash(hashOfBytes(this.#hasher, stream.bytes, stream.at - text.length, stream.at));
  }

  #decimalText(column: number, text: string): void {
    const digits = text.charCodeAt(0) === MINUS ? text.length - 1 : text.length;
    if (digits > this.#run!.wholes[column]! && text !== '0') return this.#bad(DIRTY.RANGE);
    this.#stream.ascii(text);
    if (this.#hashed[column] === 1) this.#hashDecimal(column, text);
  }

  /** Whether the target has a place for every digit but leading and trailing zeros. */
  #hasRoom(column: number, buffer: Uint8Array, start: number, end: number): boolean {
    const run = this.#run!;
    let first = buffer[start] === MINUS ? start + 1 : start;
    let point = first;
    while (point < end && buffer[point] !== POINT) point += 1;
    if (point - first > run.wholes[column]!) {
      while (first < point && buffer[first] === ZERO) first += 1;
      if (point - first > run.wholes[column]!) return false;
    }
    let last = end;
    while (last - point - 1 > run.scales[column]! && buffer[last - 1] === ZERO) last -= 1;
    return last - point - 1 <= run.scales[column]!;
  }

  #hashDecimal(column: number, text: string): void {
    const run = this.#run!;
    const scale = run.scales[column]!;
    this.#addHash(hashOfUnscaled(this.#hasher, unscaledOf(text, scale), run.wholes[column]! + scale));
  }
}

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

function asciiOf(buffer: Uint8Array, start: number, end: number): string {
  return Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1');
}

function filledUp(buffer: Uint8Array, start: number, end: number, missing: number): Uint8Array {
  const whole = new Uint8Array(end - start + missing);
  whole.set(buffer.subarray(start, end));
  return whole;
}

/** Of UTF-8, each character's first byte is no continuation. */
function charactersOf(buffer: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += 1) if ((buffer[at]! & 0xc0) !== 0x80) count += 1;
  return count;
}

/** Up to four bytes, big-endian, as an unsigned number. */
function wordOf(buffer: Uint8Array, start: number, end: number): number {
  let word = 0;
  for (let at = start; at < end; at += 1) word = word * 256 + buffer[at]!;
  return word;
}
