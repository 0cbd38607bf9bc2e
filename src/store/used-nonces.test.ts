import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { NonceSet } from './nonce-set.ts';
import { NONCE_SCHEMA, UsedNonces } from './used-nonces.ts';

void test('a set of halves has what was added and nothing else, also once it has grown, and where a half is 0', () => {
  const set = new NonceSet();
  const numbers = Array.from({ length: 20_000 }, (_, index) => [(index * 2_654_435_761) >>> 0, index % 3_000] as const);
  for (const [high, low] of numbers) set.add(high, low);
  assert.equal(
    numbers.every(([high, low]) => set.has(high, low)),
    true,
  );
  assert.deepEqual([set.has(1, 5), set.has(0, 4_000), new NonceSet().has(0, 0)], [false, false, false]);
  set.add(0, 0);
  assert.deepEqual([set.has(0, 0), set.has(1, 0)], [true, false]);
});

void test('nonces are forgotten, on the disk too, once they and those of their generation have expired', () => {
  const database = new DatabaseSync(':memory:');
  database.exec(NONCE_SCHEMA);
  const nonces = new UsedNonces(database, 0);
  const kept = () => Number(database.prepare('SELECT count(*) AS n FROM used_nonce').get()?.['n']);
  nonces.add('K', 'a', { now: 0, expiresAt: 100 });
  nonces.add('K', 'b', { now: 50, expiresAt: 150 });
  assert.deepEqual([nonces.has('K', 'a'), nonces.has('K', 'c'), nonces.has('L', 'a'), kept()], [true, false, false, 2]);
  nonces.add('K', 'c', { now: 120, expiresAt: 220 });
  assert.deepEqual([nonces.has('K', 'b'), nonces.has('K', 'c')], [true, true]);
  nonces.add('K', 'd', { now: 300, expiresAt: 400 });
  nonces.add('K', 'e', { now: 500, expiresAt: 600 });
  const all = ['a', 'b', 'c', 'd', 'e'].map((nonce) => nonces.has('K', nonce));
  assert.deepEqual([all, kept()], [[false, false, false, false, true].map((known, index) => known || index === 3), 1]);
  assert.deepEqual(
    [550, 700].map((now) => new UsedNonces(database, now).has('K', 'e')),
    [true, false],
  );
});
