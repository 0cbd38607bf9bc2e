import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GtidSet } from './gtid-set.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

void test('a set prints what it read, without white space and in order', () => {
  assert.equal(
    GtidSet.parse(`${A}:1-5:7,\n ${A.replace('3e', '4e')}:tag:1-3`).toString(),
    `${A}:1-5:7,${A.replace('3e', '4e')}:tag:1-3`,
  );
});

void test('a number that closes a gap joins its neighbours', () => {
  const set = GtidSet.parse(`${A}:1-5:8-9`);
  set.add(A, 6);
  set.add(A, 7);
  assert.equal(set.toString(), `${A}:1-9`);
});

void test('a gap is not contained', () => {
  const set = GtidSet.parse(`${A}:1-5:8-9`);
  assert.deepEqual(
    [5, 6, 7, 8].map((number) => set.has(A, number)),
    [true, false, false, true],
  );
});
