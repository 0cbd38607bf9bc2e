import { CorruptEvent } from './corrupt-event.ts';
import { decimalBytes, visitDecimal } from './decimal.ts';
import { JsonText } from './json-text.ts';

const TYPE = {
  SMALL_OBJECT: 0x00,
  LARGE_OBJECT: 0x01,
  SMALL_ARRAY: 0x02,
  LARGE_ARRAY: 0x03,
  LITERAL: 0x04,
  INT16: 0x05,
  UINT16: 0x06,
  INT32: 0x07,
  UINT32: 0x08,
  INT64: 0x09,
  UINT64: 0x0a,
  DOUBLE: 0x0b,
  STRING: 0x0c,
  OPAQUE: 0x0f,
} as const;

/** The server refuses deeper documents. */
const DEPTH_MAX = 100;
const LITERALS = ['null', 'true', 'false'];
/** Column types of opaque values that have a text of their own. */
const COLUMN = { TIMESTAMP: 7, DATE: 10, TIME: 11, DATETIME: 12, DECIMAL: 246 } as const;
const COMMA = 0x2c;
const QUOTE = 0x22;

/**
 * A JSON document of the log as the text that SELECT prints.
 *
 *   value     [ type 1 ][ object | array | scalar ]
 *   object    [ members n ][ bytes n ][ [ key offset n ][ key length 2 ] … ][ [ type 1 ][ value or offset n ] … ][ keys ][ values ]
 *   array     [ elements n ][ bytes n ][ [ type 1 ][ value or offset n ] … ][ values ]          n: 2, large: 4
 *   string    [ length, 7 bits a byte ][ UTF-8 ]
 *   opaque    [ column type 1 ][ length, 7 bits a byte ][ bytes ]
 *
 * Offsets count from the object or array; literals and integers that fit lie in place of their offset.
 * An empty document is `null`: what a column holds that must not be NULL and was given none.
 * Errors: CorruptEvent; depth, and bytes read per byte of the document, are bounded.
 * Source: MySQL Server source, json_binary.h.
 */
export class JsonDocument {
  readonly #out = new JsonText();
  readonly #decimals = {
    decimal: (buffer: Uint8Array, start: number, end: number) => this.#out.raw(buffer, start, end),
  };
  #buffer: Buffer = Buffer.alloc(0);
  /** Values that may still come: each has its own bytes, so that there are never more of them than bytes. */
  #valuesLeft = 0;

  /** The text of the document from `start` to `end`; valid until the next call. */
  read(buffer: Buffer, start: number, end: number): JsonText {
    const out = this.#out;
    out.reset();
    this.#buffer = buffer;
    this.#valuesLeft = end - start;
    if (start === end) out.ascii('null');
    else this.#value(buffer[start]!, start + 1, end, 1);
    return out;
  }

  #value(type: number, at: number, end: number, depth: number): void {
    this.#valuesLeft -= 1;
    if (this.#valuesLeft < -1) throw damaged();
    switch (type) {
      case TYPE.SMALL_OBJECT:
      case TYPE.LARGE_OBJECT:
        return this.#object(at, end, type === TYPE.LARGE_OBJECT ? 4 : 2, depth);
      case TYPE.SMALL_ARRAY:
      case TYPE.LARGE_ARRAY:
        return this.#array(at, end, type === TYPE.LARGE_ARRAY ? 4 : 2, depth);
      case TYPE.LITERAL:
        return this.#literal(this.#uint(at, end, 1));
      case TYPE.INT16:
        return this.#out.ascii(String((this.#uint(at, end, 2) << 16) >> 16));
      case TYPE.UINT16:
        return this.#out.ascii(String(this.#uint(at, end, 2)));
      case TYPE.INT32:
        return this.#out.ascii(String(this.#uint(at, end, 4) | 0));
      case TYPE.UINT32:
        return this.#out.ascii(String(this.#uint(at, end, 4)));
      case TYPE.INT64:
        this.#room(at, end, 8);
        return this.#out.ascii(String(this.#buffer.readBigInt64LE(at)));
      case TYPE.UINT64:
        this.#room(at, end, 8);
        return this.#out.ascii(String(this.#buffer.readBigUInt64LE(at)));
      case TYPE.DOUBLE:
        this.#room(at, end, 8);
        return this.#out.ascii(doubleText(this.#buffer.readDoubleLE(at)));
      case TYPE.STRING: {
        const { start, stop } = this.#sized(at, end);
        return this.#out.quoted(this.#buffer, start, stop);
      }
      case TYPE.OPAQUE:
        return this.#opaque(at, end);
      default:
        throw damaged();
    }
  }

  #object(at: number, end: number, size: 2 | 4, depth: number): void {
    const { count, stop } = this.#header(at, end, size, depth, 2 + size + 1 + size);
    const keys = at + 2 * size;
    const values = keys + count * (size + 2);
    this.#out.byte(0x7b);
    for (let index = 0; index < count; index += 1) {
      if (index > 0) this.#separate();
      const key = keys + index * (size + 2);
      const start = at + this.#uint(key, stop, size);
      const length = this.#uint(key + size, stop, 2);
      this.#room(start, stop, length);
      this.#out.quoted(this.#buffer, start, start + length);
      this.#out.ascii(': ');
      this.#entry(at, values + index * (1 + size), stop, size, depth);
    }
    this.#out.byte(0x7d);
  }

  #array(at: number, end: number, size: 2 | 4, depth: number): void {
    const { count, stop } = this.#header(at, end, size, depth, 1 + size);
    const values = at + 2 * size;
    this.#out.byte(0x5b);
    for (let index = 0; index < count; index += 1) {
      if (index > 0) this.#separate();
      this.#entry(at, values + index * (1 + size), stop, size, depth);
    }
    this.#out.byte(0x5d);
  }

  #header(at: number, end: number, size: 2 | 4, depth: number, entryBytes: number): { count: number; stop: number } {
    if (depth > DEPTH_MAX) throw damaged();
    const count = this.#uint(at, end, size);
    const bytes = this.#uint(at + size, end, size);
    this.#room(at, end, bytes);
    if (2 * size + count * entryBytes > bytes) throw damaged();
    return { count, stop: at + bytes };
  }

  #entry(base: number, at: number, stop: number, size: 2 | 4, depth: number): void {
    const type = this.#uint(at, stop, 1);
    if (isInline(type, size)) this.#value(type, at + 1, at + 1 + size, depth + 1);
    else this.#value(type, base + this.#uint(at + 1, stop, size), stop, depth + 1);
  }

  #opaque(at: number, end: number): void {
    const column = this.#uint(at, end, 1);
    const { start, stop } = this.#sized(at + 1, end);
    const out = this.#out;
    switch (column) {
      case COLUMN.DECIMAL: {
        const precision = this.#uint(start, stop, 1);
        const scale = this.#uint(start + 1, stop, 1);
        if (precision > 65 || scale > precision) throw damaged();
        this.#room(start + 2, stop, decimalBytes(precision, scale));
        visitDecimal(precision, scale)(this.#buffer, start + 2, this.#decimals);
        return;
      }
      case COLUMN.DATE:
      case COLUMN.TIME:
      case COLUMN.DATETIME:
      case COLUMN.TIMESTAMP:
        this.#room(start, stop, 8);
        out.byte(QUOTE);
        out.ascii(temporalText(column, this.#buffer.readBigInt64LE(start)));
        return out.byte(QUOTE);
      default:
        out.byte(QUOTE);
        out.ascii(`base64:type${column}:`);
        this.#base64(start, stop);
        return out.byte(QUOTE);
    }
  }

  /** Lines of 76 characters, as the server makes them, with its line ends escaped. */
  #base64(start: number, stop: number): void {
    const text = this.#buffer.toString('base64', start, stop);
    for (let at = 0; at < text.length; at += 76) {
      if (at > 0) this.#out.ascii('\\n');
      this.#out.ascii(text.slice(at, at + 76));
    }
  }

  #literal(value: number): void {
    const text = LITERALS[value];
    if (text === undefined) throw damaged();
    this.#out.ascii(text);
  }

  #separate(): void {
    this.#out.byte(COMMA);
    this.#out.byte(0x20);
  }

  /** Bytes behind a length of 7 bits a byte. */
  #sized(at: number, end: number): { start: number; stop: number } {
    let length = 0;
    let from = at;
    for (let shift = 0; ; shift += 7) {
      if (shift > 28) throw damaged();
      const byte = this.#uint(from, end, 1);
      from += 1;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    this.#room(from, end, length);
    return { start: from, stop: from + length };
  }

  #uint(at: number, end: number, bytes: 1 | 2 | 4): number {
    this.#room(at, end, bytes);
    const buffer = this.#buffer;
    if (bytes === 1) return buffer[at]!;
    return bytes === 2 ? buffer.readUInt16LE(at) : buffer.readUInt32LE(at);
  }

  #room(at: number, end: number, bytes: number): void {
    if (!(bytes <= end - at)) throw damaged();
  }
}

function isInline(type: number, size: 2 | 4): boolean {
  if (type === TYPE.LITERAL || type === TYPE.INT16 || type === TYPE.UINT16) return true;
  return size === 4 && (type === TYPE.INT32 || type === TYPE.UINT32);
}

function damaged(): CorruptEvent {
  return new CorruptEvent('a JSON document is not one');
}

/**
 * The shortest digits that give the same double, as the server lays them out: plain from 10^-15 to below 10^15, else with an
 * exponent; whole numbers in plain layout end in `.0`. Source: MySQL Server source, my_gcvt.
 */
export function doubleText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa = '', exponentText = ''] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  const sign = value < 0 ? '-' : '';
  if (exponent < -15 || exponent > 14) {
    const rest = digits.slice(1);
    return `${sign}${digits[0]}${rest === '' ? '' : `.${rest}`}e${exponent}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** Eight bytes: [ year * 13 + month ][ day 5 ][ hour 5 ][ minute 6 ][ second 6 ][ microseconds 24 ], or for TIME [ hour 10 ] … */
function temporalText(column: number, packed: bigint): string {
  const sign = packed < 0n ? '-' : '';
  const value = packed < 0n ? -packed : packed;
  const micros = Number(value & 0xffffffn);
  const whole = value >> 24n;
  const second = Number(whole & 63n);
  const minute = Number((whole >> 6n) & 63n);
  const hour = Number((whole >> 12n) & (column === COLUMN.TIME ? 1023n : 31n));
  const clock = `${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}.${pad(micros, 6)}`;
  if (column === COLUMN.TIME) return sign + clock;
  const months = Number(whole >> 22n);
  const day = Number((whole >> 17n) & 31n);
  const date = `${pad(Math.floor(months / 13), 4)}-${pad(months % 13, 2)}-${pad(day, 2)}`;
  return column === COLUMN.DATE ? date : `${date} ${clock}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
