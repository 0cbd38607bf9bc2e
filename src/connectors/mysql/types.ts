import type { Column, TableVersion, ValueType } from '../../pipeline/table.ts';
import { decoderOf } from './charset/charset.ts';
import { ADDRESS_TEXTS } from './protocol/address-text.ts';
import type { LogType } from './protocol/table-map.ts';

/** A column as the source needs it: what a sink sees of it, how it lies in the log, and its character set. */
export interface MysqlColumn {
  readonly column: Column;
  readonly log: LogType;
  /** Of the text, or of the labels; null for types without one. */
  readonly charset: string | null;
}

/**
 * A table's shape: what sinks see, and how to read it. Parallel: `columns[i]` is of `version.columns[i]`, which has another
 * name where a rename is not forwarded.
 */
export interface MysqlTable {
  readonly version: TableVersion;
  readonly columns: readonly MysqlColumn[];
  /** All columns as they lie in the log, where they are others than `columns`. */
  readonly log?: readonly MysqlColumn[];
  /** Of text columns that name none; null when it is not known. */
  readonly charset?: string | null;
}

export function logColumns({ columns, log }: MysqlTable): readonly MysqlColumn[] {
  return log ?? columns;
}

/** The same bytes stand for the same values: type with its labels, sign and width, and character set. */
export function isSameColumn(a: MysqlColumn, b: MysqlColumn): boolean {
  return (
    canonicalCharset(a.charset) === canonicalCharset(b.charset) &&
    a.log.code === b.log.code &&
    a.log.meta === b.log.meta &&
    // Texts, as what was read from JSON has other prototypes.
    JSON.stringify(a.column.type) === JSON.stringify(b.column.type)
  );
}

/** Servers compare names of columns without regard to case. */
export function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** One name for what servers call by two. */
export function canonicalCharset(charset: string | null): string | null {
  return charset === 'utf8' ? 'utf8mb3' : charset;
}

/** One row of information_schema.columns. */
export interface ColumnRow {
  readonly name: string;
  readonly dataType: string;
  readonly columnType: string;
  readonly nullable: boolean;
  readonly octetLength: number;
  readonly precision: number;
  readonly scale: number;
  readonly fraction: number;
  readonly charset: string | null;
  readonly comment: string;
  readonly extra: string;
}

const INTEGERS: Readonly<Record<string, readonly [bytes: number, code: number]>> = {
  tinyint: [1, 1],
  smallint: [2, 2],
  mediumint: [3, 9],
  int: [4, 3],
  bigint: [8, 8],
};
const BLOBS: Readonly<Record<string, number>> = { tiny: 1, '': 2, medium: 3, long: 4 };
const TEMPORAL: Readonly<Record<string, readonly [kind: 'time' | 'datetime' | 'instant', code: number]>> = {
  time: ['time', 19],
  datetime: ['datetime', 18],
  timestamp: ['instant', 17],
};

/** What a column is to sinks and in the log; undefined for a type or character set that is not served yet. */
export function mysqlColumn(row: ColumnRow): MysqlColumn | undefined {
  const described = describeType(row);
  if (described === undefined) return undefined;
  if (described.charset !== null && decoderOf(described.charset) === undefined) return undefined;
  return {
    column: {
      name: row.name,
      type: described.type,
      nullable: row.nullable,
      sourceType: row.columnType,
      comment: row.comment,
      generated: /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b/i.test(row.extra),
    },
    log: described.log,
    charset: described.charset,
  };
}

interface DescribedType {
  type: ValueType;
  log: LogType;
  charset: string | null;
}

function describeType(row: ColumnRow): DescribedType | undefined {
  const { dataType } = row;
  const plain = (type: ValueType, code: number, meta = 0): DescribedType => ({
    type,
    log: { code, meta },
    charset: null,
  });
  const integer = INTEGERS[dataType];
  if (integer !== undefined)
    return plain({ kind: 'integer', bytes: integer[0], unsigned: isUnsigned(row) }, integer[1]);
  const temporal = TEMPORAL[dataType];
  if (temporal !== undefined) return plain({ kind: temporal[0], fraction: row.fraction }, temporal[1], row.fraction);
  const address = ADDRESS_TEXTS[dataType];
  if (address !== undefined) return plain({ kind: 'text' }, 254, address.bytes);
  const isCompressed = /\bCOMPRESSED\b/i.test(row.columnType);
  const blob = /^(tiny|medium|long|)(text|blob)$/.exec(dataType);
  if (blob !== null) {
    const log = { code: isCompressed ? 140 : 252, meta: BLOBS[blob[1] ?? ''] ?? 2 };
    return blob[2] === 'text'
      ? { type: { kind: 'text' }, log, charset: row.charset }
      : { type: { kind: 'bytes' }, log, charset: null };
  }
  switch (dataType) {
    case 'year':
      return plain({ kind: 'year' }, 13);
    case 'decimal':
      return plain(
        { kind: 'decimal', precision: row.precision, scale: row.scale },
        246,
        (row.precision << 8) | row.scale,
      );
    case 'float':
      return plain({ kind: 'float' }, 4, 4);
    case 'double':
      return plain({ kind: 'double' }, 5, 8);
    case 'date':
      return plain({ kind: 'date' }, 10);
    case 'bit':
      return plain({ kind: 'bits', width: row.precision }, 16, row.precision);
    case 'char':
      return { type: { kind: 'text' }, log: { code: 254, meta: row.octetLength }, charset: row.charset };
    case 'varchar':
      return {
        type: { kind: 'text' },
        log: isCompressed ? { code: 141, meta: row.octetLength + 1 } : { code: 15, meta: row.octetLength },
        charset: row.charset,
      };
    case 'binary':
      return plain({ kind: 'bytes', length: row.octetLength }, 254, row.octetLength);
    case 'varbinary':
      return isCompressed
        ? plain({ kind: 'bytes' }, 141, row.octetLength + 1)
        : plain({ kind: 'bytes' }, 15, row.octetLength);
    case 'json':
      return plain({ kind: 'json' }, 245, 4);
    case 'vector':
      return plain({ kind: 'vector' }, 242, 4);
    case 'geometry':
    case 'point':
    case 'linestring':
    case 'polygon':
    case 'multipoint':
    case 'multilinestring':
    case 'multipolygon':
    case 'geometrycollection':
    case 'geomcollection':
      return plain({ kind: 'geometry' }, 255, 4);
    case 'enum':
    case 'set': {
      const labels = parseLabels(row.columnType);
      const set = dataType === 'set';
      const bytes = set ? setBytes(labels.length) : labels.length < 256 ? 1 : 2;
      return {
        type: { kind: 'label', labels, set },
        log: { code: set ? 248 : 247, meta: bytes },
        charset: row.charset,
      };
    }
    default:
      return undefined;
  }
}

function setBytes(members: number): number {
  const bytes = (members + 7) >> 3;
  return bytes > 4 ? 8 : bytes;
}

/** ZEROFILL implies unsigned. */
function isUnsigned(row: ColumnRow): boolean {
  return /\b(unsigned|zerofill)\b/i.test(row.columnType);
}

const ESCAPED: Readonly<Record<string, string>> = { '0': '\0', n: '\n', r: '\r' };

/** The labels of `enum('a','b''c','d\\e')`, as information_schema prints them: quotes are doubled, \ \0 \n \r escaped, whatever the mode. */
export function parseLabels(columnType: string): string[] {
  return [...columnType.matchAll(/'((?:[^'\\]|''|\\[^])*)'/g)].map(([, label = '']) =>
    label.replaceAll("''", "'").replaceAll(/\\([^])/g, (_, character: string) => ESCAPED[character] ?? character),
  );
}

/** The other way round. */
export function printLabel(label: string): string {
  return `'${label.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
