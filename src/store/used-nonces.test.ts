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

function freshDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(NONCE_SCHEMA);
  return database;
}

function kept(database: DatabaseSync): number {
  return Number(database.prepare('SELECT count(*) AS n FROM used_nonce').get()?.['n']);
}

void test('nonces are forgotten once they and those of their generation have expired', () => {
  const database = freshDatabase();
  const nonces = new UsedNonces(database, 0);
  nonces.add('K', 'a', { now: 0, expiresAt: 100 });
  nonces.add('K', 'b', { now: 50, expiresAt: 150 });
  assert.deepEqual([nonces.has('K', 'a'), nonces.has('K', 'c'), nonces.has('L', 'a')], [true, false, false]);
  nonces.add('K', 'c', { now: 120, expiresAt: 220 });
  assert.deepEqual([nonces.has('K', 'b'), nonces.has('K', 'c')], [true, true]);
  nonces.add('K', 'd', { now: 300, expiresAt: 400 });
  nonces.add('K', 'e', { now: 500, expiresAt: 600 });
  const all = ['a', 'b', 'c', 'd', 'e'].map((nonce) => nonces.has('K', nonce));
  assert.deepEqual(all, [false, false, false, true, true]);
  assert.deepEqual(
    [550, 700].map((now) => new UsedNonces(database, now).has('K', 'e')),
    [true, false],
  );
});

void test('expired nonces leave the disk a few at a time, and no others do', () => {
  const database = freshDatabase();
  const nonces = new UsedNonces(database, 0);
  for (let index = 0; index < 5000; index += 1) nonces.add('K', `old ${index}`, { now: 0, expiresAt: 100 });
  assert.equal(kept(database), 5000);
  for (let index = 0; index < 512; index += 1) nonces.add('K', `new ${index}`, { now: 200, expiresAt: 300 });
  assert.ok(kept(database) >= 5000 + 512 - 1024 && kept(database) < 5000 + 512);
  for (let index = 512; index < 8192; index += 1) nonces.add('K', `new ${index}`, { now: 200, expiresAt: 300 });
  assert.equal(kept(database), 8192);
});

void test('nonces of a file from before are taken over, but for those that have expired', () => {
  const database = freshDatabase();
  database.exec(
    "CREATE TABLE nonce (key TEXT, nonce TEXT, expires_at INTEGER); INSERT INTO nonce VALUES ('K', 'a', 100), ('K', 'b', 10)",
  );
  for (const nonces of [new UsedNonces(database, 50), new UsedNonces(database, 50)])
    assert.deepEqual([nonces.has('K', 'a'), nonces.has('K', 'b')], [true, false]);
});
