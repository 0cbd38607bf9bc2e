import { type ColumnSet, keyColumns, type TableVersion } from '../../pipeline/table.ts';
import type { RowsPart } from '../../pipeline/batch.ts';
import type { ValueVisitor } from '../../pipeline/value-visitor.ts';

/** The keys that the stream touched since a point: rows of a chunk with such a key are stale, the stream has newer ones. */
export class KeyWindow {
  /** The table's shape changed meanwhile: the chunk has to be read again. */
  void = false;
  readonly #keys = new Set<string>();
  readonly #reader: KeyReader;

  constructor(table: TableVersion) {
    this.#reader = new KeyReader(table);
  }

  collect(part: RowsPart): void {
    for (let row = 0; row < part.count; row += 1) {
      if (part.op !== 'insert') this.#keys.add(this.#reader.read(part, row, 'before'));
      if (part.op !== 'delete') this.#keys.add(this.#reader.read(part, row, 'after'));
    }
  }

  /** The numbers of the rows whose key the stream did not touch. */
  untouched(part: RowsPart): number[] {
    const rows: number[] = [];
    for (let row = 0; row < part.count; row += 1) {
      if (this.#keys.size === 0 || !this.#keys.has(this.#reader.read(part, row, 'after'))) rows.push(row);
    }
    return rows;
  }
}

/** Writes a row's key as one text, equal for equal keys whether they come from the log or from a SELECT. */
class KeyReader implements ValueVisitor {
  readonly #columns: ColumnSet;
  #fields: string[] = [];

  constructor(table: TableVersion) {
    this.#columns = keyColumns(table);
  }

  read(part: RowsPart, row: number, image: 'before' | 'after'): string {
    this.#fields = [];
    part.visit(row, image, this.#columns, this);
    return this.#fields.length === 1
      ? (this.#fields[0] ?? '')
      : this.#fields.map((field) => `${field.length}:${field}`).join('');
  }

  null(): void {
    this.#fields.push('\0null');
  }
  integer(value: number): void {
    this.#fields.push(String(value));
  }
  bigInteger(high: number, low: number, _unsigned: boolean): void {
    this.#fields.push(String((BigInt(high) << 32n) | BigInt(low)));
  }
  decimal(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  float(value: number): void {
    this.#fields.push(String(value));
  }
  double(value: number): void {
    this.#fields.push(String(value));
  }
  text(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  bytes(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  date(year: number, month: number, day: number): void {
    this.#fields.push(`${year}-${month}-${day}`);
  }
  time(micros: number): void {
    this.#fields.push(String(micros));
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
    this.#fields.push(`${year}-${month}-${day} ${hour}:${minute}:${second}.${micros}`);
  }
  instant(seconds: number, micros: number): void {
    this.#fields.push(`${seconds}.${micros}`);
  }
  bits(buffer: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end && buffer[from] === 0) from += 1;
    this.#bytes(buffer, from, end);
  }
  label(buffer: Uint8Array, start: number, end: number, _ordinal: number | bigint): void {
    this.#bytes(buffer, start, end);
  }
  json(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  geometry(_srid: number, buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }
  vector(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes(buffer, start, end);
  }

  #bytes(buffer: Uint8Array, start: number, end: number): void {
    this.#fields.push(Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1'));
  }
}
