import type { Column, ValueType } from '../../pipeline/table.ts';
import { assertNever } from '../../lib/errors.ts';
import { WIRE, type Wire } from './encode/wire.ts';

/** One base type of the target that we can encode. */
interface BaseType {
  readonly wire: Wire;
  readonly oid: number;
}

/** By catalogue name (pg_type.typname). The oids are fixed in PostgreSQL and in Hologres. */
export const BASE_TYPES: Readonly<Record<string, BaseType>> = {
  int2: { wire: WIRE.INT2, oid: 21 },
  int4: { wire: WIRE.INT4, oid: 23 },
  int8: { wire: WIRE.INT8, oid: 20 },
  float4: { wire: WIRE.FLOAT4, oid: 700 },
  float8: { wire: WIRE.FLOAT8, oid: 701 },
  numeric: { wire: WIRE.NUMERIC, oid: 1700 },
  bool: { wire: WIRE.BOOL, oid: 16 },
  text: { wire: WIRE.TEXT, oid: 25 },
  varchar: { wire: WIRE.TEXT, oid: 1043 },
  bpchar: { wire: WIRE.TEXT, oid: 1042 },
  bytea: { wire: WIRE.BYTEA, oid: 17 },
  date: { wire: WIRE.DATE, oid: 1082 },
  time: { wire: WIRE.TIME, oid: 1083 },
  timestamp: { wire: WIRE.TIMESTAMP, oid: 1114 },
  timestamptz: { wire: WIRE.TIMESTAMPTZ, oid: 1184 },
  bit: { wire: WIRE.VARBIT, oid: 1560 },
  varbit: { wire: WIRE.VARBIT, oid: 1562 },
  json: { wire: WIRE.JSON, oid: 114 },
  jsonb: { wire: WIRE.JSONB, oid: 3802 },
};

/** What a column becomes when we create its table. */
export interface PlannedType {
  readonly baseType: string;
  /** The type as CREATE TABLE says it. */
  readonly sql: string;
  readonly nullable: boolean;
}

const TEXTS = ['text', 'varchar', 'bpchar'];
const NUMERIC_PRECISION_MAX = 38;

/** The default type of a column (TYPES.md). `keyOfHologres`: its primary keys take no floats, numerics or JSON. */
export function plannedType(
  column: Column,
  { isKey, keyOfHologres }: { isKey: boolean; keyOfHologres: boolean },
): PlannedType {
  const [baseType, sql] = defaultType(column.type);
  // Zero dates become nulls, and sources allow them in NOT NULL columns.
  const temporal = column.type.kind === 'date' || column.type.kind === 'datetime' || column.type.kind === 'instant';
  const nullable = !isKey && (column.nullable || temporal);
  if (keyOfHologres && isKey && ['numeric', 'float4', 'float8', 'jsonb'].includes(baseType)) {
    return { baseType: 'text', sql: 'text', nullable };
  }
  return { baseType, sql, nullable };
}

function defaultType(type: ValueType): readonly [baseType: string, sql: string] {
  switch (type.kind) {
    case 'integer':
      return integerType(type.bytes, type.unsigned);
    case 'decimal':
      return type.precision > NUMERIC_PRECISION_MAX
        ? ['text', 'text']
        : ['numeric', `numeric(${type.precision},${type.scale})`];
    case 'float':
      return ['float4', 'real'];
    case 'double':
      return ['float8', 'double precision'];
    case 'text':
    case 'label':
    case 'vector':
      return ['text', 'text'];
    case 'bytes':
    case 'geometry':
      return ['bytea', 'bytea'];
    case 'date':
      return ['date', 'date'];
    case 'time':
      // A duration from -838 to 838 hours at the source: `time` could not hold it.
      return ['text', 'text'];
    case 'datetime':
      return ['timestamp', 'timestamp'];
    case 'instant':
      return ['timestamptz', 'timestamptz'];
    case 'year':
      return ['int4', 'integer'];
    case 'bits':
      return type.width === 1 ? ['bool', 'boolean'] : ['varbit', `bit varying(${type.width})`];
    case 'json':
      return ['jsonb', 'jsonb'];
    default:
      return assertNever(type);
  }
}

function integerType(bytes: number, unsigned: boolean): readonly [string, string] {
  if (bytes === 1 || (bytes === 2 && !unsigned)) return ['int2', 'smallint'];
  if (bytes < 4 || (bytes === 4 && !unsigned)) return ['int4', 'integer'];
  return bytes === 8 && unsigned ? ['numeric', 'numeric(20,0)'] : ['int8', 'bigint'];
}

/** The base types that a kind of value can be encoded as: what an existing target column may be. */
export function acceptedTypes(type: ValueType): readonly string[] {
  switch (type.kind) {
    case 'integer':
    case 'year':
      return ['int2', 'int4', 'int8', 'numeric', 'bool', ...TEXTS];
    case 'decimal':
      return ['numeric', ...TEXTS];
    case 'float':
      return ['float4', 'float8', ...TEXTS];
    case 'double':
      return ['float8', ...TEXTS];
    case 'text':
    case 'vector':
      return TEXTS;
    case 'label':
      return [...TEXTS, 'int2', 'int4', 'int8'];
    case 'bytes':
    case 'geometry':
      return ['bytea'];
    case 'date':
      return ['date', ...TEXTS];
    case 'time':
      return ['time', ...TEXTS];
    case 'datetime':
    case 'instant':
      return ['timestamp', 'timestamptz', ...TEXTS];
    case 'bits':
      return type.width === 1 ? ['bool', 'varbit', 'bit'] : ['varbit', 'bit'];
    case 'json':
      return ['jsonb', 'json', ...TEXTS];
    default:
      return assertNever(type);
  }
}

const INTEGER_RANKS = ['int2', 'int4', 'int8', 'numeric'];

/**
 * Whether a column of the target, such as `numeric(12,2)`, has room for every value of a type that it can take at all. Lengths of
 * texts are not known: those too long are refused row by row.
 */
export function holdsAll(
  type: ValueType,
  { baseType, sql }: { readonly baseType: string; readonly sql: string },
): boolean {
  if (type.kind === 'integer')
    return (
      !INTEGER_RANKS.includes(baseType) ||
      INTEGER_RANKS.indexOf(baseType) >= INTEGER_RANKS.indexOf(integerType(type.bytes, type.unsigned)[0])
    );
  if (type.kind === 'decimal') {
    const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(sql) ?? [];
    return (
      precision === undefined ||
      (Number(scale) >= type.scale && Number(precision) - Number(scale) >= type.precision - type.scale)
    );
  }
  if (type.kind !== 'bits') return true;
  const [, width] = /^bit(?: varying)?\((\d+)\)$/.exec(sql) ?? [];
  return width === undefined || Number(width) >= type.width;
}
