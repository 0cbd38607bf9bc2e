import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeAppend, judgeDelta, judgeLog } from './maxcompute-judge.ts';

const log = (sequence: number, op: string, isAfter: string, id: string | null, n: string | null) => [
  String(sequence),
  op,
  '0',
  isAfter === 'Y' ? 'N' : 'Y',
  isAfter,
  id,
  n,
  'v',
];

void test('a log without a change, with one twice, or with one out of its order is seen through', () => {
  const whole = [
    log(1, 'I', 'Y', '1', '1'),
    log(2, 'U', 'N', '1', '1'),
    log(2, 'U', 'Y', '1', '2'),
    log(3, 'D', 'N', '1', '2'),
    log(4, 'I', 'Y', '1', '3'),
  ];
  const { faults, rows } = judgeLog(whole);
  assert.deepEqual([faults, [...rows]], [[], [['1', '["1","3","v"]']]]);
  assert.deepEqual(judgeLog([...whole, ...whole.slice(1, 2)]).faults, ['2 U N 1 is there twice']);
  assert.deepEqual(judgeLog(whole.toSpliced(1, 2)).faults, ['3 D N 1 was 2, after 1']);
});

void test('what is before a void row in a log counts no more, and a loaded row may repeat', () => {
  const reloaded = [log(1, 'I', 'Y', '1', '1'), log(5, 'T', 'N', null, null), log(6, 'I', 'Y', '1', '9')];
  assert.deepEqual(judgeLog(reloaded).faults, []);
  assert.deepEqual(judgeLog(reloaded.toSpliced(1, 1)).faults, ['6 I Y 1 becomes 9, after 1']);
  assert.deepEqual(judgeLog([log(1, 'I', 'Y', '1', '1'), log(2, 'I', 'Y', '1', '1')]).faults, []);
});

void test('an append table with a gap or a repeat, and a Delta table with a key twice, are seen through', () => {
  const rows = ['3', '4', '5'].map((n) => ['1', n, 'v']);
  assert.deepEqual(judgeAppend(rows).faults, []);
  assert.deepEqual(judgeAppend(rows.toSpliced(1, 1)).faults, ['1 has 2 of the counts 3 to 5']);
  assert.deepEqual(judgeAppend([...rows, ...rows.slice(2)]).faults, ['1 5 is there twice']);
  assert.deepEqual(judgeDelta([...rows, ['2', '1', 'v']]).faults, ['2 keys are there twice']);
});
