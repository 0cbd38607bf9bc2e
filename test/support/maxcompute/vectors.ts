import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { daysFromCivil } from '../../../src/lib/civil.ts';
import { type ColumnType, parseColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';

/** A file of test/vectors, whose shape the caller knows. */
export function readVectors<T>(file: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'vectors', file), 'utf8')) as T;
}

export interface StreamCase {
  readonly name: string;
  readonly schema: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly payload_hex: string;
}

/** A value in the notation of the vectors, as the codec takes it. */
export function vectorValue(type: ColumnType, value: unknown): RowValue {
  if (value === null) return null;
  switch (type.kind) {
    case 'boolean':
      return value === true;
    case 'float':
    case 'double':
      return Number(value);
    case 'binary':
      return Uint8Array.from(Buffer.from(value as string, 'hex'));
    case 'date': {
      const [year = 0, month = 0, day = 0] = (value as string).split('-').map(Number);
      return BigInt(daysFromCivil(year, month, day));
    }
    case 'datetime':
      return BigInt(Date.parse(value as string));
    case 'timestamp':
    case 'timestamp_ntz': {
      const [, second = '', nanos = ''] = /^(.{19})\.(\d{9})Z?$/.exec(value as string) ?? [];
      return { seconds: BigInt(Date.parse(`${second}Z`)) / 1000n, nanos: Number(nanos) };
    }
    case 'interval_day_time': {
      const { seconds, nanos } = value as { seconds: string; nanos: number };
      return { seconds: BigInt(seconds), nanos };
    }
    case 'array':
      return (value as unknown[]).map((element) => vectorValue(type.element, element));
    case 'map':
      return (value as unknown[][]).map(([key, mapped]) => [
        vectorValue(type.key, key),
        vectorValue(type.value, mapped),
      ]);
    case 'struct':
      return (value as unknown[]).map((part, index) => {
        const field = type.fields[index];
        return field === undefined ? null : vectorValue(field.type, part);
      });
    case 'decimal':
      return plainDigits(value as string);
    case 'string':
    case 'char':
    case 'varchar':
    case 'json':
      return value as string;
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'interval_year_month':
      return BigInt(value as string);
  }
}

export function typesOf({ schema }: Pick<StreamCase, 'schema'>): ColumnType[] {
  return schema.map(({ type }) => parseColumnType(type));
}

/** `1E+5` is 100000: the wire has plain digits only. */
function plainDigits(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?E([+-]?\d+)$/i.exec(text) ?? [];
  if (exponent === undefined) return text;
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const padded = digits.padEnd(point, '0');
  return sign + padded.slice(0, point) + (padded.length > point ? `.${padded.slice(point)}` : '');
}
