import type { RowImage, RowsPart } from '../../src/pipeline/batch.ts';
import { allColumns, type Column } from '../../src/pipeline/table.ts';
import type { ValueVisitor } from '../../src/pipeline/value-visitor.ts';

export type Wanted = 'json' | 'debezium' | 'canal' | 'key';

/** What an image must be in an envelope, by slow and plain means: a JSON object, or with `key` the text of those columns. */
export function wantedImage(
  part: RowsPart,
  row: number,
  image: RowImage,
  wanted: Wanted,
  key: readonly number[] = [],
): string {
  if (wanted === 'key') return key.map((index) => textsOf(part, row, image, wanted)[index] ?? '').join(',');
  const { columns } = part.table;
  return `{${textsOf(part, row, image, wanted)
    .map((text, index) => `${JSON.stringify(columns[index]?.name)}:${text ?? 'null'}`)
    .join()}}`;
}

function textsOf(part: RowsPart, row: number, image: RowImage, wanted: Wanted): (string | null)[] {
  const visitor = new PlainVisitor(part.table.columns, wanted);
  part.visit(row, image, allColumns(part.table), visitor);
  return visitor.texts;
}

class PlainVisitor implements ValueVisitor {
  readonly texts: (string | null)[] = [];
  readonly #columns: readonly Column[];
  readonly #wanted: Wanted;

  constructor(columns: readonly Column[], wanted: Wanted) {
    this.#columns = columns;
    this.#wanted = wanted;
  }

  null(): void {
    this.texts.push(null);
  }
  integer(value: number): void {
    this.#number(this.#column.type.kind === 'year' && this.#wanted === 'canal' && value === 0 ? '0000' : String(value));
  }
  bigInteger(high: number, low: number, _unsigned: boolean): void {
    this.#number(String(BigInt(high) * 2n ** 32n + BigInt(low)));
  }
  decimal(buffer: Uint8Array, start: number, end: number): void {
    const digits = utf8(buffer, start, end);
    if (this.#wanted === 'debezium') this.#string(digits);
    else this.#number(digits);
  }
  float(value: number): void {
    const shortest = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digits) => value.toPrecision(digits));
    this.double(Number(shortest.find((text) => Math.fround(Number(text)) === value)));
  }
  double(value: number): void {
    this.#number(Object.is(value, -0) && this.#wanted !== 'key' ? '-0' : String(value));
  }
  text(buffer: Uint8Array, start: number, end: number): void {
    this.#string(utf8(buffer, start, end));
  }
  bytes(buffer: Uint8Array, start: number, end: number): void {
    const bytes = Buffer.from(buffer.subarray(start, end));
    this.#string(bytes.toString(this.#wanted === 'canal' ? 'latin1' : 'base64'));
  }
  date(year: number, month: number, day: number): void {
    if (this.#isTextual) return this.#string(dateText(year, month, day));
    const time = epochMillis(year, month, day);
    if (time === null) this.#noDate('0');
    else this.texts.push(String(this.#wanted === 'json' ? time : time / 86_400_000));
  }
  time(micros: number): void {
    if (this.#wanted === 'debezium') return this.#number(String(micros));
    const size = Math.abs(micros);
    const clock = [size / 3.6e9, (size / 6e7) % 60, (size / 1e6) % 60]
      .map((part) => padded(Math.floor(part), 2))
      .join(':');
    this.#string((micros < 0 ? '-' : '') + clock + this.#fraction(size % 1e6));
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
    const clock = [hour, minute, second].map((part) => padded(part, 2)).join(':');
    if (this.#isTextual) return this.#string(`${dateText(year, month, day)} ${clock}${this.#fraction(micros)}`);
    const midnight = epochMillis(year, month, day);
    if (midnight === null) return this.#noDate('0');
    const seconds = BigInt(midnight / 1000 + hour * 3600 + minute * 60 + second);
    const { type } = this.#column;
    const isMicros = this.#wanted === 'debezium' && 'fraction' in type && type.fraction > 3;
    this.texts.push(
      String(isMicros ? seconds * 1_000_000n + BigInt(micros) : seconds * 1000n + BigInt(Math.floor(micros / 1000))),
    );
  }
  instant(seconds: number, micros: number): void {
    const isZero = seconds === 0 && micros === 0;
    const [date = '', clock = ''] = new Date(seconds * 1000).toISOString().slice(0, 19).split('T');
    switch (this.#wanted) {
      case 'json':
        return isZero ? this.null() : this.#number(String(seconds * 1000 + Math.floor(micros / 1000)));
      case 'debezium':
        if (isZero) return this.#noDate('"1970-01-01T00:00:00Z"');
        return this.#string(`${date}T${clock}${this.#fraction(micros)}Z`);
      case 'canal':
        if (isZero) return this.datetime(0, 0, 0, 0, 0, 0, 0);
        return this.#string(`${date} ${clock}${this.#fraction(micros)}`);
      case 'key':
        return this.#string(`${date} ${clock}${this.#fraction(micros)}`);
    }
  }
  bits(buffer: Uint8Array, start: number, end: number): void {
    const bytes = Buffer.from(buffer.subarray(start, end));
    const value = BigInt(`0x${bytes.toString('hex')}`);
    const { type } = this.#column;
    if (this.#isTextual) this.#number(String(value));
    else if (type.kind === 'bits' && type.width === 1) this.texts.push(String(value === 1n));
    else this.#string((this.#wanted === 'debezium' ? bytes.reverse() : bytes).toString('base64'));
  }
  label(buffer: Uint8Array, start: number, end: number, _ordinal: number | bigint): void {
    this.text(buffer, start, end);
  }
  json(buffer: Uint8Array, start: number, end: number): void {
    this.text(buffer, start, end);
  }
  geometry(srid: number, buffer: Uint8Array, start: number, end: number): void {
    const wkb = Buffer.from(buffer.subarray(start, end)).toString('base64');
    if (this.#wanted === 'debezium') this.texts.push(JSON.stringify({ wkb, srid }));
    else this.bytes(buffer, start, end);
  }
  vector(buffer: Uint8Array, start: number, end: number): void {
    if (this.#wanted !== 'debezium') return this.bytes(buffer, start, end);
    const bytes = Buffer.from(buffer.subarray(start, end));
    const floats = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
    const plain = new PlainVisitor(
      floats.map(() => this.#column),
      'json',
    );
    for (const float of floats) plain.float(float);
    this.texts.push(`[${plain.texts.map((text) => (text === '-0' ? '0' : text)).join()}]`);
  }

  /** The column of the next value. */
  get #column(): Column {
    const column = this.#columns[this.texts.length];
    if (column === undefined) throw new Error('more values than columns');
    return column;
  }

  /** Dates are their text. */
  get #isTextual(): boolean {
    return this.#wanted === 'canal' || this.#wanted === 'key';
  }

  #string(text: string): void {
    this.texts.push(this.#wanted === 'key' ? text : JSON.stringify(text));
  }

  #number(text: string): void {
    this.texts.push(this.#wanted === 'canal' ? `"${text}"` : text);
  }

  #noDate(epoch: string): void {
    this.texts.push(this.#wanted === 'debezium' && !this.#column.nullable ? epoch : null);
  }

  #fraction(micros: number): string {
    const { type } = this.#column;
    const digits = 'fraction' in type ? type.fraction : 0;
    return digits === 0 ? '' : `.${padded(micros, 6).slice(0, digits)}`;
  }
}

function utf8(buffer: Uint8Array, start: number, end: number): string {
  return Buffer.from(buffer.subarray(start, end)).toString('utf8');
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function dateText(year: number, month: number, day: number): string {
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

/** Null for what no calendar has. */
function epochMillis(year: number, month: number, day: number): number | null {
  const date = new Date(`${dateText(year, month, day)}T00:00:00Z`);
  const isReal = year > 0 && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(dateText(year, month, day));
  return isReal ? date.getTime() : null;
}
