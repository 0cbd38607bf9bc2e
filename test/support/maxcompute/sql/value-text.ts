import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue, SecondsAndNanos } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';

/** A value as SQL shows it, instants in UTC; null is null. */
export function valueText(type: ColumnType, value: RowValue): string | null {
  if (value === null) return null;
  switch (type.kind) {
    case 'date':
      return isoText(value as bigint, 86_400_000n).slice(0, 10);
    case 'datetime':
      return isoText(value as bigint, 1n).replace(/\.000$/, '');
    case 'timestamp':
    case 'timestamp_ntz': {
      const { seconds, nanos } = value as SecondsAndNanos;
      const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
      return isoText(seconds, 1000n).slice(0, 19) + fraction;
    }
    case 'interval_day_time': {
      const { seconds, nanos } = value as SecondsAndNanos;
      return `${seconds}.${String(nanos).padStart(9, '0')}`;
    }
    case 'binary':
      return quotedPrintable(value as Uint8Array);
    case 'array':
    case 'map':
    case 'struct':
      return nestedText(type, value as readonly RowValue[]);
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'interval_year_month':
    case 'float':
    case 'double':
    case 'boolean':
    case 'decimal':
    case 'string':
    case 'char':
    case 'varchar':
    case 'json':
      return String(value as string | number | bigint | boolean);
  }
}

function isoText(count: bigint, unitMs: bigint): string {
  const text = new Date(Number(count * unitMs)).toISOString();
  return text.replace('T', ' ').replace('Z', '');
}

function quotedPrintable(bytes: Uint8Array): string {
  const sign = (byte: number) =>
    byte > 0x20 && byte < 0x7f && byte !== 0x3d
      ? String.fromCharCode(byte)
      : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return Array.from(bytes, sign).join('');
}

function nestedText(
  type: Extract<ColumnType, { kind: 'array' | 'map' | 'struct' }>,
  value: readonly RowValue[],
): string {
  const text = (of: ColumnType, one: RowValue) => valueText(of, one) ?? 'NULL';
  if (type.kind === 'array') return `[${value.map((one) => text(type.element, one)).join(', ')}]`;
  if (type.kind === 'struct')
    return `{${type.fields.map((field, index) => `${field.name}:${text(field.type, value[index] ?? null)}`).join(', ')}}`;
  const entries = value as readonly (readonly RowValue[])[];
  return `{${entries.map(([key = null, mapped = null]) => `${text(type.key, key)}:${text(type.value, mapped)}`).join(', ')}}`;
}
