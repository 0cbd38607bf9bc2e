import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';
import { decimalBytes, visitDecimal } from './decimal.ts';

function decode(precision: number, scale: number, bytes: Buffer): string {
  let text = '';
  const visitor = {
    decimal: (buffer: Uint8Array, start: number, end: number) =>
      (text = Buffer.from(buffer.subarray(start, end)).toString()),
  };
  const end = visitDecimal(precision, scale)(bytes, 0, visitor as unknown as ValueVisitor);
  assert.equal(end, bytes.length);
  return text;
}

void test('decodes the bytes that servers write', () => {
  const vectors: [number, number, string, string][] = [
    [14, 4, '810dfb38d204d2', '1234567890.1234'],
    [14, 4, '7ef204c72dfb2d', '-1234567890.1234'],
    [5, 2, '800000', '0.00'],
    [5, 2, '7ffffe', '-0.01'],
  ];
  for (const [precision, scale, hex, text] of vectors)
    assert.equal(decode(precision, scale, Buffer.from(hex, 'hex')), text);
});

/** The server's own way of writing, for the round trip. */
function encode(precision: number, scale: number, digits: bigint): Buffer {
  const text = (digits < 0n ? -digits : digits).toString().padStart(precision, '0');
  const parts: Buffer[] = [];
  const push = (group: string) => {
    const bytes = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4][group.length] ?? 0;
    const buffer = Buffer.alloc(bytes);
    if (bytes > 0) buffer.writeUIntBE(Number(group), 0, bytes);
    parts.push(buffer);
  };
  const integers = text.slice(0, precision - scale);
  const head = integers.length % 9;
  push(integers.slice(0, head));
  for (let at = head; at < integers.length; at += 9) push(integers.slice(at, at + 9));
  const fraction = text.slice(precision - scale);
  for (let at = 0; at < fraction.length; at += 9) push(fraction.slice(at, at + 9));
  const all = Buffer.concat(parts);
  all[0] = (all[0] ?? 0) ^ 0x80;
  return digits < 0n ? Buffer.from(all.map((byte) => ~byte & 0xff)) : all;
}

void test('every precision, scale and value comes back as its digits', () => {
  const cases = fc
    .tuple(fc.integer({ min: 1, max: 65 }), fc.nat(30))
    .map(([precision, scale]) => [precision, Math.min(scale, precision)] as const)
    .chain(([precision, scale]) =>
      fc.tuple(
        fc.constant(precision),
        fc.constant(scale),
        fc.bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n }),
      ),
    );
  fc.assert(
    fc.property(cases, ([precision, scale, digits]) => {
      const bytes = encode(precision, scale, digits);
      assert.equal(bytes.length, decimalBytes(precision, scale));
      const positive = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
      const whole = positive.slice(0, positive.length - scale);
      const expected = `${digits < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${positive.slice(positive.length - scale)}`}`;
      assert.equal(decode(precision, scale, bytes), expected);
    }),
    { numRuns: 2000 },
  );
});
