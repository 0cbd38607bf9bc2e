import type { ColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';

const FIELD_BYTES_MAX = 8 * 2 ** 20;
const DAYS = { first: -719_528n, last: 2_932_896n } as const;
const DAY_MS = 86_400_000n;
const INTEGERS: Readonly<Partial<Record<ColumnType['kind'], bigint>>> = { tinyint: 7n, smallint: 15n, int: 31n };

/** Why a column does not take a value that is of its type on the wire; null if it does. */
export function whyNot(type: ColumnType, value: RowValue): string | null {
  if (value === null) return null;
  switch (type.kind) {
    case 'tinyint':
    case 'smallint':
    case 'int': {
      const bits = INTEGERS[type.kind] ?? 63n;
      return (value as bigint) >> bits === 0n || (value as bigint) >> bits === -1n
        ? null
        : `too large for ${type.kind}`;
    }
    case 'bigint':
      return value === -(2n ** 63n) ? 'the least int64 is no BIGINT' : null;
    case 'string':
    case 'json':
      return Buffer.byteLength(value as string) > FIELD_BYTES_MAX ? 'longer than 8 MiB' : null;
    case 'binary':
      return (value as Uint8Array).length > FIELD_BYTES_MAX ? 'longer than 8 MiB' : null;
    case 'char':
    case 'varchar':
      return Array.from(value as string).length > type.length ? `longer than ${type.length}` : null;
    case 'decimal': {
      const found = /^-?0*(\d*)(?:\.(\d*?)0*)?$/.exec(value as string);
      if (found === null) return 'no plain digits';
      const [, whole = '', fraction = ''] = found;
      return whole.length > type.precision - type.scale || fraction.length > type.scale ? 'too many digits' : null;
    }
    case 'date':
      return isWithin(value as bigint, DAYS.first, DAYS.last) ? null : 'a date beyond years 0 to 9999';
    case 'datetime':
      return isWithin(value as bigint, DAYS.first * DAY_MS, (DAYS.last + 1n) * DAY_MS - 1n)
        ? null
        : 'a datetime beyond years 0 to 9999';
    case 'array':
      return firstOf((value as readonly RowValue[]).map((element) => whyNot(type.element, element)));
    case 'map':
      return firstOf(
        (value as readonly (readonly RowValue[])[]).flatMap(([key = null, mapped = null]) => [
          whyNot(type.key, key),
          whyNot(type.value, mapped),
        ]),
      );
    case 'struct':
      return firstOf(
        type.fields.map((field, index) => whyNot(field.type, (value as readonly RowValue[])[index] ?? null)),
      );
    case 'float':
    case 'double':
    case 'boolean':
    case 'timestamp':
    case 'timestamp_ntz':
    case 'interval_day_time':
    case 'interval_year_month':
      return null;
  }
}

function isWithin(value: bigint, first: bigint, last: bigint): boolean {
  return value >= first && value <= last;
}

function firstOf(reasons: readonly (string | null)[]): string | null {
  return reasons.find((reason) => reason !== null) ?? null;
}
