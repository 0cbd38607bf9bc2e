import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSlices } from './in-slices.ts';

function* count(to: number): Generator<void, number> {
  let sum = 0;
  for (let number = 1; number <= to; number++) {
    sum += number;
    yield;
  }
  return sum;
}

test('gives what the calculation comes to, and its error', async () => {
  assert.equal(await inSlices(count(100)), 5050);
  await assert.rejects(
    inSlices(
      (function* () {
        yield;
        throw new Error('no');
      })(),
    ),
    /^Error: no$/,
  );
});

test('others have their turn after each slice', async () => {
  let turns = 0;
  const others = setInterval(() => (turns += 1), 0);
  await inSlices(count(50), 0);
  clearInterval(others);
  assert.ok(turns > 1, `${turns} turns`);
});
