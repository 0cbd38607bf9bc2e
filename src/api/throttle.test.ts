import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from './errors.ts';
import { Throttle } from './throttle.ts';

const READ = { name: 'GetDISyncTask', access: 'read', throttled: 400 } as const;
const WRITE = { name: 'StartDIJob', access: 'write', throttled: 429 } as const;

function takes(throttle: Throttle, key: string, operation: typeof READ | typeof WRITE, now: number): number | null {
  try {
    throttle.take(key, operation, now);
    return null;
  } catch (error) {
    assert.ok(error instanceof ApiError && error.code === 'Throttling.User');
    return error.retryAfterMs ?? -1;
  }
}

test('lets twice the rate come at once, then as many as the rate, for each key and operation', () => {
  const throttle = new Throttle({ readsPerSecond: 10, writesPerSecond: 1 });
  const burst = Array.from({ length: 21 }, () => takes(throttle, 'a', READ, 0));
  assert.deepEqual(burst, [...Array<null>(20).fill(null), 100]);
  assert.equal(takes(throttle, 'a', READ, 50), 50);
  assert.equal(takes(throttle, 'a', READ, 100), null);
  assert.equal(takes(throttle, 'a', READ, 100), 100);
  assert.equal(takes(throttle, 'b', READ, 100), null);
  assert.equal(takes(throttle, 'a', WRITE, 100), null);
  // A bucket that was swept is full, as it would be.
  assert.deepEqual(
    Array.from({ length: 21 }, () => takes(throttle, 'a', READ, 100_000)),
    [...Array<null>(20).fill(null), 100],
  );
});

test('pages of DIJob operations document 429, those of the others 400', () => {
  const throttle = new Throttle({ readsPerSecond: 1, writesPerSecond: 1 });
  const status = (operation: typeof READ | typeof WRITE) => {
    try {
      for (;;) throttle.take('a', operation, 0);
    } catch (error) {
      return (error as ApiError).status;
    }
  };
  assert.deepEqual([status(READ), status(WRITE)], [400, 429]);
});

test('no limit is no limit, and a clock that goes back takes nothing away', () => {
  const none = new Throttle({ readsPerSecond: 0, writesPerSecond: 1 });
  for (let call = 0; call < 10_000; call++) none.take('a', READ, 0);
  const throttle = new Throttle({ readsPerSecond: 1, writesPerSecond: 1 });
  assert.deepEqual([takes(throttle, 'a', READ, 1000), takes(throttle, 'a', READ, 0)], [null, null]);
});
