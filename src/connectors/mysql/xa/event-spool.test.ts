import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XID } from '../protocol/event.ts';
import type { EventSlot } from '../protocol/nested-events.ts';
import { EventSpool } from './event-spool.ts';

const MIB = 2 ** 20;
const SPOOLS = 60;
const EVENTS = 90;

function event(type: number, body: Buffer): EventSlot {
  return { type, timestamp: 7, buffer: body, bodyStart: 0, bodyEnd: body.length };
}

void test('many spools together keep little in memory, and each gives back all that it was given', () => {
  const quota = { bytesMax: 1 << 30, bytes: 0, inMemory: 0 };
  const spools = Array.from({ length: SPOOLS }, () => new EventSpool(quota));
  const body = (spool: number, turn: number) => Buffer.alloc(10_000 + spool, turn);
  for (let turn = 0; turn < EVENTS; turn += 1) {
    for (const [index, spool] of spools.entries()) spool.add(event(30, body(index, turn)));
    assert.ok(quota.inMemory <= 17 * MIB, `${quota.inMemory} bytes in memory`);
  }
  assert.ok(quota.bytes > 50 * MIB);
  for (const [index, spool] of spools.entries()) {
    const replay = spool.replay();
    const slot = event(0, Buffer.alloc(0));
    for (let turn = 0; turn < EVENTS; turn += 1) {
      assert.equal(replay.take(slot), true);
      assert.equal(slot.buffer.compare(body(index, turn), 0, 10_000 + index, slot.bodyStart, slot.bodyEnd), 0);
    }
    assert.equal(replay.take(slot), true);
    assert.deepEqual([slot.type, replay.ended], [XID, true]);
    spool.close();
  }
  assert.deepEqual(quota, { bytesMax: 1 << 30, bytes: 0, inMemory: 0 });
});
