import type { TableId } from '../../../pipeline/table.ts';
import { CorruptEvent } from './corrupt-event.ts';
import { Cursor } from './lenenc.ts';

/** Whose server wrote the log: they differ in what they count as a character type. */
export type Family = 'mysql' | 'mariadb';

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
/** 242, a vector, is a blob to MySQL. */
const CHARACTER = new Set([15, 242, 252, 253, 254]);
/** MariaDB counts these as character types, too: 140 and 141 are its COMPRESSED columns, 255 is geometry. */
const MARIADB_CHARACTER = new Set([...CHARACTER, 140, 141, 255]);
const TWO_BYTES = new Set([15, 141, 246, 253, 254, 247, 248, 16]);
const ONE_BYTE = new Set([4, 5, 252, 140, 245, 255, 242, 17, 18, 19]);
/** Sizes of floats, of lengths, of enum and set; digits of fractions; bits. */
const META_MAX = new Map([
  [4, 4],
  [5, 8],
  [252, 4],
  [140, 4],
  [245, 4],
  [255, 4],
  [242, 4],
  [17, 6],
  [18, 6],
  [19, 6],
  [247, 2],
  [248, 8],
  [16, 64],
]);
const META_MIN_ONE = new Set([252, 140, 245, 255, 242, 247, 248, 16]);

/**
 * Reads the body of one TABLE_MAP event.
 *
 *   [ table id 6 ][ flags 2 ][ n 1 ][ database ][ 0 ][ n 1 ][ table ][ 0 ][ columns lenenc ][ type 1 each ]
 *   [ metadata size lenenc ][ metadata ][ null bits ][ optional: type 1, length lenenc, value … ]
 *
 * Errors: CorruptEvent.
 * Source: MySQL Server source documentation, Table_map_event.
 */
export function readTableMap(buffer: Buffer, start: number, end: number, family: Family): TableMap {
  const cursor = new Cursor(buffer, start, end);
  const { database, table } = readName(cursor);
  const count = cursor.length();
  const codes = cursor.bytes(count);
  const metadata = cursor.part(cursor.length());
  const types = [...codes].map((code) => checkType(readType(metadata, code)));
  if (metadata.at !== metadata.end) throw new CorruptEvent('the types of a table map do not fill their metadata');
  const nulls = cursor.bytes((count + 7) >> 3);
  const nullable = types.map((_, column) => (nulls[column >> 3]! & (1 << (column & 7))) !== 0);
  return { database, table, types, nullable, ...readOptional(cursor, types, family) };
}

/** The table alone: its columns may be of types that nobody here knows. Errors: CorruptEvent. */
export function readMappedName(buffer: Buffer, start: number, end: number): TableId {
  return readName(new Cursor(buffer, start, end));
}

function readName(cursor: Cursor): TableId {
  cursor.skip(8);
  const database = cursor.text(cursor.byte());
  cursor.skip(1);
  const table = cursor.text(cursor.byte());
  cursor.skip(1);
  return { database, table };
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

/** Decoders rely on metadata being within what the type allows: a damaged one must not become a size. */
function checkType(type: LogType): LogType {
  const { code, meta } = type;
  const most = META_MAX.get(code);
  if (most !== undefined && meta > most) throw new CorruptEvent(`column type ${code} has impossible metadata`);
  if (META_MIN_ONE.has(code) && meta < 1) throw new CorruptEvent(`column type ${code} has impossible metadata`);
  if (code === 246 && ((meta & 0xff) > meta >> 8 || meta >> 8 > 65))
    throw new CorruptEvent('a DECIMAL has impossible digits');
  return type;
}

function readOptional(cursor: Cursor, types: readonly LogType[], family: Family): Pick<TableMap, 'unsigned' | 'full'> {
  const unsigned: (boolean | undefined)[] = types.map(() => undefined);
  const collations: (number | undefined)[] = types.map(() => undefined);
  const labels: (Buffer[] | undefined)[] = types.map(() => undefined);
  let names: string[] | null = null;
  const columnsOf = (wanted: (type: LogType) => boolean) =>
    types.flatMap((type, column) => (wanted(type) ? [column] : []));
  const character = columnsOf((type) => (family === 'mariadb' ? MARIADB_CHARACTER : CHARACTER).has(type.code));
  const labelled = columnsOf((type) => type.code === ENUM || type.code === SET);
  while (cursor.at < cursor.end) {
    const kind = cursor.byte();
    const field = cursor.part(cursor.length());
    switch (kind) {
      case 1:
        readSigns(
          field,
          columnsOf((type) => NUMERIC.has(type.code)),
          unsigned,
        );
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

/** One bit per numeric column, the first in the highest. */
function readSigns(field: Cursor, columns: readonly number[], unsigned: (boolean | undefined)[]): void {
  const bits = field.bytes((columns.length + 7) >> 3);
  for (const [index, column] of columns.entries()) unsigned[column] = (bits[index >> 3]! & (0x80 >> (index & 7))) !== 0;
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
    const texts: Buffer[] = [];
    for (let left = field.length(); left > 0; left -= 1) texts.push(field.bytes(field.length()));
    labels[column] = texts;
  }
}
