import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { PacketReader, PacketTooLarge } from './packet-reader.ts';

function packets(payload: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, sequence = 0; ; sequence += 1) {
    const piece = payload.subarray(at, at + 0xffffff);
    const header = Buffer.alloc(4);
    header.writeUIntLE(piece.length, 0, 3);
    header[3] = sequence & 0xff;
    parts.push(header, piece);
    at += piece.length;
    if (piece.length < 0xffffff) return Buffer.concat(parts);
  }
}

async function readAll(socket: PassThrough, count: number): Promise<Buffer[]> {
  const reader = new PacketReader(socket);
  const found: Buffer[] = [];
  while (found.length < count) {
    if (reader.take()) found.push(Buffer.from(reader.buffer.subarray(reader.start, reader.end)));
    else {
      reader.release();
      await reader.more();
    }
  }
  return found;
}

void test('gives the same packets however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 20 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 5000 })),
      async (payloads, cuts) => {
        const socket = new PassThrough();
        const bytes = Buffer.concat(payloads.map((payload) => packets(Buffer.from(payload))));
        const reading = readAll(socket, payloads.length);
        for (let at = 0; at < bytes.length; ) {
          const cut = cuts.next().value;
          socket.write(bytes.subarray(at, at + cut));
          at += cut;
          if (cut % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        assert.deepEqual(
          await reading,
          payloads.map((payload) => Buffer.from(payload)),
        );
      },
    ),
    { numRuns: 60 },
  );
});

void test('keeps what was taken while it waits for more behind it, and frees it at release', async () => {
  const socket = new PassThrough();
  const reader = new PacketReader(socket);
  const payloads = Array.from({ length: 40 }, (_, index) => Buffer.alloc(150_000 + index, index));
  socket.write(Buffer.concat(payloads.map(packets)));
  const kept: { buffer: Buffer; start: number; end: number }[] = [];
  const found: Buffer[] = [];
  while (found.length + kept.length < payloads.length) {
    if (reader.take()) kept.push({ buffer: reader.buffer, start: reader.start, end: reader.end });
    else await reader.more();
    if (kept.length < 15) continue;
    found.push(...kept.splice(0).map(({ buffer, start, end }) => Buffer.from(buffer.subarray(start, end))));
    reader.release();
  }
  found.push(...kept.map(({ buffer, start, end }) => buffer.subarray(start, end)));
  assert.ok(found.every((payload, index) => payload.equals(payloads[index] ?? Buffer.alloc(0))));
});

void test('joins packets at and around the greatest length', async () => {
  for (const length of [0xfffffe, 0xffffff, 0x1000000, 0x1fffffe, 0x1ffffff]) {
    const payload = Buffer.alloc(length, length & 0xff);
    payload[length - 1] = 7;
    const socket = new PassThrough();
    const reading = readAll(socket, 2);
    socket.write(packets(payload));
    socket.write(packets(Buffer.from('after')));
    const [first, second] = await reading;
    assert.ok(first?.equals(payload));
    assert.equal(second?.toString(), 'after');
  }
});

void test('a packet stays as it is until it is released, however much comes behind it', async () => {
  const socket = new PassThrough();
  const reader = new PacketReader(socket);
  socket.write(packets(Buffer.from('first')));
  while (!reader.take()) await reader.more();
  const { buffer, start, end } = reader;
  for (let index = 0; index < 100; index += 1) socket.write(packets(Buffer.alloc(100_000, index)));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(buffer.toString('utf8', start, end), 'first');
});

void test('says that the connection was closed', async () => {
  const socket = new PassThrough();
  const reader = new PacketReader(socket);
  socket.destroy();
  await assert.rejects(
    async () => {
      while (!reader.take()) await reader.more();
    },
    { message: 'the server closed the connection' },
  );
});

void test('a poke ends a wait, also one that begins later', async () => {
  const reader = new PacketReader(new PassThrough());
  reader.poke();
  await reader.more();
  const waiting = reader.more();
  reader.poke();
  await waiting;
});

void test('takes a packet that goes on in others into one buffer of its length, when that is known, and gives it back', async () => {
  const socket = new PassThrough();
  const reader = new PacketReader(socket);
  const payload = Buffer.alloc(40e6, 'long');
  reader.measure = (bytes, start, end) => (end - start < 4 ? 0 : payload.length);
  socket.write(packets(payload));
  while (!reader.take()) await reader.more();
  assert.equal(payload.compare(reader.buffer, reader.start, reader.end), 0);
  assert.ok(reader.buffer.length < payload.length + (1 << 20), `${reader.buffer.length}`);
  const long = reader.buffer;
  reader.release();
  socket.write(packets(Buffer.from('short')));
  while (!reader.take()) await reader.more();
  reader.release();
  assert.deepEqual([reader.buffer.length, long.length], [1 << 20, 0]);
});

void test('waits for no packet that is longer than it may be', async () => {
  const socket = new PassThrough();
  const reader = new PacketReader(socket);
  reader.bytesMax = 1000;
  socket.write(packets(Buffer.alloc(1000)));
  while (!reader.take()) await reader.more();
  socket.write(packets(Buffer.alloc(1001)).subarray(0, 10));
  await assert.rejects(async () => {
    while (!reader.take()) await reader.more();
  }, new PacketTooLarge(1001));
});
