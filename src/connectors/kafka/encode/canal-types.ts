import type { Column } from '../../../pipeline/table.ts';

/** Numbers of java.sql.Types. */
const TYPES = {
  BIT: -7,
  TINYINT: -6,
  BIGINT: -5,
  VARBINARY: -3,
  BINARY: -2,
  CHAR: 1,
  DECIMAL: 3,
  INTEGER: 4,
  SMALLINT: 5,
  REAL: 7,
  DOUBLE: 8,
  VARCHAR: 12,
  DATE: 91,
  TIME: 92,
  TIMESTAMP: 93,
  BLOB: 2004,
  CLOB: 2005,
} as const;

/** What `sqlType` says of a column; unsigned integers are one size up. ENUM and SET are their labels, hence texts. */
export function canalSqlType({ type, sourceType }: Column): number {
  switch (type.kind) {
    case 'integer':
      return integerType(type.bytes, type.unsigned);
    case 'decimal':
      return TYPES.DECIMAL;
    case 'float':
      return TYPES.REAL;
    case 'double':
      return TYPES.DOUBLE;
    case 'text':
      if (/^char\b/i.test(sourceType)) return TYPES.CHAR;
      return /text\b/i.test(sourceType) ? TYPES.CLOB : TYPES.VARCHAR;
    case 'bytes':
      if (/^binary\b/i.test(sourceType)) return TYPES.BINARY;
      return /^varbinary\b/i.test(sourceType) ? TYPES.VARBINARY : TYPES.BLOB;
    case 'date':
      return TYPES.DATE;
    case 'time':
      return TYPES.TIME;
    case 'datetime':
    case 'instant':
      return TYPES.TIMESTAMP;
    case 'bits':
      return TYPES.BIT;
    case 'geometry':
    case 'vector':
      return TYPES.BLOB;
    case 'year':
    case 'label':
    case 'json':
      return TYPES.VARCHAR;
  }
}

function integerType(bytes: number, unsigned: boolean): number {
  switch (bytes) {
    case 1:
      return unsigned ? TYPES.SMALLINT : TYPES.TINYINT;
    case 2:
      return unsigned ? TYPES.INTEGER : TYPES.SMALLINT;
    case 3:
      return TYPES.INTEGER;
    case 4:
      return unsigned ? TYPES.BIGINT : TYPES.INTEGER;
    default:
      return unsigned ? TYPES.DECIMAL : TYPES.BIGINT;
  }
}
