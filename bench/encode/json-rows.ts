import type { RowImage, RowsPart } from '../../src/pipeline/batch.ts';
import { allColumns, type ColumnSet, type TableVersion, type ValueType } from '../../src/pipeline/table.ts';
import type { ValueVisitor } from '../../src/pipeline/value-visitor.ts';

const OUT_BYTES = 1 << 20;
const FLUSH_BYTES = OUT_BYTES >> 1;
const QUOTE = 0x22;
const HEX = Buffer.from('0123456789abcdef');
const NULL = Buffer.from('null');

/** The digits 00 … 99, each pair as one little-endian number. */
const PAIRS = Uint16Array.from({ length: 100 }, (_, n) => (48 + ((n / 10) | 0)) | ((48 + (n % 10)) << 8));
/** What a line has before its images, at most. */
const HEAD_BYTES = 64;
/** What any value but texts and bytes takes at most. */
const VALUE_BYTES = 96;

/** The bytes before each value, four at a time; what is written too much is written over by the value. */
class Names {
  readonly words: Int32Array;
  readonly lengths: Uint16Array;
  /** Words per name. */
  readonly stride: number;

  constructor(names: readonly Buffer[]) {
    this.stride = Math.max(2, ...names.map(({ length }) => (length + 3) >> 2));
    const padded = new Uint8Array(names.length * this.stride * 4);
    for (const [index, name] of names.entries()) padded.set(name, index * this.stride * 4);
    const view = new DataView(padded.buffer);
    this.words = Int32Array.from({ length: padded.length >> 2 }, (_, index) => view.getInt32(index * 4, true));
    this.lengths = Uint16Array.from(names, ({ length }) => length);
  }
}

/** How the values of one table version are written. */
interface Layout {
  readonly all: ColumnSet;
  readonly before: Names;
  readonly after: Names;
  /** Bytes of a row image without its texts, at most. */
  readonly imageBytes: number;
  /** Digits after the second. */
  readonly fractions: Uint8Array;
}

/**
 * Writes row changes as JSON, one object a line: `{"op":"u","ts":µs,"before":{…},"after":{…}}`. Integers and decimals are
 * digits as the source has them, none goes through a JavaScript number's text beyond 2^53.
 */
export class JsonRows implements ValueVisitor {
  /** Bytes written so far. */
  total = 0;
  #out: Uint8Array = new Uint8Array(Buffer.allocUnsafeSlow(OUT_BYTES).buffer);
  #view: DataView = new DataView(this.#out.buffer);
  #at = 0;
  #column = 0;
  #words: Int32Array = new Int32Array(0);
  #lengths: Uint16Array = new Uint16Array(0);
  #stride = 0;
  #imageBytes = 0;
  #fractions: Uint8Array = new Uint8Array(0);
  #source: ArrayBufferLike | null = null;
  #sourceView = this.#view;
  /** What the lines of a part begin with. */
  readonly #head = new DataView(new ArrayBuffer(HEAD_BYTES));
  readonly #layouts = new Map<TableVersion, Layout>();
  readonly #onLines: ((lines: Uint8Array) => void) | null;

  /** `onLines` takes what is full; valid during the call. */
  constructor(onLines: ((lines: Uint8Array) => void) | null = null) {
    this.#onLines = onLines;
  }

  write(part: RowsPart): void {
    const { all, before, after, imageBytes, fractions } = this.#layout(part.table);
    this.#imageBytes = imageBytes;
    this.#fractions = fractions;
    const head = this.#head;
    const headLength = writeHead(head, part);
    for (let row = 0; row < part.count; row += 1) {
      this.#need(HEAD_BYTES);
      for (let word = 0; word < headLength; word += 4)
        this.#view.setInt32(this.#at + word, head.getInt32(word, true), true);
      this.#at += headLength;
      if (part.op === 'update' || part.op === 'delete') this.#image(part, row, 'before', all, before);
      if (part.op !== 'delete') this.#image(part, row, 'after', all, after);
      this.#bytes(LINE_END);
      if (this.#at > FLUSH_BYTES) this.flush();
    }
  }

  flush(): void {
    this.#onLines?.(this.#out.subarray(0, this.#at));
    this.total += this.#at;
    this.#at = 0;
  }

  null(): void {
    this.#at = this.#open();
    this.#bytes(NULL);
  }

  integer(value: number): void {
    let at = this.#open();
    let rest = value;
    if (rest < 0) {
      this.#out[at++] = 0x2d;
      rest = -rest;
    }
    if (rest < 1e9) this.#at = writeDigits(this.#view, at, rest | 0);
    else {
      const high = Math.floor(rest / 1e9);
      if (high < 1e9) at = writeDigits(this.#view, at, high | 0);
      this.#at = writePadded(this.#view, at, (rest - high * 1e9) | 0, 9);
    }
  }

  bigInteger(high: number, low: number, _unsigned: boolean): void {
    this.#at = this.#open();
    this.#ascii(String((BigInt(high) << 32n) + BigInt(low)));
  }

  decimal(buffer: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    let at = this.#open();
    for (let from = start; from < end; from += 1) out[at++] = buffer[from]!;
    this.#at = at;
  }

  float(value: number): void {
    this.#at = this.#open();
    this.#ascii(String(value));
  }

  double(value: number): void {
    this.#at = this.#open();
    this.#ascii(String(value));
  }

  text(buffer: Uint8Array, start: number, end: number): void {
    this.#need(6 * (end - start) + this.#imageBytes);
    const at = this.#open();
    this.#out[at] = QUOTE;
    const next = this.#escaped(at + 1, buffer, start, end);
    this.#out[next] = QUOTE;
    this.#at = next + 1;
  }

  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.#at = this.#open();
    this.#need(2 * (end - start) + this.#imageBytes);
    this.#out[this.#at++] = QUOTE;
    for (let from = start; from < end; from += 1) {
      this.#out[this.#at++] = HEX[buffer[from]! >> 4]!;
      this.#out[this.#at++] = HEX[buffer[from]! & 15]!;
    }
    this.#out[this.#at++] = QUOTE;
  }

  date(year: number, month: number, day: number): void {
    const at = this.#open();
    const view = this.#view;
    view.setUint8(at, QUOTE);
    writeDate(view, at + 1, year, month, day);
    view.setUint8(at + 11, QUOTE);
    this.#at = at + 12;
  }

  time(micros: number): void {
    const digits = this.#fractions[this.#column]!;
    let at = this.#open();
    const view = this.#view;
    view.setUint8(at++, QUOTE);
    if (micros < 0) view.setUint8(at++, 0x2d);
    const seconds = Math.floor(Math.abs(micros) / 1e6);
    const hours = (seconds / 3600) | 0;
    at = hours > 99 ? writeDigits(view, at, hours) : writePadded(view, at, hours, 2);
    view.setUint8(at, 0x3a);
    at = writeClock(view, at + 1, ((seconds / 60) | 0) % 60, seconds % 60, Math.abs(micros) % 1e6, digits);
    view.setUint8(at, QUOTE);
    this.#at = at + 1;
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
    const digits = this.#fractions[this.#column]!;
    const at = this.#open();
    const view = this.#view;
    view.setUint8(at, QUOTE);
    writeDate(view, at + 1, year, month, day);
    view.setUint8(at + 11, 0x20);
    view.setUint16(at + 12, PAIRS[hour]!, true);
    view.setUint8(at + 14, 0x3a);
    const end = writeClock(view, at + 15, minute, second, micros, digits);
    view.setUint8(end, QUOTE);
    this.#at = end + 1;
  }

  instant(seconds: number, micros: number): void {
    this.integer(seconds * 1e6 + micros);
  }

  bits(buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  label(buffer: Uint8Array, start: number, end: number, _ordinal: number | bigint): void {
    this.text(buffer, start, end);
  }

  json(buffer: Uint8Array, start: number, end: number): void {
    this.#at = this.#open();
    this.#need(end - start + this.#imageBytes);
    this.#out.set(buffer.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  vector(buffer: Uint8Array, start: number, end: number): void {
    this.bytes(buffer, start, end);
  }

  #layout(table: TableVersion): Layout {
    const known = this.#layouts.get(table);
    if (known !== undefined) return known;
    const names = table.columns.map(({ name }) => `${JSON.stringify(name)}:`);
    const layout = {
      all: allColumns(table),
      before: new Names(names.map((name, index) => Buffer.from(`${index === 0 ? ',"before":{' : ','}${name}`))),
      after: new Names(names.map((name, index) => Buffer.from(`${index === 0 ? ',"after":{' : ','}${name}`))),
      imageBytes: names.reduce((sum, { length }) => sum + 4 * length + VALUE_BYTES, VALUE_BYTES),
      fractions: Uint8Array.from(table.columns, ({ type }) => fractionOf(type)),
    };
    this.#layouts.set(table, layout);
    return layout;
  }

  #image(part: RowsPart, row: number, image: RowImage, columns: ColumnSet, names: Names): void {
    this.#need(this.#imageBytes);
    this.#words = names.words;
    this.#lengths = names.lengths;
    this.#stride = names.stride;
    this.#column = 0;
    part.visit(row, image, columns, this);
    this.#out[this.#at++] = 0x7d;
  }

  /** Writes what comes before a value, and gives where that goes. */
  #open(): number {
    const column = this.#column++;
    const view = this.#view;
    const words = this.#words;
    const length = this.#lengths[column]!;
    const at = this.#at;
    let word = column * this.#stride;
    view.setInt32(at, words[word]!, true);
    view.setInt32(at + 4, words[word + 1]!, true);
    for (let written = 8; written < length; written += 4) {
      view.setInt32(at + written, words[word + 2]!, true);
      word += 1;
    }
    return at + length;
  }

  #bytes(bytes: Uint8Array): void {
    const out = this.#out;
    let at = this.#at;
    for (let from = 0; from < bytes.length; from += 1) out[at++] = bytes[from]!;
    this.#at = at;
  }

  #ascii(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.#out[this.#at++] = text.charCodeAt(index);
  }

  /** Eight bytes at a time as long as none of them needs an escape; the last ones with some before them again. */
  #escaped(to: number, buffer: Uint8Array, start: number, end: number): number {
    if (this.#source !== buffer.buffer) {
      this.#source = buffer.buffer;
      this.#sourceView = new DataView(buffer.buffer);
    }
    const source = this.#sourceView;
    const out = this.#view;
    const shift = buffer.byteOffset;
    let at = to;
    let read = start;
    while (read + 8 <= end) {
      const one = source.getInt32(read + shift, true);
      const two = source.getInt32(read + shift + 4, true);
      if (((special(one) | special(two)) & 0x80808080) === 0) {
        out.setInt32(at, one, true);
        out.setInt32(at + 4, two, true);
        at += 8;
        read += 8;
      } else for (const stop = read + 8; read < stop; read += 1) at = this.#escape(at, buffer[read]!);
    }
    const length = end - start;
    if (read < end && length >= 4 && at - to === read - start) {
      const first = length >= 8 ? length - 8 : 0;
      const one = source.getInt32(start + shift + first, true);
      const two = source.getInt32(end + shift - 4, true);
      if (((special(one) | special(two)) & 0x80808080) === 0) {
        out.setInt32(to + first, one, true);
        out.setInt32(to + length - 4, two, true);
        return to + length;
      }
    }
    for (; read < end; read += 1) at = this.#escape(at, buffer[read]!);
    return at;
  }

  #escape(at: number, byte: number): number {
    const out = this.#out;
    if (byte >= 0x20 && byte !== QUOTE && byte !== 0x5c) {
      out[at] = byte;
      return at + 1;
    }
    out[at] = 0x5c;
    const short = SHORT[byte];
    if (short !== undefined) {
      out[at + 1] = short;
      return at + 2;
    }
    out[at + 1] = 0x75;
    out[at + 2] = 0x30;
    out[at + 3] = 0x30;
    out[at + 4] = HEX[byte >> 4]!;
    out[at + 5] = HEX[byte & 15]!;
    return at + 6;
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return;
    const grown = new Uint8Array(Buffer.allocUnsafeSlow(Math.max(2 * this.#out.length, this.#at + bytes)).buffer);
    grown.set(this.#out.subarray(0, this.#at));
    this.#out = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const OPS = { insert: 'i', update: 'u', delete: 'd', read: 'r' } as const;

/** `{"op":"u","ts":µs`; gives its length. */
function writeHead(head: DataView, { op, timeMicros }: RowsPart): number {
  const text = `{"op":"${OPS[op]}","ts":`;
  for (let at = 0; at < text.length; at += 1) head.setUint8(at, text.charCodeAt(at));
  const seconds = Math.floor(timeMicros / 1e6);
  const high = Math.floor(seconds / 1e5);
  let at = writeDigits(head, 15, high);
  at = writePadded(head, at, seconds - high * 1e5, 5);
  return writePadded(head, at, timeMicros - seconds * 1e6, 6);
}

/** The high bit of each byte that is a control character, a quote or a backslash. */
function special(four: number): number {
  const quote = four ^ 0x22222222;
  const slash = four ^ 0x5c5c5c5c;
  return ((four - 0x20202020) & ~four) | ((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash);
}

/** A whole number below 10^9, without leading zeros; gives the end. */
function writeDigits(view: DataView, at: number, value: number): number {
  return writePadded(view, at, value, widthOf(value));
}

function widthOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return value < 100_000_000 ? (value < 10_000_000 ? 7 : 8) : 9;
}

function writePadded(view: DataView, at: number, value: number, width: number): number {
  const end = at + width;
  let rest = value;
  let to = end;
  for (; to - at >= 2; ) {
    const next = (rest / 100) | 0;
    to -= 2;
    view.setUint16(to, PAIRS[rest - next * 100]!, true);
    rest = next;
  }
  if (to > at) view.setUint8(at, 48 + rest);
  return end;
}

/** YYYY-MM-DD */
function writeDate(view: DataView, at: number, year: number, month: number, day: number): void {
  const century = (year / 100) | 0;
  view.setUint16(at, PAIRS[century]!, true);
  view.setUint16(at + 2, PAIRS[year - century * 100]!, true);
  view.setUint8(at + 4, 0x2d);
  view.setUint16(at + 5, PAIRS[month]!, true);
  view.setUint8(at + 7, 0x2d);
  view.setUint16(at + 8, PAIRS[day]!, true);
}

/** mm:ss, with so many digits of the fraction behind it. */
function writeClock(
  view: DataView,
  at: number,
  minute: number,
  second: number,
  micros: number,
  digits: number,
): number {
  view.setUint16(at, PAIRS[minute]!, true);
  view.setUint8(at + 2, 0x3a);
  view.setUint16(at + 3, PAIRS[second]!, true);
  if (digits === 0) return at + 5;
  view.setUint8(at + 5, 0x2e);
  writePadded(view, at + 6, micros, 6);
  return at + 6 + digits;
}

const LINE_END = Buffer.from('}\n');

const SHORT: Readonly<Record<number, number>> = {
  8: 0x62,
  9: 0x74,
  10: 0x6e,
  12: 0x66,
  13: 0x72,
  34: QUOTE,
  92: 0x5c,
};

function fractionOf(type: ValueType): number {
  return 'fraction' in type ? type.fraction : 0;
}
