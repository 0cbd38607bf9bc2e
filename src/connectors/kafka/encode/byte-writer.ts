/*
 * Writes into memory that grows: numbers, dates and bytes as text. One file, because all of it is what the JSON of every
 * envelope and the text of keys are made of, and because hot methods of one class are compiled into one another.
 */
import { civilFromDays } from '../../../lib/civil.ts';
import { DIGIT_PAIRS, writeDigits, writePadded } from '../../../lib/digits.ts';
import { shortestFloat32 } from '../../../lib/shortest-float.ts';
import type { Memory } from './memory.ts';

/** Longer texts are written piece by piece, so that nobody reserves six times a long one. A multiple of three, for base64. */
const PIECE_BYTES = 12 * 1024;
/** From here on a native copy is faster than a loop: measured with all envelopes. */
const LONG_COPY_BYTES = 24;
const NO_STOP = 0x3fff_ffff;
const MINUS = 0x2d;
const COLON = 0x3a;

/** The base64 characters of twelve bits, as one little-endian number. */
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const BASE64_PAIRS = Uint16Array.from({ length: 4096 }, (_, n) => BASE64[n >> 6]! | (BASE64[n & 63]! << 8));

export class ByteWriter {
  out: Uint8Array;
  view: DataView;
  at = 0;
  /** Bytes that were given up because what is written is longer than anybody takes; 0 as long as all of it is there. */
  lost = 0;
  /** What `reserve` leaves room for beyond what it is asked for: all that is written without asking. */
  protected slack = 0;
  #memory: Memory;
  #stop = NO_STOP;
  #restart = 0;
  #source: ArrayBufferLike | null = null;
  #sourceView: DataView;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.out = memory.bytes;
    this.view = memory.view;
    this.#sourceView = memory.view;
  }

  /** Writes from `at` into `memory`. */
  use(memory: Memory, at: number): void {
    this.#memory = memory;
    this.out = memory.bytes;
    this.view = memory.view;
    this.at = at;
    this.lost = 0;
    this.#stop = NO_STOP;
  }

  /** Beyond `bytes` from here on, what is written is given up: writing begins here again, for nothing. */
  limit(bytes: number): void {
    this.#restart = this.at;
    this.#stop = this.at + bytes;
  }

  /** Makes room for so many bytes, and for the slack. */
  reserve(bytes: number): void {
    if (this.at + bytes + this.slack > this.out.length) this.#grow(bytes + this.slack);
  }

  /** Bytes for which there is room. */
  put(bytes: Uint8Array): void {
    if (bytes.length >= LONG_COPY_BYTES) this.out.set(bytes, this.at);
    else for (let from = 0; from < bytes.length; from += 1) this.out[this.at + from] = bytes[from]!;
    this.at += bytes.length;
  }

  ascii(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.out[this.at++] = text.charCodeAt(index);
  }

  /** A whole number within ±2^53. */
  integerText(value: number): void {
    let rest = value;
    if (rest < 0) {
      this.out[this.at++] = MINUS;
      rest = -rest;
    }
    if (rest < 1e9) this.at = writeDigits(this.view, this.at, rest | 0);
    else {
      const high = Math.floor(rest / 1e9);
      const at = writeDigits(this.view, this.at, high);
      this.at = writePadded(this.view, at, rest - high * 1e9, 9);
    }
  }

  /** A 64-bit integer beyond 2^53: high * 2^32 + low. */
  bigIntegerText(high: number, low: number): void {
    let top = high;
    let bottom = low;
    if (top < 0) {
      this.out[this.at++] = MINUS;
      top = bottom === 0 ? -top : -top - 1;
      bottom = bottom === 0 ? 0 : 4294967296 - bottom;
    }
    // In two steps of 10^6, as what is divided must stay below 2^53.
    const topMillions = Math.floor(top / 1e6);
    const rest = (top - topMillions * 1e6) * 4294967296 + bottom;
    const restMillions = Math.floor(rest / 1e6);
    this.integerText(topMillions * 4294967296 + restMillions);
    this.at = writePadded(this.view, this.at, rest - restMillions * 1e6, 6);
  }

  floatText(value: number): void {
    if (isSmallWhole(value)) this.integerText(value);
    else this.ascii(Object.is(value, -0) ? '-0' : shortestFloat32(value));
  }

  doubleText(value: number): void {
    if (isSmallWhole(value)) this.integerText(value);
    else this.ascii(Object.is(value, -0) ? '-0' : String(value));
  }

  /** Seconds * 10^6 + micros, of which no double holds the later ones. */
  microsText(seconds: number, micros: number): void {
    let wholes = seconds;
    let millionths = micros;
    if (wholes < 0) {
      this.out[this.at++] = MINUS;
      wholes = millionths === 0 ? -wholes : -wholes - 1;
      millionths = millionths === 0 ? 0 : 1_000_000 - millionths;
    }
    if (wholes === 0) this.at = writeDigits(this.view, this.at, millionths);
    else {
      this.integerText(wholes);
      this.at = writePadded(this.view, this.at, millionths, 6);
    }
  }

  /** Digits as the source has them. */
  protected copyShort(buffer: Uint8Array, start: number, end: number): void {
    const { out } = this;
    let { at } = this;
    for (let from = start; from < end; from += 1) out[at++] = buffer[from]!;
    this.at = at;
  }

  protected copyLong(buffer: Uint8Array, start: number, end: number): void {
    if (end - start < LONG_COPY_BYTES) {
      this.reserve(end - start);
      this.copyShort(buffer, start, end);
      return;
    }
    for (let from = start; from < end; from += PIECE_BYTES) {
      const to = Math.min(from + PIECE_BYTES, end);
      this.#checkLimit();
      this.reserve(to - from);
      this.out.set(buffer.subarray(from, to), this.at);
      this.at += to - from;
    }
  }

  protected base64(buffer: Uint8Array, start: number, end: number): void {
    for (let from = start; from < end; from += PIECE_BYTES) {
      this.#checkLimit();
      this.#base64Piece(buffer, from, Math.min(from + PIECE_BYTES, end));
    }
  }

  #base64Piece(buffer: Uint8Array, start: number, end: number): void {
    this.reserve(((end - start + 2) / 3) * 4 + 4);
    const { view } = this;
    let { at } = this;
    let from = start;
    for (; from + 3 <= end; from += 3) {
      const three = (buffer[from]! << 16) | (buffer[from + 1]! << 8) | buffer[from + 2]!;
      view.setUint16(at, BASE64_PAIRS[three >> 12]!, true);
      view.setUint16(at + 2, BASE64_PAIRS[three & 0xfff]!, true);
      at += 4;
    }
    if (from < end) {
      const isPair = from + 2 === end;
      const last = (buffer[from]! << 16) | (isPair ? buffer[from + 1]! << 8 : 0);
      view.setUint16(at, BASE64_PAIRS[last >> 12]!, true);
      view.setUint16(at + 2, isPair ? BASE64_PAIRS[last & 0xfff]! : 0x3d3d, true);
      if (isPair) view.setUint8(at + 3, 0x3d);
      at += 4;
    }
    this.at = at;
  }

  /** Big-endian bits, up to 64, as a decimal number. */
  bitsText(buffer: Uint8Array, start: number, end: number): void {
    let high = 0;
    let low = 0;
    for (let from = start; from < end; from += 1) {
      high = ((high << 8) | (low >>> 24)) >>> 0;
      low = ((low << 8) | buffer[from]!) >>> 0;
    }
    if (high >= 0x20_0000) this.bigIntegerText(high, low);
    else this.integerText(high * 4294967296 + low);
  }

  /** YYYY-MM-DD */
  dateText(year: number, month: number, day: number): void {
    const { view, at } = this;
    const century = (year / 100) | 0;
    view.setUint16(at, DIGIT_PAIRS[century]!, true);
    view.setUint16(at + 2, DIGIT_PAIRS[year - century * 100]!, true);
    view.setUint8(at + 4, MINUS);
    view.setUint16(at + 5, DIGIT_PAIRS[month]!, true);
    view.setUint8(at + 7, MINUS);
    view.setUint16(at + 8, DIGIT_PAIRS[day]!, true);
    this.at = at + 10;
  }

  /** [-]HH:mm:ss, with so many digits of the fraction; hours may have three. */
  timeText(micros: number, digits: number): void {
    if (micros < 0) this.out[this.at++] = MINUS;
    const seconds = Math.floor(Math.abs(micros) / 1e6);
    const hours = (seconds / 3600) | 0;
    this.at = hours > 99 ? writeDigits(this.view, this.at, hours) : writePadded(this.view, this.at, hours, 2);
    this.out[this.at++] = COLON;
    this.#clock(((seconds / 60) | 0) % 60, seconds % 60, Math.abs(micros) % 1e6, digits);
  }

  /** HH:mm:ss of a day, with so many digits of the fraction. */
  dayTimeText(hour: number, minute: number, second: number, micros: number, digits: number): void {
    this.view.setUint16(this.at, DIGIT_PAIRS[hour]!, true);
    this.out[this.at + 2] = COLON;
    this.at += 3;
    this.#clock(minute, second, micros, digits);
  }

  /** A date and the time of the day, of seconds since 1970-01-01T00:00:00 of any clock. */
  civilText(seconds: number, micros: number, separator: number, digits: number): void {
    const days = Math.floor(seconds / 86_400);
    const ofDay = seconds - days * 86_400;
    const date = civilFromDays(days);
    this.dateText((date / 10_000) | 0, ((date / 100) | 0) % 100, date % 100);
    this.out[this.at++] = separator;
    this.dayTimeText((ofDay / 3600) | 0, ((ofDay / 60) | 0) % 60, ofDay % 60, micros, digits);
  }

  /** mm:ss and the fraction. */
  #clock(minute: number, second: number, micros: number, digits: number): void {
    const { view, at } = this;
    view.setUint16(at, DIGIT_PAIRS[minute]!, true);
    view.setUint8(at + 2, COLON);
    view.setUint16(at + 3, DIGIT_PAIRS[second]!, true);
    if (digits === 0) {
      this.at = at + 5;
      return;
    }
    view.setUint8(at + 5, 0x2e);
    writePadded(view, at + 6, micros, 6);
    this.at = at + 6 + digits;
  }

  /** A JSON string's text without its quotes, from UTF-8. */
  protected escaped(buffer: Uint8Array, start: number, end: number): void {
    if (this.#source !== buffer.buffer) {
      this.#source = buffer.buffer;
      this.#sourceView = new DataView(buffer.buffer);
    }
    if (end - start <= PIECE_BYTES) {
      this.reserve(6 * (end - start));
      this.at = escape(this.view, this.at, this.#sourceView, start + buffer.byteOffset, end + buffer.byteOffset);
      return;
    }
    for (let from = start; from < end; from += PIECE_BYTES) {
      const to = Math.min(from + PIECE_BYTES, end);
      this.#checkLimit();
      this.reserve(6 * (to - from));
      this.at = escape(this.view, this.at, this.#sourceView, from + buffer.byteOffset, to + buffer.byteOffset);
    }
  }

  /** Bytes as the characters U+0000 to U+00FF, in a JSON string without its quotes. */
  protected latin1(buffer: Uint8Array, start: number, end: number): void {
    for (let from = start; from < end; from += PIECE_BYTES) {
      const to = Math.min(from + PIECE_BYTES, end);
      this.#checkLimit();
      this.reserve(6 * (to - from));
      const { view } = this;
      let { at } = this;
      for (let index = from; index < to; index += 1) {
        const byte = buffer[index]!;
        if (byte < 0x80) at = escapeByte(view, at, byte);
        else {
          view.setUint8(at, 0xc0 | (byte >> 6));
          view.setUint8(at + 1, 0x80 | (byte & 0x3f));
          at += 2;
        }
      }
      this.at = at;
    }
  }

  #checkLimit(): void {
    if (this.at <= this.#stop) return;
    this.lost += this.at - this.#restart;
    this.at = this.#restart;
  }

  #grow(bytes: number): void {
    this.#checkLimit();
    if (this.at + bytes <= this.out.length) return;
    this.#memory.grow(this.at + bytes, this.at);
    this.out = this.#memory.bytes;
    this.view = this.#memory.view;
  }
}

/** Whether its digits are its shortest text, of a float32 too. */
function isSmallWhole(value: number): boolean {
  return value === (value | 0) && value !== 0 && value > -10_000_000 && value < 10_000_000;
}

/** Eight bytes at a time as long as none of them needs an escape; the last ones with some before them again. Gives the end. */
function escape(out: DataView, to: number, source: DataView, start: number, end: number): number {
  let at = to;
  let read = start;
  while (read + 8 <= end) {
    const one = source.getInt32(read, true);
    const two = source.getInt32(read + 4, true);
    if (((special(one) | special(two)) & 0x80808080) === 0) {
      out.setInt32(at, one, true);
      out.setInt32(at + 4, two, true);
      at += 8;
      read += 8;
    } else for (const stop = read + 8; read < stop; read += 1) at = escapeByte(out, at, source.getUint8(read));
  }
  const length = end - start;
  if (read < end && length >= 4 && at - to === read - start) {
    const first = length >= 8 ? length - 8 : 0;
    const one = source.getInt32(start + first, true);
    const two = source.getInt32(end - 4, true);
    if (((special(one) | special(two)) & 0x80808080) === 0) {
      out.setInt32(to + first, one, true);
      out.setInt32(to + length - 4, two, true);
      return to + length;
    }
  }
  for (; read < end; read += 1) at = escapeByte(out, at, source.getUint8(read));
  return at;
}

/**
 * The high bit of each byte that is a control character, a quote or a backslash; with one of them, those behind it may be set too. What is
 * below 0x20 stays so when its bit 0x02 is turned, and the quote becomes 0x20.
 */
function special(four: number): number {
  return (((four ^ 0x02020202) - 0x21212121) | ((four ^ 0x5c5c5c5c) - 0x01010101)) & ~four;
}

const HEX = Buffer.from('0123456789abcdef');
/** What a byte below 0x80 is behind a backslash; 0 for those that need none, 0x75 for those that need their number. */
const ESCAPES = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x20 ? 0x75 : 0));
for (const [byte, short] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x22, '"'],
  [0x5c, '\\'],
] as const) {
  ESCAPES[byte] = short.charCodeAt(0);
}

function escapeByte(out: DataView, at: number, byte: number): number {
  const escape = ESCAPES[byte]!;
  if (escape === 0) {
    out.setUint8(at, byte);
    return at + 1;
  }
  out.setUint8(at, 0x5c);
  out.setUint8(at + 1, escape);
  if (escape !== 0x75) return at + 2;
  out.setUint8(at + 2, 0x30);
  out.setUint8(at + 3, 0x30);
  out.setUint8(at + 4, HEX[byte >> 4]!);
  out.setUint8(at + 5, HEX[byte & 15]!);
  return at + 6;
}
