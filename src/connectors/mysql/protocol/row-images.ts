import type { RowImage, RowOp, RowsPart } from '../../../pipeline/batch.ts';
import type { ColumnSet, TableVersion } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import type { MysqlTable } from '../types.ts';
import { type ColumnDecoder, columnDecoder } from './column-decoders.ts';
import { CorruptEvent } from './corrupt-event.ts';
import type { TableMap } from './table-map.ts';

/** Which columns of an image are handed on: parallel to the log's columns, and none after `count` is. */
interface VisitPlan {
  readonly emit: Uint8Array;
  readonly count: number;
}

/**
 * How the rows of one table map are read: a decoder per column of the log, and which of them the table's shape has.
 * `positions[i]` is the log's column of the shape's column i.
 */
export class RowLayout {
  readonly table: TableVersion;
  readonly decoders: readonly ColumnDecoder[];
  /** The log's type of each column. */
  readonly codes: readonly number[];
  readonly #positions: readonly number[];
  readonly #plans = new Map<ColumnSet, VisitPlan>();

  constructor(map: TableMap, table: MysqlTable, positions: readonly number[]) {
    this.table = table.version;
    this.#positions = positions;
    this.codes = map.types.map(({ code }) => code);
    this.decoders = map.types.map((type, position) => columnDecoder(type, table.columns[positions.indexOf(position)]));
  }

  plan(columns: ColumnSet): VisitPlan {
    const known = this.#plans.get(columns);
    if (known !== undefined) return known;
    const emit = new Uint8Array(this.decoders.length);
    let count = 0;
    for (const index of columns.indexes) {
      const position = this.#positions[index]!;
      emit[position] = 1;
      count = Math.max(count, position + 1);
    }
    const plan = { emit, count };
    this.#plans.set(columns, plan);
    return plan;
  }

  /** Where the image that starts at `at` ends. */
  skip(buffer: Buffer, at: number): number {
    const { decoders } = this;
    const bits = at;
    let next = at + ((decoders.length + 7) >> 3);
    for (let column = 0; column < decoders.length; column += 1) {
      if ((buffer[bits + (column >> 3)]! & (1 << (column & 7))) === 0) next = decoders[column]!.skip(buffer, next);
    }
    return next;
  }

  /** Where the value of a column of the image that starts at `at` begins; null for NULL. */
  valueAt(buffer: Buffer, at: number, column: number): number | null {
    const { decoders } = this;
    const isNull = (index: number) => (buffer[at + (index >> 3)]! & (1 << (index & 7))) !== 0;
    if (isNull(column)) return null;
    let next = at + ((decoders.length + 7) >> 3);
    for (let index = 0; index < column; index += 1) if (!isNull(index)) next = decoders[index]!.skip(buffer, next);
    return next;
  }

  /** `texts`: JSON that stands for what the image has of these columns. */
  visit(
    buffer: Buffer,
    at: number,
    plan: VisitPlan,
    visitor: ValueVisitor,
    texts: ReadonlyMap<number, Buffer> | null = null,
  ): void {
    const { decoders } = this;
    const { emit, count } = plan;
    let next = at + ((decoders.length + 7) >> 3);
    for (let column = 0; column < count; column += 1) {
      if ((buffer[at + (column >> 3)]! & (1 << (column & 7))) !== 0) {
        if (emit[column] === 1) visitor.null();
        continue;
      }
      const text = texts?.get(column);
      if (emit[column] === 1 && text === undefined) next = decoders[column]!.decode(buffer, next, visitor);
      else {
        if (emit[column] === 1 && text !== undefined) visitor.json(text, 0, text.length);
        next = decoders[column]!.skip(buffer, next);
      }
    }
  }
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
  }) {
    const { op, layout, buffer, start, end, timeMicros } = options;
    this.op = op;
    this.table = layout.table;
    this.timeMicros = timeMicros;
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
