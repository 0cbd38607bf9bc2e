import type { ColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue, SecondsAndNanos } from '../../../../src/connectors/maxcompute/protocol/row-value.ts';
import { SqlFailure } from './sql-failure.ts';

/** Types whose values are compared as they stand. */
type Family = 'integer' | 'float' | 'text' | 'decimal' | 'boolean' | 'day' | 'instant' | 'seconds' | 'bytes';

const FAMILIES: Readonly<Partial<Record<ColumnType['kind'], Family>>> = {
  tinyint: 'integer',
  smallint: 'integer',
  int: 'integer',
  bigint: 'integer',
  float: 'float',
  double: 'float',
  string: 'text',
  char: 'text',
  varchar: 'text',
  decimal: 'decimal',
  boolean: 'boolean',
  date: 'day',
  datetime: 'instant',
  timestamp: 'seconds',
  timestamp_ntz: 'seconds',
  binary: 'bytes',
};

/**
 * The order of two values that are not null, for columns of these types. The service converts where families differ, mostly
 * to DOUBLE, which rounds: here that is refused. Errors: SqlFailure.
 */
export function comparing(a: ColumnType, b: ColumnType): (left: RowValue, right: RowValue) => number {
  const family = FAMILIES[a.kind];
  if (family === undefined || family !== FAMILIES[b.kind])
    throw SqlFailure.semantic(`${a.kind} is compared with ${b.kind}, which is not done here`);
  switch (family) {
    case 'integer':
    case 'day':
    case 'instant':
    case 'float':
    case 'boolean':
      return (left, right) => sign(left as number, right as number);
    case 'text':
      return (left, right) => Buffer.compare(Buffer.from(left as string), Buffer.from(right as string));
    case 'bytes':
      return (left, right) => Buffer.compare(left as Uint8Array, right as Uint8Array);
    case 'decimal':
      return (left, right) => sign(unscaled(left as string), unscaled(right as string));
    case 'seconds':
      return (left, right) => {
        const [one, other] = [left as SecondsAndNanos, right as SecondsAndNanos];
        return sign(one.seconds, other.seconds) || sign(one.nanos, other.nanos);
      };
  }
}

/** The type that takes values of both; types that are not null. Errors: SqlFailure if there is none. */
export function commonType(a: ColumnType | null, b: ColumnType | null): ColumnType | null {
  if (a === null || b === null) return a ?? b;
  if (FAMILIES[a.kind] === 'integer' && FAMILIES[b.kind] === 'integer')
    return INTEGERS.indexOf(a.kind) > INTEGERS.indexOf(b.kind) ? a : b;
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  throw SqlFailure.semantic(`${a.kind} and ${b.kind} in one place`);
}

const INTEGERS: readonly ColumnType['kind'][] = ['tinyint', 'smallint', 'int', 'bigint'];

function sign(left: number | bigint, right: number | bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** At the largest scale that there is. */
function unscaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const digits = BigInt(whole + fraction.padEnd(18, '0'));
  return text.startsWith('-') ? -digits : digits;
}
