import { assertNever } from '../../lib/errors.ts';
import type { ValueType } from '../../pipeline/table.ts';
import type { ColumnType } from './protocol/column-type.ts';

/** What `decimal` holds at most: digits in all, and behind the point. */
const DECIMAL_MAX = { precision: 38, scale: 18 } as const;
const STRINGS = ['string', 'varchar', 'char'] as const;
const INTEGERS = ['tinyint', 'smallint', 'int', 'bigint'] as const;

/**
 * The type that a column gets in a table that we create (TYPES.md). All are of type system 2.0. A binary key becomes text,
 * because the vendor's clients disagree about the bucket of binary keys.
 */
export function plannedType(type: ValueType, isKey: boolean): ColumnType {
  switch (type.kind) {
    case 'integer':
      return integerType(type.bytes, type.unsigned);
    case 'decimal':
      return type.precision > DECIMAL_MAX.precision || type.scale > DECIMAL_MAX.scale
        ? { kind: 'string' }
        : { kind: 'decimal', precision: type.precision, scale: type.scale };
    case 'float':
      return { kind: 'float' };
    case 'double':
      return { kind: 'double' };
    case 'text':
    case 'label':
    case 'json':
    case 'vector':
      return { kind: 'string' };
    case 'bytes':
      return { kind: isKey ? 'string' : 'binary' };
    case 'geometry':
      return { kind: 'binary' };
    case 'date':
      return { kind: 'date' };
    case 'time':
      // From -838 to 838 hours at the source, which no type of MaxCompute is for.
      return { kind: 'string' };
    case 'datetime':
      return { kind: type.fraction > 3 ? 'timestamp_ntz' : 'datetime' };
    case 'instant':
      return { kind: 'timestamp' };
    case 'year':
      return { kind: 'int' };
    case 'bits':
      if (type.width === 1) return { kind: 'boolean' };
      return type.width < 64 ? { kind: 'bigint' } : { kind: 'decimal', precision: 20, scale: 0 };
    default:
      return assertNever(type);
  }
}

function integerType(bytes: number, unsigned: boolean): ColumnType {
  if (bytes === 8) return unsigned ? { kind: 'decimal', precision: 20, scale: 0 } : { kind: 'bigint' };
  if (bytes === 4) return { kind: unsigned ? 'bigint' : 'int' };
  if (bytes === 3) return { kind: 'int' };
  if (bytes === 2) return { kind: unsigned ? 'int' : 'smallint' };
  return { kind: unsigned ? 'smallint' : 'tinyint' };
}

/** The kinds that a column of an existing table may be of: its values are written as that, or the row is dirty. */
export function acceptedKinds(type: ValueType): readonly ColumnType['kind'][] {
  switch (type.kind) {
    case 'integer':
      return [...INTEGERS, 'decimal', 'boolean', ...STRINGS];
    case 'year':
      return [...INTEGERS, 'decimal', ...STRINGS];
    case 'decimal':
      return ['decimal', ...STRINGS];
    case 'float':
      return ['float', 'double', ...STRINGS];
    case 'double':
      return ['double', ...STRINGS];
    case 'text':
    case 'label':
    case 'time':
    case 'vector':
      return STRINGS;
    case 'bytes':
      return ['binary', ...STRINGS];
    case 'geometry':
      return ['binary'];
    case 'date':
      return ['date', ...STRINGS];
    case 'datetime':
    case 'instant':
      return ['datetime', 'timestamp', 'timestamp_ntz', ...STRINGS];
    case 'bits':
      return type.width === 1 ? ['boolean', 'bigint', 'binary'] : ['bigint', 'decimal', 'binary'];
    case 'json':
      return ['json', ...STRINGS];
    default:
      return assertNever(type);
  }
}

/**
 * Whether a column of a kind that is accepted has room for every value of a type. Lengths of texts are not known to the
 * source's type; what is too long is dirty, row by row.
 */
export function holdsAll(type: ValueType, target: ColumnType): boolean {
  if (type.kind === 'integer' || type.kind === 'year') return digitsOf(target) >= digitsOf(plannedType(type, false));
  if (type.kind === 'bits') return type.width < 64 || target.kind !== 'bigint';
  if (type.kind === 'datetime' || type.kind === 'instant') return type.fraction <= 3 || target.kind !== 'datetime';
  if (type.kind !== 'decimal' || target.kind !== 'decimal') return true;
  return target.scale >= type.scale && target.precision - target.scale >= type.precision - type.scale;
}

const DIGITS: Readonly<Partial<Record<ColumnType['kind'], number>>> = {
  boolean: 0,
  tinyint: 3,
  smallint: 5,
  int: 10,
  bigint: 19,
};

/** How wide a whole number may be, in digits. */
function digitsOf(target: ColumnType): number {
  return target.kind === 'decimal' ? target.precision - target.scale : (DIGITS[target.kind] ?? Infinity);
}
