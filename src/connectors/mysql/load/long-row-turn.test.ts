import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LongRowTurn } from './long-row-turn.ts';

void test('gives the turn to one after the other, and lets go of whoever leaves while it waits', async () => {
  const turn = new LongRowTurn();
  const [a, b, c] = [{}, {}, {}];
  const happened: string[] = [];
  const take = (who: object, name: string) => turn.take(who).then(() => void happened.push(name));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  void take(a, 'a');
  void take(a, 'a again');
  void take(b, 'b');
  void take(c, 'c');
  await settle();
  assert.deepEqual(happened.splice(0), ['a', 'a again']);
  turn.leave(b);
  await settle();
  assert.deepEqual(happened.splice(0), ['b'], 'its connection was closed');
  turn.leave(a);
  await settle();
  assert.deepEqual(happened.splice(0), ['c']);
  turn.leave(c);
  turn.leave(c);
  void take(b, 'b');
  await settle();
  assert.deepEqual(happened, ['b']);
});
