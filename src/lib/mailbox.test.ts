import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Mailbox } from './mailbox.ts';

void test('entries come in the order in which they were put in, without waiting', async () => {
  const box = new Mailbox<number>();
  for (const entry of [1, 2, 3]) box.push(entry);
  assert.deepEqual([await box.take(0), await box.take(null), await box.take(1000), await box.take(0)], [1, 2, 3, null]);
});

void test('who waits is woken by the next entry, and again by the one after', async () => {
  const box = new Mailbox<string>();
  for (const entry of ['a', 'b']) {
    const taken = box.take(null);
    box.push(entry);
    assert.equal(await taken, entry);
  }
});

void test('a wait ends with nothing once its time is over, and what comes later is kept', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const box = new Mailbox<string>();
    const taken = box.take(50);
    mock.timers.tick(50);
    assert.equal(await taken, null);
    box.push('late');
    assert.equal(await box.take(50), 'late');
    // The timer of a wait that an entry ended does not end the next one.
    const second = box.take(100);
    box.push('entry');
    assert.equal(await second, 'entry');
    const third = box.take(null);
    mock.timers.tick(1000);
    box.push('in the end');
    assert.equal(await third, 'in the end');
  } finally {
    mock.timers.reset();
  }
});
