import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { CorruptEvent } from './corrupt-event.ts';
import type { EventSlot } from './nested-events.ts';
import { openPayload } from './transaction-payload.ts';

const HEADER_BYTES = 19;

function eventOf(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(1_700_000_000, 0);
  header[4] = type;
  header.writeUInt32LE(HEADER_BYTES + body.length, 9);
  return Buffer.concat([header, body]);
}

/** A field with one number in eight bytes. */
function field(code: number, value: number): Buffer {
  const bytes = Buffer.alloc(11);
  bytes[0] = code;
  bytes[1] = 9;
  bytes[2] = 0xfe;
  bytes.writeBigUInt64LE(BigInt(value), 3);
  return bytes;
}

function payloadOf(frames: readonly Buffer[], wholeBytes: number, algorithm = 0): Buffer {
  const packed = Buffer.concat(frames);
  return Buffer.concat([field(2, algorithm), field(3, wholeBytes), field(1, packed.length), Buffer.from([0]), packed]);
}

async function eventsIn(payload: Buffer): Promise<{ type: number; body: string }[]> {
  const nested = openPayload(payload, 0, payload.length);
  const slot: EventSlot = { type: 0, timestamp: 0, buffer: payload, bodyStart: 0, bodyEnd: 0 };
  const events: { type: number; body: string }[] = [];
  while (!nested.ended) {
    if (nested.take(slot))
      events.push({ type: slot.type, body: slot.buffer.toString('latin1', slot.bodyStart, slot.bodyEnd) });
    else await nested.more();
  }
  return events;
}

for (const [how, bytes] of [
  ['at once', 1000],
  ['piece by piece', 400_000],
] as const) {
  void test(`gives the events of a packed transaction, unpacked ${how}, from one frame or several`, async () => {
    const bodies = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(bytes));
    const whole = Buffer.concat(bodies.map((body, index) => eventOf(index, Buffer.from(body))));
    const expected = bodies.map((body, type) => ({ type, body }));
    assert.deepEqual(await eventsIn(payloadOf([zstdCompressSync(whole)], whole.length)), expected);
    // The cut lies within an event.
    const frames = [whole.subarray(0, whole.length / 3), whole.subarray(whole.length / 3)].map((part) =>
      zstdCompressSync(part),
    );
    assert.deepEqual(await eventsIn(payloadOf(frames, whole.length)), expected);
    assert.deepEqual(await eventsIn(payloadOf([whole], whole.length, 255)), expected);
  });

  void test(`refuses a packed transaction that is cut, longer or shorter than it says, unpacked ${how}`, async () => {
    const whole = Buffer.concat([eventOf(1, Buffer.alloc(2 * bytes, 'x')), eventOf(2, Buffer.alloc(bytes, 'y'))]);
    const frame = zstdCompressSync(whole);
    const damaged = [
      payloadOf([frame.subarray(0, frame.length - 2)], whole.length),
      payloadOf([frame], whole.length - 1),
      payloadOf([frame], whole.length + 1),
      payloadOf([zstdCompressSync(whole.subarray(0, whole.length - 1))], whole.length - 1),
      payloadOf([Buffer.from('no frame at all')], whole.length),
      payloadOf([], whole.length),
      payloadOf([frame], whole.length, 7),
    ];
    for (const payload of damaged) await assert.rejects(eventsIn(payload), CorruptEvent);
  });
}
