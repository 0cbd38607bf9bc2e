import type { LogPlace, RowImage, RowsPart } from '../../../pipeline/batch.ts';
import type { ColumnSet, TableVersion } from '../../../pipeline/table.ts';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { CorruptEvent } from './corrupt-event.ts';
import { JsonDocument } from './json-document.ts';
import { insertAt, type JsonTree, parsePath, parseTree, printTree, removeAt, replaceAt } from './json-tree.ts';
import { Cursor } from './lenenc.ts';
import type { RowLayout } from './row-images.ts';

const JSON_CODE = 245;
const PARTIAL_JSON = 1;
const REPLACE = 0;
const INSERT = 1;
const REMOVE = 2;

const DOCUMENT = new JsonDocument();

interface PartialRow {
  readonly before: number;
  readonly after: number;
  /** The whole documents of columns of which the log has only changes, by the log's column. */
  readonly texts: ReadonlyMap<number, Buffer>;
}

/**
 * The rows of one PARTIAL_UPDATE_ROWS event: an update whose JSON documents may be told by what changed in them.
 *
 *   [ before image ][ options lenenc ][ with bit 0: one bit per JSON column ][ after image ] …
 *   a document told by its changes:  [ bytes 4 ][ operation 1 ][ path lenenc ][ but for removals: document lenenc ] …
 *
 * Errors: CorruptEvent. Source: MySQL Server source, Rows_log_event::unpack_row, Json_diff.
 */
export class PartialRows implements RowsPart {
  readonly kind = 'rows';
  readonly op = 'update';
  readonly table: TableVersion;
  readonly timeMicros: number;
  readonly place: LogPlace;
  readonly count: number;
  readonly #buffer: Buffer;
  readonly #layout: RowLayout;
  readonly #rows: PartialRow[] = [];

  constructor(options: {
    layout: RowLayout;
    buffer: Buffer;
    start: number;
    end: number;
    timeMicros: number;
    place: LogPlace;
  }) {
    const { layout, buffer, start, end, timeMicros, place } = options;
    this.table = layout.table;
    this.timeMicros = timeMicros;
    this.place = place;
    this.#buffer = buffer;
    this.#layout = layout;
    for (let at = start; at < end; ) at = this.#readRow(at, end);
    this.count = this.#rows.length;
  }

  visit(row: number, image: RowImage, columns: ColumnSet, visitor: ValueVisitor): void {
    const { before, after, texts } = this.#rows[row]!;
    const plan = this.#layout.plan(columns);
    if (image === 'before') this.#layout.visit(this.#buffer, before, plan, visitor);
    else this.#layout.visitWith(texts, this.#buffer, after, plan, visitor);
  }

  #readRow(before: number, end: number): number {
    const layout = this.#layout;
    const cursor = new Cursor(this.#buffer, this.#imageEnd(before, end), end);
    const jsonColumns = layout.codes.flatMap((code, column) => (code === JSON_CODE ? [column] : []));
    const bits = (cursor.length() & PARTIAL_JSON) === 0 ? null : cursor.bytes((jsonColumns.length + 7) >> 3);
    const after = cursor.at;
    const next = this.#imageEnd(after, end);
    const texts = new Map<number, Buffer>();
    for (const [index, column] of jsonColumns.entries()) {
      if (bits === null || (bits[index >> 3]! & (1 << (index & 7))) === 0) continue;
      const changes = layout.valueAt(this.#buffer, after, column);
      const whole = layout.valueAt(this.#buffer, before, column);
      if (changes === null) continue;
      if (whole === null) throw new CorruptEvent('a change of a JSON document that is NULL');
      texts.set(column, this.#changed(whole, changes, next));
    }
    this.#rows.push({ before, after, texts });
    return next;
  }

  #imageEnd(at: number, end: number): number {
    const next = this.#layout.skip(this.#buffer, at);
    if (!(next <= end)) throw new CorruptEvent('a row image goes beyond its event');
    return next;
  }

  /** `whole` and `changes` are where the values begin, with the four bytes of their length. */
  #changed(whole: number, changes: number, end: number): Buffer {
    const buffer = this.#buffer;
    const bytes = buffer.readUInt32LE(whole);
    let tree = this.#document(whole + 4, whole + 4 + bytes);
    const cursor = new Cursor(buffer, changes, end);
    const diffs = cursor.part(cursor.uint(4));
    while (diffs.at < diffs.end) {
      const operation = diffs.byte();
      const path = parsePath(diffs.text(diffs.length()));
      if (operation === REMOVE) tree = removeAt(tree, path);
      else {
        const value = diffs.part(diffs.length());
        const given = this.#document(value.at, value.end);
        if (operation === REPLACE) tree = replaceAt(tree, path, given);
        else if (operation === INSERT) tree = insertAt(tree, path, given);
        else throw new CorruptEvent('an unknown change of a JSON document');
      }
    }
    return Buffer.from(printTree(tree));
  }

  #document(start: number, end: number): JsonTree {
    const { bytes, length } = DOCUMENT.read(this.#buffer, start, end);
    return parseTree(bytes.toString('utf8', 0, length));
  }
}
