import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff, pause } from './retry.ts';

void test('waits double up to the most, and begin anew after a reset', () => {
  const backOff = new BackOff(500, 30_000, () => 0);
  const waits = Array.from({ length: 9 }, () => backOff.next());
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  backOff.reset();
  assert.equal(backOff.next(), 500);
});

void test('chance shortens a wait by a fifth at most', () => {
  const backOff = new BackOff(1000, 1000, () => 0.999_999);
  assert.equal(backOff.next(), 800);
});

void test('a wait of years of failures is still the most', () => {
  const backOff = new BackOff(500, 30_000, () => 0);
  for (let tries = 0; tries < 5000; tries++) backOff.next();
  assert.equal(backOff.next(), 30_000);
});

void test('a pause ends early and without an error when its signal aborts', async () => {
  const stop = new AbortController();
  const paused = pause(60_000, stop.signal);
  stop.abort();
  await paused;
  await pause(60_000, stop.signal);
  await pause(1);
});
