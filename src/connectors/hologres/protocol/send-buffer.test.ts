import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { SendBuffer } from './send-buffer.ts';
import { beginArray, endValue } from './statement.ts';

void test('a message is the same whether its values are copied or go out from where they stand', async () => {
  const value = Buffer.alloc(1 << 20, 'value');
  const length = fc.oneof(fc.integer({ max: 300, min: 0 }), fc.integer({ min: 200_000, max: value.length }));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(length, { maxLength: 5 }), { maxLength: 6 }), async (messages) => {
      const sent: Buffer[] = [];
      const expected: Buffer[] = [];
      const stream = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          sent.push(Buffer.from(chunk));
          setImmediate(done);
        },
      });
      const out = new SendBuffer(stream);
      for (const lengths of messages) {
        const message = out.begin('d');
        const array = beginArray(out, 25, lengths.length);
        for (const bytes of lengths) {
          out.int32(bytes);
          out.copy(value, 0, bytes);
        }
        endValue(out, array);
        out.end(message);
        if (out.full) await out.flush();
        expected.push(...arrayMessage(lengths, value));
      }
      await out.flush();
      await new Promise<void>((resolve) => stream.end(resolve));
      assert.equal(Buffer.concat(sent).compare(Buffer.concat(expected)), 0);
    }),
    { numRuns: 50 },
  );
});

/** `d`, length | length of the array | dimensions, nulls, element oid [, elements, lower bound] | elements with their lengths. */
function arrayMessage(lengths: readonly number[], value: Buffer): Buffer[] {
  const int32 = (number: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(number);
    return bytes;
  };
  const head = lengths.length === 0 ? [0, 1, 25] : [1, 1, 25, lengths.length, 1];
  const body = Buffer.concat([
    ...head.map(int32),
    ...lengths.flatMap((bytes) => [int32(bytes), value.subarray(0, bytes)]),
  ]);
  return [Buffer.from('d'), int32(4 + 4 + body.length), int32(body.length), body];
}
