import type { Column, ValueType } from '../../../pipeline/table.ts';
import { decoderOf } from '../charset/charset.ts';
import type { FullMetadata, LogType, TableMap } from '../protocol/table-map.ts';
import { canonicalCharset, logColumns, type MysqlColumn, type MysqlTable } from '../types.ts';

/** Names the character set of a collation's number; undefined for a number that the server does not know. */
export type CharsetOf = (collation: number) => string | undefined;

/**
 * Whether a table map has exactly the columns of the shape, in their order; `first` compares from a place of the map on, as many
 * as the shape has. Names, character sets and labels count where the log tells them (binlog_row_metadata FULL).
 */
export function fits(map: TableMap, table: MysqlTable, charsetOf: CharsetOf, first?: number): boolean {
  const columns = logColumns(table);
  if (first === undefined && map.types.length !== columns.length) return false;
  return columns.every((column, index) => {
    const position = (first ?? 0) + index;
    const type = map.types[position];
    if (type === undefined || !isSameType(type, column.log) || !isSameSign(map, position, column)) return false;
    if (map.full === null) return true;
    return (
      map.full.names[position] === column.column.name &&
      isSameCharset(map.full, position, column, charsetOf) &&
      areSameLabels(map.full, position, column)
    );
  });
}

/** Where the columns that are handed on lie in the log. */
export function positionsOf(table: MysqlTable): number[] {
  const names = logColumns(table).map(({ column }) => column.name);
  return table.columns.map(({ column }) => names.indexOf(column.name));
}

/** Old temporal types, which no catalogue tells from the new ones, by the code of the new one. */
const NEW_CODE: Readonly<Record<number, number>> = { 7: 17, 11: 19, 12: 18 };

function isSameType(type: LogType, known: LogType): boolean {
  return NEW_CODE[type.code] === known.code || (type.code === known.code && type.meta === known.meta);
}

function isSameSign(map: TableMap, position: number, { column: { type } }: MysqlColumn): boolean {
  const unsigned = map.unsigned[position];
  return type.kind !== 'integer' || unsigned === undefined || unsigned === type.unsigned;
}

function isSameCharset(full: FullMetadata, position: number, { charset }: MysqlColumn, charsetOf: CharsetOf): boolean {
  const collation = full.collations[position];
  const now = collation === undefined || charset === null ? undefined : charsetOf(collation);
  return now === undefined || canonicalCharset(now) === canonicalCharset(charset ?? now);
}

function areSameLabels(full: FullMetadata, position: number, { column, charset }: MysqlColumn): boolean {
  const labels = full.labels[position];
  const { type } = column;
  if (type.kind !== 'label' || labels === undefined) return true;
  const toUtf8 = charset === null ? null : decoderOf(charset);
  const texts = labels.map((label) => (toUtf8 ? toUtf8(label) : label).toString('utf8'));
  return texts.length === type.labels.length && texts.every((text, index) => text === type.labels[index]);
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
