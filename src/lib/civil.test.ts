import assert from 'node:assert/strict';
import { test } from 'node:test';
import { civilFromDays, daysFromCivil, isRealDate } from './civil.ts';

void test('every day from the year 1 to 10000 is counted to and fro', () => {
  const date = new Date('0001-01-01T00:00:00Z');
  let wrong = 0;
  for (let days = daysFromCivil(1, 1, 1); date.getUTCFullYear() < 10000; days += 1) {
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    if (daysFromCivil(year, month, day) !== days || civilFromDays(days) !== year * 10000 + month * 100 + day)
      wrong += 1;
    if (!isRealDate(year, month, day)) wrong += 1;
    date.setUTCDate(date.getUTCDate() + 1);
  }
  assert.equal(wrong, 0);
});

void test('days that no calendar has are not real', () => {
  const unreal = [
    [0, 0, 0],
    [2023, 2, 29],
    [1900, 2, 29],
    [2024, 4, 31],
    [2024, 0, 1],
    [2024, 13, 1],
    [2024, 1, 0],
  ] as const;
  for (const [year, month, day] of unreal) assert.equal(isRealDate(year, month, day), false);
});
