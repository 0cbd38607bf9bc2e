import assert from 'node:assert/strict';
import { test } from 'node:test';
import { javaHash, murmur2, partitionOf } from './partitioner.ts';

function hashOf(text: string): number {
  const bytes = Buffer.from(`xx${text}yy`);
  return murmur2(bytes, 2, bytes.length - 2);
}

void test('keys hash as the Java client hashes them', () => {
  assert.deepEqual(
    ['21', 'foobar', 'a-little-bit-long-string', 'a-little-bit-longer-string', 'abc', '42'].map(hashOf),
    [-973932308, -790332482, -985981536, -1486304829, 479470107, 417700972],
  );
  assert.deepEqual(
    ['abc', '42', '1'].map((key) => partitionOf(hashOf(key), 6)),
    [3, 4, 3],
  );
});

void test('texts hash as Java hashes them', () => {
  assert.deepEqual(['abc', 'a', 'shop.orders', 'orders', ''].map(javaHash), [96354, 97, 570428637, -1008770331, 0]);
});
