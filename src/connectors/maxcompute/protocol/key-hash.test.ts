import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainBucket, plainHash } from '../../../../test/support/maxcompute/plain-hash.ts';
import { readVectors, vectorValue } from '../../../../test/support/maxcompute/vectors.ts';
import { type ColumnType, parseColumnType } from './column-type.ts';
import {
  bucketOf,
  type Hasher,
  hashOfBoolean,
  hashOfBytes,
  hashOfDays,
  hashOfDouble,
  hashOfFloat,
  hashOfInt64,
  hashOfInteger,
  hashOfSecondsAndNanos,
  hashOfUnscaled,
  unscaledOf,
} from './key-hash.ts';
import type { RowValue, SecondsAndNanos } from './row-value.ts';

interface Vectors {
  readonly hash: {
    readonly values: readonly {
      readonly type: string;
      readonly value: unknown;
      readonly default: number;
      readonly legacy: number;
    }[];
    readonly buckets: readonly {
      readonly key: readonly { readonly hash: number }[];
      readonly bucket: Readonly<Record<string, number>>;
    }[];
  };
  readonly sdk_divergences: {
    readonly hashes: readonly { readonly type: string; readonly value: string; readonly java: number }[];
  };
}

const { hash, sdk_divergences } = readVectors<Vectors>('maxcompute-tunnel.json');

void test('the hash of every value of the vectors is that of the Java client, by both hashers', () => {
  for (const { type, value, default: modern, legacy } of hash.values) {
    const parsed = parseColumnType(type);
    const known = vectorValue(parsed, value);
    const both = (['default', 'legacy'] as const).map((hasher) => hashOf(hasher, parsed, known));
    assert.deepEqual(both, [modern, legacy], `${type} ${JSON.stringify(value)}`);
    assert.deepEqual([plainHash('default', parsed, known), plainHash('legacy', parsed, known)], [modern, legacy]);
  }
  for (const { type, value, java } of sdk_divergences.hashes) {
    const parsed = parseColumnType(type);
    assert.equal(hashOf('default', parsed, vectorValue(parsed, value)), java, `${type} ${value}`);
  }
});

void test('the hashes of key columns add up to the bucket that the vectors say', () => {
  for (const { key, bucket } of hash.buckets) {
    const hashes = key.map((column) => column.hash);
    const sum = hashes.reduce((total, each) => total + each, 0);
    const counts = Object.keys(bucket);
    const found = Object.fromEntries(counts.map((count) => [count, bucketOf(sum, Number(count))]));
    assert.deepEqual(found, bucket);
    assert.deepEqual(Object.fromEntries(counts.map((count) => [count, plainBucket(hashes, Number(count))])), bucket);
  }
});

void test('the hash of any number or text is that of arithmetic without tricks', () => {
  const hashers = fc.constantFrom<Hasher>('default', 'legacy');
  fc.assert(
    fc.property(
      hashers,
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.maxSafeInteger(),
      (hasher, long, integer) => {
        assert.equal(hashOf(hasher, { kind: 'bigint' }, long), plainHash(hasher, { kind: 'bigint' }, long));
        assert.equal(hashOfInteger(hasher, integer), plainHash(hasher, { kind: 'bigint' }, BigInt(integer)));
      },
    ),
  );
  fc.assert(
    fc.property(hashers, fc.string({ unit: 'binary' }), (hasher, text) => {
      assert.equal(hashOf(hasher, { kind: 'string' }, text), plainHash(hasher, { kind: 'string' }, text));
    }),
  );
});

void test('a decimal that is not plain digits has no hash', () => {
  for (const text of ['', '-', '.', '1e3', '0x1', 'NaN', '1.2.3', ' 1'])
    assert.throws(() => unscaledOf(text, 2), TypeError, text);
  assert.deepEqual(
    ['.5', '5.', '+1.005', '-1.005'].map((text) => unscaledOf(text, 2)),
    [50n, 500n, 101n, -101n],
  );
});

function hashOf(hasher: Hasher, type: ColumnType, value: RowValue): number {
  switch (type.kind) {
    case 'boolean':
      return hashOfBoolean(value === true);
    case 'float':
      return hashOfFloat(hasher, Number(value));
    case 'double':
      return hashOfDouble(hasher, Number(value));
    case 'string':
    case 'char':
    case 'varchar': {
      const text = Buffer.from(value as string);
      return hashOfBytes(hasher, text, 0, text.length);
    }
    case 'date':
      return hashOfDays(hasher, Number(value));
    case 'decimal':
      return hashOfUnscaled(hasher, unscaledOf(value as string, type.scale), type.precision);
    case 'timestamp':
    case 'interval_day_time': {
      const { seconds, nanos } = value as SecondsAndNanos;
      return hashOfSecondsAndNanos(hasher, Number(seconds), nanos);
    }
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'datetime': {
      const long = value as bigint;
      return hashOfInt64(hasher, Number(BigInt.asIntN(32, long)), Number(BigInt.asIntN(32, long >> 32n)));
    }
    case 'binary':
    case 'json':
    case 'timestamp_ntz':
    case 'interval_year_month':
    case 'array':
    case 'map':
    case 'struct':
      throw new Error(`the vectors have no key of type ${type.kind}`);
  }
}
