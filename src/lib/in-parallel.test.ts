import assert from 'node:assert/strict';
import test from 'node:test';
import { inParallel } from './in-parallel.ts';

void test('all are done, no more than the limit at a time, and begun in their order', async () => {
  const begun: number[] = [];
  let now = 0;
  let most = 0;
  await inParallel([5, 1, 4, 2, 3], 2, async (item) => {
    begun.push(item);
    most = Math.max(most, ++now);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    now -= 1;
  });
  assert.deepEqual([begun, most, now], [[5, 1, 4, 2, 3], 2, 0]);
});

void test('after an error nothing new is begun, and what was begun has ended when it is thrown', async () => {
  const done: number[] = [];
  const work = async (item: number) => {
    if (item === 1) throw new Error('one');
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    done.push(item);
  };
  await assert.rejects(inParallel([0, 1, 2, 3, 4], 2, work), /one/);
  assert.deepEqual(done, [0]);
});
