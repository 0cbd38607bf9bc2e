import type { ColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { assertNever } from '../../../src/lib/errors.ts';
import type { ValueType } from '../../../src/pipeline/table.ts';
import type { ScriptedValue } from '../scripted-rows.ts';

/** What the target cannot hold. */
export const DIRTY: unique symbol = Symbol('dirty');
export type Expected = RowValue | typeof DIRTY;

/** The clock of the tests is eight hours ahead, all the year and in all years. */
export const ZONE_NAME = '+08:00';
const AHEAD_SECONDS = 8n * 3600n;
const DAY_MS = 86_400_000;
const BITS: Readonly<Partial<Record<ColumnType['kind'], bigint>>> = {
  tinyint: 7n,
  smallint: 15n,
  int: 31n,
  bigint: 63n,
};

/** What a value of a source's column is in a target's, said a second time and plainly: to judge the encoder by. */
export function plainValue(type: ValueType, target: ColumnType, value: ScriptedValue): Expected {
  if (value === null) return null;
  switch (type.kind) {
    case 'integer':
    case 'year':
      return asNumber(BigInt(value as bigint), target);
    case 'decimal':
      return asDecimal(String(value), target);
    case 'float':
      return target.kind === 'float' || target.kind === 'double' ? Math.fround(Number(value)) : String(value);
    case 'double':
      return target.kind === 'double' ? Number(value) : String(Number(value));
    case 'text':
    case 'label':
    case 'json':
      return asText(String(value), target);
    case 'vector':
      return `[${(value as readonly number[]).map(shortest).join()}]`;
    case 'bytes':
      return asBytes(filledUp(value as Uint8Array, type.length ?? 0), target);
    case 'geometry':
      return Uint8Array.from(value as Uint8Array);
    case 'date':
      return asDate(String(value), target);
    case 'time':
      return asText(timeText(Number(value), type.fraction), target);
    case 'datetime':
      return asDatetime(String(value), target);
    case 'instant':
      return asInstant(String(value), target);
    case 'bits':
      return asBits(value as Uint8Array, target);
    default:
      return assertNever(type);
  }
}

/** A whole number in a target for numbers or texts. */
function asNumber(value: bigint, target: ColumnType): Expected {
  const bits = BITS[target.kind];
  if (bits !== undefined) {
    // -2^63 is what MaxCompute has for no value at all.
    const least = bits === 63n ? -(2n ** 63n) + 1n : -(2n ** bits);
    return value >= least && value < 2n ** bits ? value : DIRTY;
  }
  if (target.kind === 'boolean') return value === 0n || value === 1n ? value === 1n : DIRTY;
  if (target.kind === 'decimal') {
    const size = value < 0n ? -value : value;
    return size < 10n ** BigInt(target.precision - target.scale) ? String(value) : DIRTY;
  }
  return asText(String(value), target);
}

function asText(text: string, target: ColumnType): Expected {
  return 'length' in target && Array.from(text).length > target.length ? DIRTY : text;
}

function asDecimal(text: string, target: ColumnType): Expected {
  if (target.kind !== 'decimal') return asText(text, target);
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const wholes = whole.replace(/^0+/, '').length;
  const fits = wholes <= target.precision - target.scale && fraction.replace(/0+$/, '').length <= target.scale;
  return fits ? text : DIRTY;
}

function filledUp(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(Math.max(length, bytes.length));
  whole.set(bytes);
  return whole;
}

function asBytes(bytes: Uint8Array, target: ColumnType): Expected {
  return target.kind === 'binary' ? bytes : asText(Buffer.from(bytes).toString('hex').toUpperCase(), target);
}

/** Milliseconds of a day that is one; null of others. */
function midnight(day: string): number | null {
  const ms = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day || day < '0001' ? null : ms;
}

function asDate(text: string, target: ColumnType): Expected {
  if (target.kind !== 'date') return asText(text, target);
  const ms = midnight(text);
  return ms === null ? null : BigInt(ms / DAY_MS);
}

function asTime(seconds: bigint, micros: number, { kind }: ColumnType): RowValue {
  if (kind === 'datetime') return seconds * 1000n + BigInt(Math.floor(micros / 1000));
  return { seconds, nanos: micros * 1000 };
}

function asDatetime(text: string, target: ColumnType): Expected {
  if (target.kind === 'string') return text;
  const ms = midnight(text.slice(0, 10));
  if (ms === null) return null;
  const [hour = 0, minute = 0, second = 0] = text.slice(11, 19).split(':').map(Number);
  const civil = BigInt(ms / 1000 + hour * 3600 + minute * 60 + second);
  return asTime(target.kind === 'timestamp_ntz' ? civil : civil - AHEAD_SECONDS, microsOf(text), target);
}

function asInstant(text: string, target: ColumnType): Expected {
  if (text === '0') return target.kind === 'string' ? '1970-01-01T00:00:00.000000Z' : null;
  if (target.kind === 'string') return `${text.replace(' ', 'T')}Z`;
  const seconds = BigInt(Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`) / 1000);
  return asTime(target.kind === 'timestamp_ntz' ? seconds + AHEAD_SECONDS : seconds, microsOf(text), target);
}

function microsOf(text: string): number {
  return Number(text.slice(20).padEnd(6, '0'));
}

function timeText(micros: number, fraction: number): string {
  const size = Math.abs(micros);
  const seconds = Math.floor(size / 1e6);
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0');
  const digits =
    fraction === 0
      ? ''
      : `.${String(size % 1e6)
          .padStart(6, '0')
          .slice(0, fraction)}`;
  return `${micros < 0 ? '-' : ''}${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}${digits}`;
}

function asBits(bytes: Uint8Array, target: ColumnType): Expected {
  if (target.kind === 'binary') return Uint8Array.from(bytes);
  return asNumber(BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`), target);
}

/** The fewest digits that give the same float32. */
function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === Math.fround(value)) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}
