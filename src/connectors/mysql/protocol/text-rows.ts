import type { LogPlace, RowImage, RowsPart } from '../../../pipeline/batch.ts';
import type { ColumnSet, TableVersion, ValueType } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { visitGeometry } from './geometry.ts';
import { type RowReceiver, readLength } from './raw-connection.ts';

const NULL_VALUE = 0xfb;
/** With so much of them no more rows are taken. */
const BYTES_ENOUGH = 8 << 20;

/** What rows that were selected are of. */
export interface SelectedFrom {
  readonly table: TableVersion;
  readonly timeMicros: number;
  /** Where they join the log. */
  readonly place: LogPlace;
}

/** The rows of one SELECT, copied out of the connection as they came: per column a length-encoded text, or NULL. */
export class TextRows implements RowReceiver {
  #buffer: Buffer;
  #used = 0;
  readonly #bytesEnough: number;
  readonly #starts: number[] = [];

  /** `buffer` is filled; where it is too small, a larger one takes its place. With `bytesEnough` no more rows are taken. */
  constructor(buffer: Buffer, bytesEnough = BYTES_ENOUGH) {
    this.#buffer = buffer;
    this.#bytesEnough = bytesEnough;
  }

  /** Holds the rows: whoever writes into it makes them void. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  row(buffer: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (this.#used + length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#used + length));
      this.#buffer.copy(grown, 0, 0, this.#used);
      this.#buffer = grown;
    }
    buffer.copy(this.#buffer, this.#used, start, end);
    this.#starts.push(this.#used);
    this.#used += length;
    return this.#used < this.#bytesEnough;
  }

  get count(): number {
    return this.#starts.length;
  }

  get bytes(): number {
    return this.#used;
  }

  /** One value as text; null for NULL. */
  text(row: number, column: number, encoding: 'utf8' | 'hex'): string | null {
    let at = this.#starts[row]!;
    for (let skip = column; skip > 0; skip -= 1) at = nextValue(this.#buffer, at);
    if (this.#buffer[at] === NULL_VALUE) return null;
    const { value, next } = readLength(this.#buffer, at);
    return this.#buffer.toString(encoding, next, next + value);
  }

  /** All of them, as a part of the pipeline. */
  all(from: SelectedFrom): RowsPart {
    return new SelectedRows(from, this.#buffer, this.#starts);
  }

  /** The rows whose numbers are in `rows`, as a part of the pipeline. */
  part(from: SelectedFrom, rows: readonly number[]): RowsPart {
    return new SelectedRows(
      from,
      this.#buffer,
      rows.map((row) => this.#starts[row]!),
    );
  }
}

function nextValue(buffer: Buffer, at: number): number {
  const first = buffer[at]!;
  if (first === NULL_VALUE) return at + 1;
  if (first < NULL_VALUE) return at + 1 + first;
  const { value, next } = readLength(buffer, at);
  return next + value;
}

type DecodeText = (buffer: Buffer, start: number, end: number, visitor: ValueVisitor) => void;

class SelectedRows implements RowsPart {
  readonly kind = 'rows';
  readonly op = 'read';
  readonly table: TableVersion;
  readonly timeMicros: number;
  readonly place: LogPlace;
  readonly count: number;
  readonly #buffer: Buffer;
  readonly #starts: readonly number[];
  readonly #decoders: readonly DecodeText[];

  constructor({ table, timeMicros, place }: SelectedFrom, buffer: Buffer, starts: readonly number[]) {
    this.table = table;
    this.timeMicros = timeMicros;
    this.place = place;
    this.count = starts.length;
    this.#buffer = buffer;
    this.#starts = starts;
    this.#decoders = table.columns.map(({ type }) => textDecoder(type));
  }

  visit(row: number, _image: RowImage, columns: ColumnSet, visitor: ValueVisitor): void {
    const buffer = this.#buffer;
    const { indexes } = columns;
    let at = this.#starts[row]!;
    let column = 0;
    for (let index = 0; index < indexes.length; index += 1) {
      const wanted = indexes[index]!;
      for (; column < wanted; column += 1) at = nextValue(buffer, at);
      const first = buffer[at]!;
      if (first === NULL_VALUE) {
        visitor.null();
        at += 1;
      } else {
        let start = at + 1;
        let length = first;
        if (first > NULL_VALUE) {
          const long = readLength(buffer, at);
          start = long.next;
          length = long.value;
        }
        this.#decoders[wanted]!(buffer, start, start + length, visitor);
        at = start + length;
      }
      column += 1;
    }
  }
}

/** Reads a value from the server's text of it into the same calls that the log's bytes of it make. */
function textDecoder(type: ValueType): DecodeText {
  switch (type.kind) {
    case 'integer':
      return decodeInteger(type.unsigned);
    case 'year':
      return (b, start, end, v) => v.integer(digits(b, start, end));
    case 'decimal':
      return decodeDecimal;
    case 'float':
      return (b, start, end, v) => v.float(Math.fround(Number(b.toString('latin1', start, end))));
    case 'double':
      return (b, start, end, v) => v.double(Number(b.toString('latin1', start, end)));
    case 'text':
      return (b, start, end, v) => v.text(b, start, end);
    case 'bytes':
      return (b, start, end, v) => v.bytes(b, start, end);
    case 'date':
      return (b, start, end, v) =>
        v.date(digits(b, start, end - 6), digits(b, end - 5, end - 3), digits(b, end - 2, end));
    case 'time':
      return decodeTime;
    case 'datetime':
      return (b, start, end, v) =>
        v.datetime(
          digits(b, start, start + 4),
          digits(b, start + 5, start + 7),
          digits(b, start + 8, start + 10),
          digits(b, start + 11, start + 13),
          digits(b, start + 14, start + 16),
          digits(b, start + 17, start + 19),
          fraction(b, start + 20, end),
        );
    case 'instant':
      return decodeInstant;
    case 'bits':
      return (b, start, end, v) => v.bits(b, start, end);
    case 'label':
      return type.set ? decodeSet(type.labels) : decodeEnum(type.labels);
    case 'json':
      return (b, start, end, v) => v.json(b, start, end);
    case 'geometry':
      return visitGeometry;
    case 'vector':
      return (b, start, end, v) => v.vector(b, start, end);
  }
}

function digits(b: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 10 + b[at]! - 48;
  return value;
}

function fraction(b: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < start + 6; at += 1) value = value * 10 + (at < end ? b[at]! - 48 : 0);
  return value;
}

function decodeInteger(unsigned: boolean): DecodeText {
  return (b, start, end, v) => {
    if (end - start <= 15) {
      v.integer(b[start] === 45 ? -digits(b, start + 1, end) : digits(b, start, end));
      return;
    }
    const value = BigInt(b.toString('latin1', start, end));
    if (value >= -9007199254740991n && value <= 9007199254740991n) v.integer(Number(value));
    else
      v.bigInteger(
        Number(unsigned ? value >> 32n : BigInt.asIntN(32, value >> 32n)),
        Number(value & 0xffffffffn),
        unsigned,
      );
  };
}

/** ZEROFILL prints leading zeros, which the log's digits do not have. */
function decodeDecimal(b: Buffer, start: number, end: number, v: ValueVisitor): void {
  let from = start;
  while (b[from] === 48 && from + 1 < end && b[from + 1] !== 46) from += 1;
  v.decimal(b, from, end);
}

/** [-]hh:mm:ss[.ffffff], hours with two or three digits. */
function decodeTime(b: Buffer, start: number, end: number, v: ValueVisitor): void {
  const negative = b[start] === 45;
  const hours = negative ? start + 1 : start;
  const colon = b[hours + 2] === 58 ? hours + 2 : hours + 3;
  const seconds =
    digits(b, hours, colon) * 3600 + digits(b, colon + 1, colon + 3) * 60 + digits(b, colon + 4, colon + 6);
  const micros = seconds * 1e6 + (colon + 7 < end ? fraction(b, colon + 7, end) : 0);
  v.time(negative ? -micros : micros);
}

/** The session's zone is UTC, so that the civil time is the instant. */
function decodeInstant(b: Buffer, start: number, end: number, v: ValueVisitor): void {
  const year = digits(b, start, start + 4);
  if (year === 0) {
    v.instant(0, 0);
    return;
  }
  const millis = Date.UTC(
    year,
    digits(b, start + 5, start + 7) - 1,
    digits(b, start + 8, start + 10),
    digits(b, start + 11, start + 13),
    digits(b, start + 14, start + 16),
    digits(b, start + 17, start + 19),
  );
  v.instant(millis / 1000, fraction(b, start + 20, end));
}

const NOTHING = Buffer.alloc(0);

/** By its number; 0 is the error value, the empty text. */
function decodeEnum(labels: readonly string[]): DecodeText {
  const texts = ['', ...labels].map((label) => Buffer.from(label, 'utf8'));
  return (b, start, end, v) => {
    const ordinal = digits(b, start, end);
    // Beyond them are members of a shape that the stream has not come to: what was read is left out then.
    const text = texts[ordinal] ?? NOTHING;
    v.label(text, 0, text.length, ordinal);
  };
}

function decodeSet(labels: readonly string[]): DecodeText {
  const bitOf = new Map(labels.map((label, index) => [label, 1n << BigInt(index)]));
  return (b, start, end, v) => {
    const text = b.toString('utf8', start, end);
    const mask = text === '' ? 0n : text.split(',').reduce((bits, label) => bits | (bitOf.get(label) ?? 0n), 0n);
    v.label(b, start, end, mask <= 9007199254740991n ? Number(mask) : mask);
  };
}
