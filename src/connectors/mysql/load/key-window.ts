import { type ColumnSet, keyColumns, type TableVersion } from '../../../pipeline/table.ts';
import type { RowsPart } from '../../../pipeline/batch.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';

/** So many keys before the chunk is there, and the window is given up: the chunk is read again later. */
const KEYS_MAX = 200_000;
/** What a key takes beside its letters. */
const KEY_BYTES = 64;

/** What the keys of all windows of a run may take: the window that finds no more room is given up. */
export interface KeyQuota {
  readonly bytesMax: number;
  bytes: number;
}

/**
 * Which rows of a chunk the stream touched since the window was opened: those are stale, the stream has newer ones. Until
 * the chunk is there, every key that is touched is kept; from then on those of the chunk that are not.
 */
export class KeyWindow {
  /** The chunk has to be read again: the table's shape changed meanwhile, or too much was touched. */
  void = false;
  readonly #reader: KeyReader;
  readonly #quota: KeyQuota;
  readonly #isKeyless: boolean;
  #touched = new Set<string>();
  #touchedBytes = 0;
  #chunk: RowsPart | null = null;
  /** The rows of the chunk by key, once something was touched after it was read. */
  #left: Map<string, number> | null = null;

  constructor(table: TableVersion, quota: KeyQuota) {
    this.#reader = new KeyReader(table);
    this.#isKeyless = table.key.length === 0;
    this.#quota = quota;
  }

  collect(part: RowsPart): void {
    if (this.void) return;
    if (this.#isKeyless) {
      // Which of the rows that are read it was cannot be told.
      this.void = true;
      return;
    }
    if (this.#chunk !== null) this.#left ??= this.#index(this.#chunk);
    for (let row = 0; row < part.count; row += 1) {
      if (part.op !== 'insert') this.#touch(this.#reader.read(part, row, 'before'));
      if (part.op !== 'delete') this.#touch(this.#reader.read(part, row, 'after'));
    }
    if (this.#touched.size <= KEYS_MAX && this.#quota.bytes <= this.#quota.bytesMax) return;
    this.void = true;
    this.forget();
  }

  /** The keys are not needed any more. */
  forget(): void {
    this.#quota.bytes -= this.#touchedBytes;
    this.#touchedBytes = 0;
    this.#touched = new Set();
  }

  /** The chunk was read: what is kept from here on does not grow any more. */
  narrow(chunk: RowsPart): void {
    this.#chunk = chunk;
  }

  /** The numbers of the rows of the chunk whose key the stream did not touch. */
  untouched(): number[] {
    const chunk = this.#chunk;
    if (chunk === null) return [];
    if (this.#left === null && this.#touched.size > 0) this.#left = this.#index(chunk);
    if (this.#left !== null) return [...this.#left.values()];
    return Array.from({ length: chunk.count }, (_, row) => row);
  }

  #touch(key: string): void {
    if (this.#left !== null) this.#left.delete(key);
    else if (!this.#touched.has(key)) {
      this.#touched.add(key);
      this.#touchedBytes += key.length + KEY_BYTES;
      this.#quota.bytes += key.length + KEY_BYTES;
    }
  }

  #index(chunk: RowsPart): Map<string, number> {
    const left = new Map<string, number>();
    for (let row = 0; row < chunk.count; row += 1) {
      const key = this.#reader.read(chunk, row, 'after');
      if (!this.#touched.has(key)) left.set(key, row);
    }
    this.forget();
    return left;
  }
}

/** The windows of one table that are open: several chunks of it may be on their way. */
export class OpenWindows {
  readonly #windows = new Set<KeyWindow>();

  open(table: TableVersion, quota: KeyQuota): KeyWindow {
    const window = new KeyWindow(table, quota);
    this.#windows.add(window);
    return window;
  }

  close(window: KeyWindow): void {
    this.#windows.delete(window);
    window.forget();
  }

  collect(part: RowsPart): void {
    for (const window of this.#windows) window.collect(part);
  }

  /** The table's shape changed: what is being read of it is not of the new one. */
  void(): void {
    for (const window of this.#windows) window.void = true;
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
  /** By its number: the empty text may be a member, or the error value. */
  label(_buffer: Uint8Array, _start: number, _end: number, ordinal: number | bigint): void {
    this.#fields.push(String(ordinal));
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
