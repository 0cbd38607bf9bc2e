import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shortestFloat32 } from '../../../lib/shortest-float.ts';
import { ByteWriter } from './byte-writer.ts';
import { Memory, MemoryPool } from './memory.ts';
import { endOfVarint, readVarint, sizeOfVarint, writeVarint, writeVarlong } from './varint.ts';

/** Everything that is for the classes below it, called by their names. */
class OpenWriter extends ByteWriter {
  escapedText = (bytes: Uint8Array, start: number, end: number) => this.escaped(bytes, start, end);
  base64Text = (bytes: Uint8Array, start: number, end: number) => this.base64(bytes, start, end);
  latin1Text = (bytes: Uint8Array, start: number, end: number) => this.latin1(bytes, start, end);
  copy = (bytes: Uint8Array, start: number, end: number) => this.copyLong(bytes, start, end);
}

/** What is written behind other bytes, into memory that is no longer than it must be at first. */
function written(write: (out: OpenWriter) => void, before = 5): string {
  const memory = new Memory(new MemoryPool(0), 1);
  memory.bytes.fill(0xee);
  const out = new OpenWriter(memory);
  out.use(memory, before);
  write(out);
  assert.equal(out.lost, 0);
  return Buffer.from(memory.bytes.subarray(before, out.at)).toString('utf8');
}

/** Bytes in the middle of a larger buffer, as they are in a packet. */
function inPacket(bytes: Uint8Array): [Uint8Array, number, number] {
  const whole = new Uint8Array(bytes.length + 20).fill(0x22);
  whole.set(bytes, 11);
  return [whole.subarray(4), 7, 7 + bytes.length];
}

const anyText = fc.string({ unit: 'binary', maxLength: 60 });
const plainText = fc.string({
  unit: fc.constantFrom('a', ' ', '~', 'é', '😀', '"', '\\', '\n', '\u007f'),
  maxLength: 40,
});

void test('integers of 64 bits are their digits', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.equal(
        written((out) => out.integerText(value)),
        String(value),
      );
    }),
  );
  const beyond = fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
    .filter((value) => value > 2n ** 53n || value < -(2n ** 53n));
  fc.assert(
    fc.property(beyond, (value) => {
      const [high, low] = [Number(value >> 32n), Number(value & 0xffffffffn)];
      assert.equal(
        written((out) => out.bigIntegerText(high, low)),
        String(value),
      );
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 8 }), (bytes) => {
      assert.equal(
        written((out) => out.bitsText(...inPacket(bytes))),
        String(BigInt(`0x${Buffer.from(bytes).toString('hex')}`)),
      );
    }),
  );
});

void test('microseconds that no double holds are exact', () => {
  const seconds = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }));
  fc.assert(
    fc.property(seconds, fc.integer({ min: 0, max: 999_999 }), (whole, micros) => {
      assert.equal(
        written((out) => out.microsText(whole, micros)),
        String(BigInt(whole) * 1_000_000n + BigInt(micros)),
      );
    }),
  );
});

void test('floats are the shortest text that gives the same value', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(
        written((out) => out.doubleText(value)),
        Object.is(value, -0) ? '-0' : String(value),
      );
    }),
  );
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = written((out) => out.floatText(value));
      assert.ok(Object.is(Math.fround(Number(text)), value));
      assert.ok(text.length <= shortestFloat32(value).length + 1);
    }),
  );
});

void test('texts are escaped as JSON wants it, wherever they lie', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, plainText), fc.nat(20), (text, before) => {
      const json = written((out) => out.escapedText(...inPacket(Buffer.from(text))), before);
      assert.equal(json, JSON.stringify(text.toWellFormed()).slice(1, -1));
    }),
    { numRuns: 2000 },
  );
});

void test('long texts and bytes are written piece by piece, whole', () => {
  const text = 'a"é😀\n'.repeat(30_000);
  assert.equal(
    written((out) => out.escapedText(...inPacket(Buffer.from(text)))),
    JSON.stringify(text).slice(1, -1),
  );
  assert.equal(
    written((out) => out.copy(...inPacket(Buffer.from(text)))),
    text,
  );
  const bytes = Buffer.from(text).subarray(0, 200_001);
  assert.equal(
    written((out) => out.base64Text(...inPacket(bytes))),
    bytes.toString('base64'),
  );
  assert.equal(
    written((out) => out.latin1Text(...inPacket(bytes))),
    JSON.stringify(bytes.toString('latin1')).slice(1, -1),
  );
});

void test('bytes are base64, or the characters of their numbers', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      assert.equal(
        written((out) => out.base64Text(...inPacket(bytes))),
        buffer.toString('base64'),
      );
      assert.equal(
        written((out) => out.latin1Text(...inPacket(bytes))),
        JSON.stringify(buffer.toString('latin1')).slice(1, -1),
      );
    }),
  );
});

void test('times of any clock are their text', () => {
  const date = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, fc.nat(999_999), fc.nat(6), (time, micros, digits) => {
      const seconds = Math.floor(time.getTime() / 1000);
      const fraction = digits === 0 ? '' : `.${String(micros).padStart(6, '0').slice(0, digits)}`;
      const expected = new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ') + fraction;
      assert.equal(
        written((out) => out.civilText(seconds, micros, 0x20, digits)),
        expected,
      );
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: -3_020_399_999_999, max: 3_020_399_999_999 }), (micros) => {
      const text = written((out) => out.timeText(micros, 6));
      const [, sign, hours, minutes, seconds, fraction] = /^(-?)(\d{2,3}):(\d\d):(\d\d)\.(\d{6})$/.exec(text) ?? [];
      const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e6 + Number(fraction);
      assert.equal(sign === '-' ? -size : size, micros);
    }),
  );
});

void test('what is longer than its limit takes no memory beyond it, and is known to be lost', () => {
  const pool = new MemoryPool(0);
  const memory = new Memory(pool, 1);
  const out = new OpenWriter(memory);
  out.use(memory, 10);
  out.limit(100_000);
  const bytes = Buffer.alloc(20_000_000, '\u0001');
  out.escapedText(bytes, 0, bytes.length);
  assert.ok(pool.takenBytes < 2_000_000);
  assert.ok(out.lost + out.at >= 120_000_000);
});

void test('varints are read as they were written, in as many bytes as they need', () => {
  const bytes = new Uint8Array(16);
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const end = writeVarint(bytes, 3, value);
      assert.equal(readVarint(bytes, 3), value);
      assert.equal(endOfVarint(bytes, 3), end);
      if (value >= 0) assert.equal(end - 3, sizeOfVarint(value));
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (value) => {
      const end = writeVarlong(bytes, 0, value);
      assert.equal(readVarint(bytes, 0), value);
      assert.equal(endOfVarint(bytes, 0), end);
    }),
  );
});
