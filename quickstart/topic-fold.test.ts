import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../src/lib/json-value.ts';
import { brokenChains, foldTopic, type TopicChange } from './topic-fold.ts';

function change(op: string, key: string, before: JsonObject | null, after: JsonObject | null): TopicChange {
  return { table: 't', op, key, sequenceId: '', before, after };
}

const insert = (key: string, n: number) => change('INSERT', key, null, { n });
const update = (key: string, from: number, to: number) => [
  change('UPDATE_BEFOR', key, { n: from }, null),
  change('UPDATE_AFTER', key, null, { n: to }),
];
const remove = (key: string, n: number) => change('DELETE', key, { n }, null);

void test('records that continue each other are whole: loads that repeat, keys that move, keys that come back', () => {
  const moved = [change('UPDATE_BEFOR', 'a', { n: 2 }, null), change('UPDATE_AFTER', 'b', null, { n: 2 })];
  const loaded = [insert('a', 1), ...update('a', 1, 2), insert('a', 2), ...moved, ...update('b', 2, 3), insert('a', 7)];
  const streamedFirst = [...update('c', 4, 5), remove('c', 5), insert('c', 5)];
  const whole = [...loaded, ...streamedFirst];
  assert.equal(brokenChains(whole), 0);
  assert.deepEqual(
    [...foldTopic(whole)],
    [
      ['b', { n: 3 }],
      ['a', { n: 7 }],
      ['c', { n: 5 }],
    ],
  );
});

void test('what is missing, doubled, or out of order breaks the chain of its key', () => {
  const begin = [insert('a', 1), ...update('a', 1, 2)];
  const cases: readonly (readonly [string, readonly TopicChange[]])[] = [
    ['an update that is missing', update('a', 3, 4)],
    ['an update twice', update('a', 1, 2)],
    ['a loaded row that is older', [insert('a', 1)]],
    ['a delete twice', [remove('a', 2), remove('a', 2)]],
    ['a row that moves to a key that is taken', [change('UPDATE_AFTER', 'a', null, { n: 9 })]],
  ];
  for (const [what, records] of cases) assert.equal(brokenChains([...begin, ...records]), 1, what);
});
