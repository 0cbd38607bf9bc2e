import { assertNever } from '../../../lib/errors.ts';
import type { ColumnType } from './column-type.ts';
import { type RowStream, WIRE_TYPE, type WireType } from './row-stream.ts';

/**
 * A value of any type, where one at a time is enough:
 * bigint for whole numbers, days, milliseconds and months; number for floats and doubles; boolean; string for texts,
 * decimals (plain digits) and JSON; bytes for binary; SecondsAndNanos for timestamps and day intervals; lists of elements
 * for arrays, of [key, value] for maps, and of values in the order of the fields for structs.
 */
export type RowValue = bigint | number | boolean | string | Uint8Array | SecondsAndNanos | readonly RowValue[] | null;

/** Seconds are rounded down, so that nanos are from 0 to 999,999,999 also before 1970. */
export interface SecondsAndNanos {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** Writes one row of values, in the order of the table's columns. Errors: TypeError for a value of another type. */
export function writeRow(stream: RowStream, types: readonly ColumnType[], row: readonly RowValue[]): void {
  types.forEach((type, index) => {
    const value = row[index] ?? null;
    if (value === null) return;
    stream.field(index + 1, wireTypeOf(type));
    writeValue(stream, type, value);
  });
  stream.endRow();
}

const WIRE_TYPES: Readonly<Record<ColumnType['kind'], WireType>> = {
  tinyint: WIRE_TYPE.VARINT,
  smallint: WIRE_TYPE.VARINT,
  int: WIRE_TYPE.VARINT,
  bigint: WIRE_TYPE.VARINT,
  boolean: WIRE_TYPE.VARINT,
  date: WIRE_TYPE.VARINT,
  datetime: WIRE_TYPE.VARINT,
  interval_year_month: WIRE_TYPE.VARINT,
  float: WIRE_TYPE.FIXED32,
  double: WIRE_TYPE.FIXED64,
  string: WIRE_TYPE.BYTES,
  char: WIRE_TYPE.BYTES,
  varchar: WIRE_TYPE.BYTES,
  binary: WIRE_TYPE.BYTES,
  decimal: WIRE_TYPE.BYTES,
  json: WIRE_TYPE.BYTES,
  timestamp: WIRE_TYPE.BYTES,
  timestamp_ntz: WIRE_TYPE.BYTES,
  interval_day_time: WIRE_TYPE.BYTES,
  array: WIRE_TYPE.BYTES,
  map: WIRE_TYPE.BYTES,
  struct: WIRE_TYPE.BYTES,
};

export function wireTypeOf({ kind }: ColumnType): WireType {
  return WIRE_TYPES[kind];
}

function writeValue(stream: RowStream, type: ColumnType, value: RowValue): void {
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'date':
    case 'datetime':
    case 'interval_year_month':
      if (typeof value !== 'bigint') break;
      return stream.bigInteger(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    case 'boolean':
      if (typeof value !== 'boolean') break;
      return stream.boolean(value ? 1 : 0);
    case 'float':
      if (typeof value !== 'number') break;
      return stream.float(value);
    case 'double':
      if (typeof value !== 'number') break;
      return stream.double(value);
    case 'string':
    case 'char':
    case 'varchar':
    case 'decimal':
    case 'json': {
      if (typeof value !== 'string') break;
      const text = Buffer.from(value);
      return stream.blob(text, 0, text.length);
    }
    case 'binary':
      if (!(value instanceof Uint8Array)) break;
      return stream.blob(value, 0, value.length);
    case 'timestamp':
    case 'timestamp_ntz':
    case 'interval_day_time':
      if (!isSecondsAndNanos(value)) break;
      return stream.secondsAndNanos(Number(value.seconds), value.nanos);
    case 'array':
      if (!Array.isArray(value)) break;
      return writeElements(stream, type.element, value as readonly RowValue[]);
    case 'map': {
      if (!Array.isArray(value)) break;
      const entries = value as readonly (readonly RowValue[])[];
      const [keys, values] = [0, 1].map((side) => entries.map((entry) => entry[side] ?? null));
      writeElements(stream, type.key, keys ?? []);
      return writeElements(stream, type.value, values ?? []);
    }
    case 'struct': {
      if (!Array.isArray(value)) break;
      const fields = value as readonly RowValue[];
      type.fields.forEach((field, index) => writeElement(stream, field.type, fields[index] ?? null));
      return;
    }
    default:
      return assertNever(type);
  }
  throw new TypeError(`a value is not what ${type.kind} takes`);
}

function writeElements(stream: RowStream, type: ColumnType, elements: readonly RowValue[]): void {
  stream.uncounted(elements.length);
  for (const element of elements) writeElement(stream, type, element);
}

function writeElement(stream: RowStream, type: ColumnType, value: RowValue): void {
  stream.uncounted(value === null ? 1 : 0);
  if (value !== null) writeValue(stream, type, value);
}

function isSecondsAndNanos(value: RowValue): value is SecondsAndNanos {
  return typeof value === 'object' && value !== null && 'nanos' in value;
}
