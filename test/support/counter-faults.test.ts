import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TopicChange } from '../../quickstart/topic-fold.ts';
import { counterFaults } from './counter-faults.ts';

function change(op: string, before: number | null, after: number | null): TopicChange {
  const image = (n: number | null) => (n === null ? null : { n });
  return { table: 't', op, key: 'a', sequenceId: '7', before: image(before), after: image(after) };
}

const insert = (n: number) => change('INSERT', null, n);
const update = (from: number, to: number) => [change('UPDATE_BEFOR', from, null), change('UPDATE_AFTER', null, to)];
const BEGIN = [insert(0), ...update(0, 1)];

void test('counters that go on have no faults: also behind a load that repeats a row, and a row that comes back', () => {
  assert.deepEqual(
    counterFaults([...BEGIN, insert(1), ...update(1, 2), change('DELETE', 2, null), insert(0)], 'n', () => true),
    [],
  );
});

void test('a change that is missing, comes twice, or in another order is named', () => {
  const cases: readonly (readonly [changes: readonly TopicChange[], faults: readonly string[]])[] = [
    [update(2, 3), ['a UPDATE_BEFOR 7: counts from 2, after 1']],
    [update(0, 1), ['a UPDATE_BEFOR 7: counts from 0, after 1']],
    [[change('UPDATE_AFTER', null, 3)], ['a UPDATE_AFTER 7: counts to 3, after 1']],
    [[change('DELETE', 0, null)], ['a DELETE 7: counts from 0, after 1']],
    [[insert(1)], ['a INSERT 7: counts to 1, after 1', 'a INSERT 7: is inserted, and was there, after 1']],
  ];
  for (const [changes, faults] of cases)
    assert.deepEqual(
      counterFaults([...BEGIN, ...changes], 'n', () => false),
      faults,
    );
});
