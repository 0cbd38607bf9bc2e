import type { DdlKind } from '../../pipeline/policies.ts';
import type { Column, ValueType } from '../../pipeline/table.ts';
import { decoderOf } from './charset/charset.ts';
import type { FullMetadata, LogType, TableMap } from './protocol/table-map.ts';
import type { MysqlColumn, MysqlTable } from './types.ts';

/** How a table map of the log and the shape that we hold fit together. */
export type ShapeMatch =
  /** `positions[i]` is the log's column of the shape's column i. */
  | { readonly kind: 'same'; readonly positions: readonly number[] }
  /** Every column of ours is there as it was; `added` are the log's positions of new ones. */
  | { readonly kind: 'added'; readonly positions: readonly number[]; readonly added: readonly number[] }
  | { readonly kind: 'different'; readonly change: DdlKind; readonly why: string };

/** Names the character set of a collation's number; undefined for a number that the server does not know. */
export type CharsetOf = (collation: number) => string | undefined;

/** Compares by name where the log tells names (binlog_row_metadata FULL), else by order and number. Never guesses. */
export function matchShape(map: TableMap, table: MysqlTable, charsetOf: CharsetOf = () => undefined): ShapeMatch {
  return map.full === null ? matchByOrder(map, table) : matchByName(map, map.full, table, charsetOf);
}

function matchByOrder(map: TableMap, { columns }: MysqlTable): ShapeMatch {
  if (map.types.length !== columns.length) {
    return {
      kind: 'different',
      change: map.types.length < columns.length ? 'DROPCOLUMN' : 'ADDCOLUMN',
      why: `the log has ${map.types.length} columns, the known shape ${columns.length}`,
    };
  }
  for (const [index, column] of columns.entries()) {
    const why = differs(map, index, column);
    if (why !== null) return { kind: 'different', change: 'MODIFYCOLUMN', why };
  }
  return { kind: 'same', positions: columns.map((_, index) => index) };
}

function matchByName(map: TableMap, full: FullMetadata, { columns }: MysqlTable, charsetOf: CharsetOf): ShapeMatch {
  const positionOf = new Map(full.names.map((name, position) => [name, position]));
  const positions: number[] = [];
  for (const column of columns) {
    const position = positionOf.get(column.column.name);
    if (position === undefined)
      return { kind: 'different', change: 'DROPCOLUMN', why: `column ${column.column.name} is gone` };
    const why =
      differs(map, position, column) ??
      charsetDiffers(full, position, column, charsetOf) ??
      labelsDiffer(full, position, column);
    if (why !== null) return { kind: 'different', change: 'MODIFYCOLUMN', why };
    positions.push(position);
  }
  const added = full.names.flatMap((_, position) => (positions.includes(position) ? [] : [position]));
  return added.length === 0 ? { kind: 'same', positions } : { kind: 'added', positions, added };
}

function differs(map: TableMap, position: number, { column, log }: MysqlColumn): string | null {
  const type = map.types[position];
  if (type === undefined || !isSameType(type, log)) return `column ${column.name} has another type`;
  const unsigned = map.unsigned[position];
  if (column.type.kind === 'integer' && unsigned !== undefined && unsigned !== column.type.unsigned) {
    return `column ${column.name} changed its sign`;
  }
  return null;
}

/** Old temporal types, which no catalogue tells from the new ones, by the code of the new one. */
const NEW_CODE: Readonly<Record<number, number>> = { 7: 17, 11: 19, 12: 18 };

function isSameType(type: LogType, known: LogType): boolean {
  return NEW_CODE[type.code] === known.code || (type.code === known.code && type.meta === known.meta);
}

function charsetDiffers(
  full: FullMetadata,
  position: number,
  { column, charset }: MysqlColumn,
  charsetOf: CharsetOf,
): string | null {
  const collation = full.collations[position];
  const now = collation === undefined || charset === null ? undefined : charsetOf(collation);
  return now === undefined || now === charset ? null : `column ${column.name} has another character set`;
}

function labelsDiffer(full: FullMetadata, position: number, { column, charset }: MysqlColumn): string | null {
  const labels = full.labels[position];
  const { type } = column;
  if (type.kind !== 'label' || labels === undefined) return null;
  const toUtf8 = charset === null ? null : decoderOf(charset);
  const texts = labels.map((label) => (toUtf8 ? toUtf8(label) : label).toString('utf8'));
  const same = texts.length === type.labels.length && texts.every((text, index) => text === type.labels[index]);
  return same ? null : `the members of column ${column.name} changed`;
}

/**
 * A column that the log brought along, as its metadata describe it: nullable, as rows from before have no value for it.
 * Undefined for a type or character set that is not served. `charsetOf` names the character set of a collation.
 */
export function columnFromLog(
  map: TableMap,
  full: FullMetadata,
  position: number,
  charsetOf: CharsetOf,
): MysqlColumn | undefined {
  const log = map.types[position];
  const name = full.names[position];
  const collation = full.collations[position];
  if (log === undefined || name === undefined) return undefined;
  const charset = collation === undefined ? null : (charsetOf(collation) ?? null);
  const toUtf8 = charset === null || charset === 'binary' ? null : decoderOf(charset);
  if (toUtf8 === undefined) return undefined;
  const labels = full.labels[position]?.map((label) => (toUtf8 ? toUtf8(label) : label).toString('utf8'));
  const described = describe(log, map.unsigned[position] === true, charset, labels);
  if (described === undefined) return undefined;
  const [type, sourceType] = described;
  const column: Column = { name, type, nullable: true, sourceType, comment: '', generated: false };
  return { column, log, charset: type.kind === 'text' || type.kind === 'label' ? charset : null };
}

function describe(
  log: LogType,
  unsigned: boolean,
  charset: string | null,
  labels: string[] | undefined,
): [ValueType, string] | undefined {
  const sign = unsigned ? ' unsigned' : '';
  const integer = (bytes: number, name: string): [ValueType, string] => [
    { kind: 'integer', bytes, unsigned },
    name + sign,
  ];
  const fraction = log.meta === 0 ? '' : `(${log.meta})`;
  const isText = charset !== null && charset !== 'binary';
  switch (log.code) {
    case 1:
      return integer(1, 'tinyint');
    case 2:
      return integer(2, 'smallint');
    case 9:
      return integer(3, 'mediumint');
    case 3:
      return integer(4, 'int');
    case 8:
      return integer(8, 'bigint');
    case 13:
      return [{ kind: 'year' }, 'year'];
    case 4:
      return [{ kind: 'float' }, 'float'];
    case 5:
      return [{ kind: 'double' }, 'double'];
    case 246:
      return [
        { kind: 'decimal', precision: log.meta >> 8, scale: log.meta & 0xff },
        `decimal(${log.meta >> 8},${log.meta & 0xff})`,
      ];
    case 10:
      return [{ kind: 'date' }, 'date'];
    case 19:
      return [{ kind: 'time', fraction: log.meta }, `time${fraction}`];
    case 18:
      return [{ kind: 'datetime', fraction: log.meta }, `datetime${fraction}`];
    case 17:
      return [{ kind: 'instant', fraction: log.meta }, `timestamp${fraction}`];
    case 16:
      return [{ kind: 'bits', width: log.meta }, `bit(${log.meta})`];
    case 15:
    case 141:
      return isText ? [{ kind: 'text' }, 'varchar'] : [{ kind: 'bytes' }, `varbinary(${log.meta})`];
    case 254:
      return isText ? [{ kind: 'text' }, 'char'] : [{ kind: 'bytes', length: log.meta }, `binary(${log.meta})`];
    case 252:
    case 140:
      return isText ? [{ kind: 'text' }, 'text'] : [{ kind: 'bytes' }, 'blob'];
    case 245:
      return [{ kind: 'json' }, 'json'];
    case 255:
      return [{ kind: 'geometry' }, 'geometry'];
    case 242:
      return [{ kind: 'vector' }, 'vector'];
    case 7:
      return [{ kind: 'instant', fraction: 0 }, 'timestamp'];
    case 11:
      return [{ kind: 'time', fraction: 0 }, 'time'];
    case 12:
      return [{ kind: 'datetime', fraction: 0 }, 'datetime'];
    case 247:
    case 248:
      return labels === undefined
        ? undefined
        : [{ kind: 'label', labels, set: log.code === 248 }, log.code === 247 ? 'enum' : 'set'];
    default:
      return undefined;
  }
}
