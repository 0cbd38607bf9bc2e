/*
 * The hashes that spread rows over the buckets of a Delta table. They are those of the vendor's Java client to the bit:
 * a row in the bucket of another hash is a row that nobody finds again. All results are int32.
 */

/** `default`, or `legacy` for tables that were made long ago: what the upsert session says. */
export type Hasher = 'default' | 'legacy';

/** An int64 as its halves: numbers, epoch milliseconds, the bits of a float. */
export function hashOfInt64(hasher: Hasher, low: number, high: number): number {
  if (hasher === 'legacy') return high ^ low;
  // v = ~v + (v << 18)
  let l = ~low | 0;
  let h = ~high | 0;
  let addLow = low << 18;
  let addHigh = (high << 18) | (low >>> 14);
  let sum = (l + addLow) | 0;
  h = (h + addHigh + carryOf(sum, l)) | 0;
  l = sum;
  // v ^= v >> 31
  addLow = (l >>> 31) | (h << 1);
  addHigh = h >> 31;
  l ^= addLow;
  h ^= addHigh;
  // v *= 21, which is v + (v << 2) + (v << 4)
  addLow = l << 2;
  addHigh = (h << 2) | (l >>> 30);
  const plusLow = l << 4;
  const plusHigh = (h << 4) | (l >>> 28);
  sum = (l + addLow) | 0;
  h = (h + addHigh + carryOf(sum, l)) | 0;
  l = (sum + plusLow) | 0;
  h = (h + plusHigh + carryOf(l, sum)) | 0;
  // v ^= v >> 11
  addLow = (l >>> 11) | (h << 21);
  addHigh = h >> 11;
  l ^= addLow;
  h ^= addHigh;
  // v += v << 6
  addLow = l << 6;
  addHigh = (h << 6) | (l >>> 26);
  sum = (l + addLow) | 0;
  h = (h + addHigh + carryOf(sum, l)) | 0;
  l = sum;
  // The low half of v ^ (v >> 22).
  return l ^ ((l >>> 22) | (h << 10));
}

/** A whole number whose magnitude is at most 2^53 - 1. */
export function hashOfInteger(hasher: Hasher, value: number): number {
  const high = Math.floor(value / 4294967296);
  return hashOfInt64(hasher, (value - high * 4294967296) | 0, high | 0);
}

/** Texts, as their UTF-8 bytes, which count as signed. */
export function hashOfBytes(hasher: Hasher, bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  if (hasher === 'legacy') {
    for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + ((bytes[at]! << 24) >> 24)) | 0;
    return hash;
  }
  for (let at = start; at < end; at += 1) {
    hash = (hash + ((bytes[at]! << 24) >> 24)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >> 11;
  return (hash + (hash << 15)) | 0;
}

export function hashOfBoolean(value: boolean): number {
  return value ? 0x172ba9c7 : -0x3a59cb12;
}

const bits = new DataView(new ArrayBuffer(8));

/** Of the bits of a float32, sign-extended; every NaN counts as one. */
export function hashOfFloat(hasher: Hasher, value: number): number {
  bits.setFloat32(0, value);
  const word = Number.isNaN(value) ? 0x7fc00000 : bits.getInt32(0);
  return hashOfInt64(hasher, word, word >> 31);
}

/** Of the bits of a float64; every NaN counts as one. */
export function hashOfDouble(hasher: Hasher, value: number): number {
  if (Number.isNaN(value)) return hashOfInt64(hasher, 0, 0x7ff80000);
  bits.setFloat64(0, value);
  return hashOfInt64(hasher, bits.getInt32(4), bits.getInt32(0));
}

/** Timestamps and day intervals: seconds rounded down, and the nanoseconds above them. */
export function hashOfSecondsAndNanos(hasher: Hasher, seconds: number, nanos: number): number {
  const high = Math.floor(seconds / 4);
  return hashOfInt64(hasher, ((seconds - high * 4) * 1073741824) | nanos, high | 0);
}

/** A date by its days since the epoch: hashed as the seconds of its midnight. */
export function hashOfDays(hasher: Hasher, days: number): number {
  return hashOfInteger(hasher, days * 86400);
}

const LONG_PRECISION_MAX = 18;

/** A decimal by its unscaled integer at the scale of the column (`unscaledOf`). */
export function hashOfUnscaled(hasher: Hasher, unscaled: bigint, precision: number): number {
  const low = hashOfHalves(hasher, unscaled);
  return precision <= LONG_PRECISION_MAX ? low : (low + hashOfHalves(hasher, unscaled >> 64n)) | 0;
}

function hashOfHalves(hasher: Hasher, value: bigint): number {
  return hashOfInt64(hasher, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

/**
 * Plain digits, at most one point, as a whole number of 10^-scale; digits beyond are rounded half away from zero.
 * Errors: TypeError for any other text.
 */
export function unscaledOf(text: string, scale: number): bigint {
  const found = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?$/.exec(text);
  if (found === null) throw new TypeError('a decimal is not plain digits');
  const [, sign = '', whole = '', fraction = ''] = found;
  const kept = BigInt(`0${whole}${fraction.slice(0, scale).padEnd(scale, '0')}`);
  const rounded = (fraction[scale] ?? '0') >= '5' ? kept + 1n : kept;
  return sign === '-' ? -rounded : rounded;
}

/** Which of `buckets` a row is in, by the sum of the hashes of its key columns, wrapped or not. */
export function bucketOf(sum: number, buckets: number): number {
  const wrapped = sum | 0;
  return (wrapped ^ (wrapped >> 8)) % buckets;
}

/** Whether `sum`, of `part` and another, went over 2^32. */
function carryOf(sum: number, part: number): number {
  return sum >>> 0 < part >>> 0 ? 1 : 0;
}
