import type { ColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { Hasher } from '../../../src/connectors/maxcompute/protocol/key-hash.ts';
import type { RowValue, SecondsAndNanos } from '../../../src/connectors/maxcompute/protocol/row-value.ts';

/** The hash of a key column in plain arithmetic: to judge the quick one by. */
export function plainHash(hasher: Hasher, type: ColumnType, value: RowValue): number {
  switch (type.kind) {
    case 'boolean':
      return value === true ? 0x172ba9c7 : -0x3a59cb12;
    case 'float': {
      const bits = new DataView(new ArrayBuffer(4));
      bits.setFloat32(0, Number(value));
      return ofLong(hasher, Number.isNaN(value) ? 0x7fc00000n : BigInt(bits.getInt32(0)));
    }
    case 'double': {
      const bits = new DataView(new ArrayBuffer(8));
      bits.setFloat64(0, Number(value));
      return ofLong(hasher, Number.isNaN(value) ? 0x7ff8000000000000n : bits.getBigInt64(0));
    }
    case 'string':
    case 'char':
    case 'varchar':
      return ofText(hasher, value as string);
    case 'date':
      return ofLong(hasher, (value as bigint) * 86400n);
    case 'timestamp':
    case 'timestamp_ntz':
    case 'interval_day_time': {
      const { seconds, nanos } = value as SecondsAndNanos;
      return ofLong(hasher, BigInt.asIntN(64, seconds << 30n) | BigInt(nanos));
    }
    case 'decimal': {
      const unscaled = unscale(value as string, type.scale);
      const low = ofLong(hasher, BigInt.asIntN(64, unscaled));
      return type.precision <= 18 ? low : (low + ofLong(hasher, BigInt.asIntN(64, unscaled >> 64n))) | 0;
    }
    case 'binary':
    case 'json':
    case 'array':
    case 'map':
    case 'struct':
      throw new TypeError(`${type.kind} is no key`);
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'datetime':
    case 'interval_year_month':
      return ofLong(hasher, value as bigint);
  }
}

export function plainBucket(hashes: readonly number[], buckets: number): number {
  const sum = Number(
    BigInt.asIntN(
      32,
      hashes.reduce((total, hash) => total + BigInt(hash), 0n),
    ),
  );
  return (sum ^ (sum >> 8)) % buckets;
}

function ofLong(hasher: Hasher, value: bigint): number {
  const wrap = (long: bigint) => BigInt.asIntN(64, long);
  if (hasher === 'legacy') return Number(BigInt.asIntN(32, (value >> 32n) ^ value));
  let v = wrap(~value + (value << 18n));
  v ^= v >> 31n;
  v = wrap(v * 21n);
  v ^= v >> 11n;
  v = wrap(v + (v << 6n));
  v ^= v >> 22n;
  return Number(BigInt.asIntN(32, v));
}

function ofText(hasher: Hasher, text: string): number {
  const wrap = (value: bigint) => BigInt.asIntN(32, value);
  let h = 0n;
  for (const byte of new Int8Array(Buffer.from(text))) {
    if (hasher === 'legacy') {
      h = wrap(h * 31n + BigInt(byte));
      continue;
    }
    h = wrap(h + BigInt(byte));
    h = wrap(h + (h << 10n));
    h ^= h >> 6n;
  }
  if (hasher === 'legacy') return Number(h);
  h = wrap(h + (h << 3n));
  h ^= h >> 11n;
  return Number(wrap(h + (h << 15n)));
}

/** Scaled to two digits too many, so that half of the last is five. */
function unscale(text: string, scale: number): bigint {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const long = BigInt(whole + fraction.padEnd(scale + 2, '0').slice(0, scale + 2));
  const rounded = (long + 50n) / 100n;
  return negative ? -rounded : rounded;
}
