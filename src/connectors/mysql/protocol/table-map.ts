import { Cursor } from './lenenc.ts';

/** How one column lies in the log: the type's code and its metadata. */
export interface LogType {
  readonly code: number;
  /** Precision and scale (precision << 8 | scale), greatest length in bytes, digits of a fraction, or the size of a length. */
  readonly meta: number;
}

/** What `binlog_row_metadata` FULL adds; the arrays are parallel to the columns. */
export interface FullMetadata {
  readonly names: readonly string[];
  /** Numbers of collations, for columns of character types; of the labels for enum and set. */
  readonly collations: readonly (number | undefined)[];
  readonly labels: readonly (readonly Buffer[] | undefined)[];
}

export interface TableMap {
  readonly database: string;
  readonly table: string;
  readonly types: readonly LogType[];
  readonly nullable: readonly boolean[];
  /** Per column, where the server says it; undefined where it does not. */
  readonly unsigned: readonly (boolean | undefined)[];
  readonly full: FullMetadata | null;
}

const NUMERIC = new Set([1, 2, 3, 4, 5, 8, 9, 13, 246]);
const ENUM = 247;
const SET = 248;
const CHARACTER = new Set([15, 252, 253, 254]);
const TWO_BYTES = new Set([15, 246, 253, 254, 247, 248, 16]);
const ONE_BYTE = new Set([4, 5, 252, 245, 255, 242, 17, 18, 19]);

/**
 * Reads the body of one TABLE_MAP event.
 *
 *   [ table id 6 ][ flags 2 ][ n 1 ][ database ][ 0 ][ n 1 ][ table ][ 0 ][ columns lenenc ][ type 1 each ]
 *   [ metadata size lenenc ][ metadata ][ null bits ][ optional: type 1, length lenenc, value … ]
 *
 * Source: MySQL Server source documentation, Table_map_event.
 */
export function readTableMap(buffer: Buffer, start: number, end: number): TableMap {
  const cursor = new Cursor(buffer, start + 8, end);
  const database = cursor.text(cursor.byte());
  cursor.skip(1);
  const table = cursor.text(cursor.byte());
  cursor.skip(1);
  const count = cursor.length();
  const codes = cursor.bytes(count);
  cursor.length();
  const types = [...codes].map((code) => readType(cursor, code));
  const nulls = cursor.bytes((count + 7) >> 3);
  const nullable = types.map((_, column) => (nulls[column >> 3]! & (1 << (column & 7))) !== 0);
  return { database, table, types, nullable, ...readOptional(cursor, types) };
}

/** STRING hides enum and set, and lengths over 255: two bits of the length sit, flipped, in the type's own byte. */
function readType(cursor: Cursor, code: number): LogType {
  if (code === 254) {
    const real = cursor.byte();
    const low = cursor.byte();
    if (real === ENUM || real === SET) return { code: real, meta: low };
    return { code, meta: low | (((real & 0x30) ^ 0x30) << 4) };
  }
  if (code === 246) return { code, meta: (cursor.byte() << 8) | cursor.byte() };
  if (code === 16) {
    const bits = cursor.byte();
    return { code, meta: cursor.byte() * 8 + bits };
  }
  if (TWO_BYTES.has(code)) return { code, meta: cursor.uint(2) };
  if (ONE_BYTE.has(code)) return { code, meta: cursor.byte() };
  return { code, meta: 0 };
}

function readOptional(cursor: Cursor, types: readonly LogType[]): Pick<TableMap, 'unsigned' | 'full'> {
  const unsigned: (boolean | undefined)[] = types.map(() => undefined);
  const collations: (number | undefined)[] = types.map(() => undefined);
  const labels: (Buffer[] | undefined)[] = types.map(() => undefined);
  let names: string[] | null = null;
  const columnsOf = (wanted: (type: LogType) => boolean) =>
    types.flatMap((type, column) => (wanted(type) ? [column] : []));
  const character = columnsOf((type) => CHARACTER.has(type.code));
  const labelled = columnsOf((type) => type.code === ENUM || type.code === SET);
  while (cursor.at < cursor.end) {
    const kind = cursor.byte();
    const length = cursor.length();
    const field = new Cursor(cursor.buffer, cursor.at, cursor.at + length);
    cursor.skip(length);
    switch (kind) {
      case 1:
        columnsOf((type) => NUMERIC.has(type.code)).forEach((column, index) => {
          unsigned[column] = (field.buffer[field.at + (index >> 3)]! & (0x80 >> (index & 7))) !== 0;
        });
        break;
      case 2:
        readDefaultCollations(field, character, collations);
        break;
      case 3:
        for (const column of character) collations[column] = field.length();
        break;
      case 4:
        names = types.map(() => field.text(field.length()));
        break;
      case 5:
        readLabels(
          field,
          columnsOf((type) => type.code === SET),
          labels,
        );
        break;
      case 6:
        readLabels(
          field,
          columnsOf((type) => type.code === ENUM),
          labels,
        );
        break;
      case 10:
        readDefaultCollations(field, labelled, collations);
        break;
      case 11:
        for (const column of labelled) collations[column] = field.length();
        break;
      default: // Keys, visibility, geometry kinds, and whatever comes later: nothing we need.
    }
  }
  return { unsigned, full: names === null ? null : { names, collations, labels } };
}

function readDefaultCollations(field: Cursor, columns: readonly number[], collations: (number | undefined)[]): void {
  const fallback = field.length();
  for (const column of columns) collations[column] = fallback;
  while (field.at < field.end) {
    const column = columns[field.length()];
    const collation = field.length();
    if (column !== undefined) collations[column] = collation;
  }
}

function readLabels(field: Cursor, columns: readonly number[], labels: (Buffer[] | undefined)[]): void {
  for (const column of columns) {
    const count = field.length();
    labels[column] = Array.from({ length: count }, () => field.bytes(field.length()));
  }
}
