import type { LogPlace, RowImage, RowOp, RowsPart } from '../../../pipeline/batch.ts';
import type { ColumnSet, TableVersion } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import type { MysqlTable } from '../types.ts';
import { columnDecoder, readLength } from './column-decoders.ts';
import { CorruptEvent } from './corrupt-event.ts';
import type { Decode } from './decode.ts';
import type { TableMap } from './table-map.ts';

/** Which columns of an image are handed on: parallel to the log's columns, and none after `count` is. */
interface VisitPlan {
  readonly emit: Uint8Array;
  readonly count: number;
  /** None before `count` is left out. */
  readonly whole: boolean;
}

/**
 * How the rows of one table map are read: a decoder per column of the log, and which of them the table's shape has.
 * `positions[i]` is the log's column of the shape's column i.
 */
export class RowLayout {
  readonly table: TableVersion;
  /** Columns of the log. */
  readonly count: number;
  /** The log's type of each column. */
  readonly codes: readonly number[];
  readonly #decodes: readonly Decode[];
  readonly #sizes: Int16Array;
  /** Of a row without NULLs: bytes of fixed sizes, bytes of a length, bytes of fixed sizes … */
  readonly #runs: Int16Array;
  readonly #positions: readonly number[];
  readonly #nullBytes: number;
  readonly #plans = new Map<ColumnSet, VisitPlan>();

  constructor(map: TableMap, table: MysqlTable, positions: readonly number[]) {
    this.table = table.version;
    this.#positions = positions;
    this.count = map.types.length;
    this.codes = map.types.map(({ code }) => code);
    const decoders = map.types.map((type, position) => columnDecoder(type, table.columns[positions.indexOf(position)]));
    this.#decodes = decoders.map(({ decode }) => decode);
    this.#sizes = Int16Array.from(decoders, ({ size }) => size);
    this.#runs = runsOf(this.#sizes);
    this.#nullBytes = (this.count + 7) >> 3;
  }

  plan(columns: ColumnSet): VisitPlan {
    const known = this.#plans.get(columns);
    if (known !== undefined) return known;
    const emit = new Uint8Array(this.count);
    let count = 0;
    for (const index of columns.indexes) {
      const position = this.#positions[index]!;
      emit[position] = 1;
      count = Math.max(count, position + 1);
    }
    const plan = { emit, count, whole: emit.subarray(0, count).every((flag) => flag === 1) };
    this.#plans.set(columns, plan);
    return plan;
  }

  /** Where the image that starts at `at` ends. */
  skip(buffer: Buffer, at: number): number {
    if (!this.#hasNulls(buffer, at)) return this.#skipRuns(buffer, at + this.#nullBytes);
    return this.#next(buffer, at, this.count);
  }

  /** Where the value of a column of the image that starts at `at` begins; null for NULL. */
  valueAt(buffer: Buffer, at: number, column: number): number | null {
    return isNull(buffer, at, column) ? null : this.#next(buffer, at, column);
  }

  visit(buffer: Buffer, at: number, plan: VisitPlan, visitor: ValueVisitor): void {
    const decodes = this.#decodes;
    const { count } = plan;
    let next = at + this.#nullBytes;
    if (plan.whole && !this.#hasNulls(buffer, at)) {
      for (let column = 0; column < count; column += 1) next = decodes[column]!(buffer, next, visitor);
      return;
    }
    const { emit } = plan;
    for (let column = 0; column < count; column += 1) {
      if (isNull(buffer, at, column)) {
        if (emit[column] === 1) visitor.null();
      } else if (emit[column] === 1) next = decodes[column]!(buffer, next, visitor);
      else next = skipValue(buffer, next, this.#sizes[column]!);
    }
  }

  /** `texts`: JSON that stands for what the image has of these columns. */
  visitWith(
    texts: ReadonlyMap<number, Buffer>,
    buffer: Buffer,
    at: number,
    plan: VisitPlan,
    visitor: ValueVisitor,
  ): void {
    const { emit, count } = plan;
    let next = at + this.#nullBytes;
    for (let column = 0; column < count; column += 1) {
      const text = texts.get(column);
      if (isNull(buffer, at, column)) {
        if (emit[column] === 1) visitor.null();
      } else if (emit[column] === 1 && text === undefined) next = this.#decodes[column]!(buffer, next, visitor);
      else {
        if (emit[column] === 1 && text !== undefined) visitor.json(text, 0, text.length);
        next = skipValue(buffer, next, this.#sizes[column]!);
      }
    }
  }

  /** Where the value of `column` begins, be it NULL, of an image that starts at `at`. */
  #next(buffer: Buffer, at: number, column: number): number {
    const sizes = this.#sizes;
    let next = at + this.#nullBytes;
    for (let index = 0; index < column; index += 1)
      if (!isNull(buffer, at, index)) next = skipValue(buffer, next, sizes[index]!);
    return next;
  }

  #hasNulls(buffer: Buffer, at: number): boolean {
    const last = this.#nullBytes - 1;
    for (let byte = 0; byte < last; byte += 1) if (buffer[at + byte] !== 0) return true;
    // The bits behind the last column are set, or not.
    return (buffer[at + last]! & ((1 << (this.count - last * 8)) - 1)) !== 0;
  }

  #skipRuns(buffer: Buffer, at: number): number {
    const runs = this.#runs;
    let next = at;
    for (let run = 0; run < runs.length; run += 2) {
      next += runs[run]!;
      const lengthBytes = runs[run + 1]!;
      if (lengthBytes === 1) next += 1 + buffer[next]!;
      else if (lengthBytes === 2) next += 2 + (buffer[next]! | (buffer[next + 1]! << 8));
      else if (lengthBytes > 0) next += lengthBytes + readLength(buffer, next, lengthBytes);
    }
    return next;
  }
}

function isNull(buffer: Buffer, at: number, column: number): boolean {
  return (buffer[at + (column >> 3)]! & (1 << (column & 7))) !== 0;
}

function skipValue(buffer: Buffer, at: number, size: number): number {
  return size >= 0 ? at + size : at - size + readLength(buffer, at, -size);
}

function runsOf(sizes: Int16Array): Int16Array {
  const runs: number[] = [];
  let fixed = 0;
  for (const size of sizes) {
    if (size >= 0) fixed += size;
    else {
      runs.push(fixed, -size);
      fixed = 0;
    }
  }
  return Int16Array.from([...runs, fixed, 0]);
}

/**
 * Finds the row images of one ROWS event; values are read later, by a visitor.
 *
 *   [ table id 6 ][ flags 2 ][ v2: extra length 2, extra ][ columns lenenc ][ used bits, update: twice ]
 *   [ null bits ][ values ] …                                     update: before image, after image, before image, …
 *
 * Shape:  offsets into `buffer`, per row one image, or two for an update.
 * Errors: CorruptEvent if the images do not end with the body; never a partial row.
 * Source: MySQL Server source documentation, Rows_event.
 */
export class BinlogRows implements RowsPart {
  readonly kind = 'rows';
  readonly op: RowOp;
  readonly table: TableVersion;
  readonly timeMicros: number;
  readonly place: LogPlace;
  readonly count: number;
  readonly #buffer: Buffer;
  readonly #layout: RowLayout;
  /** Offsets of the images, `stride` per row. */
  readonly #images: number[];
  readonly #stride: number;

  constructor(options: {
    op: RowOp;
    layout: RowLayout;
    buffer: Buffer;
    start: number;
    end: number;
    timeMicros: number;
    place: LogPlace;
  }) {
    const { op, layout, buffer, start, end, timeMicros, place } = options;
    this.op = op;
    this.table = layout.table;
    this.timeMicros = timeMicros;
    this.place = place;
    this.#buffer = buffer;
    this.#layout = layout;
    this.#stride = op === 'update' ? 2 : 1;
    this.#images = [];
    for (let at = start; at < end; ) {
      this.#images.push(at);
      at = layout.skip(buffer, at);
      // Not `at > end`: what was read behind the buffer's end makes it NaN.
      if (!(at <= end)) throw new CorruptEvent('a row image goes beyond its event');
    }
    this.count = this.#images.length / this.#stride;
    if (!Number.isInteger(this.count)) throw new CorruptEvent('an update has no image after its last one before');
  }

  visit(row: number, image: RowImage, columns: ColumnSet, visitor: ValueVisitor): void {
    const index = row * this.#stride + (image === 'after' && this.#stride === 2 ? 1 : 0);
    this.#layout.visit(this.#buffer, this.#images[index]!, this.#layout.plan(columns), visitor);
  }
}
