import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { writeMicros } from './micros.ts';
import { numericBytesMax, writeNumeric, writeNumericInteger } from './numeric.ts';

/** Reads a binary numeric as PostgreSQL would print it. */
function readNumeric(view: DataView, end: number): string {
  const count = view.getInt16(0);
  const weight = view.getInt16(2);
  const scale = view.getUint16(6);
  assert.equal(end, 8 + count * 2);
  let scaled = 0n;
  for (let i = 0; i < count; i++) scaled += BigInt(view.getInt16(8 + i * 2)) * 10n ** BigInt(4 * (weight - i) + 200);
  const digits = String(scaled / 10n ** BigInt(200 - scale)).padStart(scale + 1, '0');
  const sign = view.getUint16(4) === 0x4000 ? '-' : '';
  return `${sign}${digits.slice(0, digits.length - scale)}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}

function throughNumeric(text: string): string {
  const bytes = Buffer.from(text);
  const view = new DataView(new ArrayBuffer(numericBytesMax(bytes.length)));
  return readNumeric(view, writeNumeric(view, 0, bytes, 0, bytes.length));
}

void describe('a binary numeric', () => {
  void it('keeps every digit and the scale', () => {
    for (const text of ['0', '0.00', '7', '10000', '100000000', '0.0001', '0.00001', '123456789.987654321', '-1.10']) {
      assert.equal(throughNumeric(text), text);
    }
    assert.equal(throughNumeric('-0.00'), '0.00');
    assert.equal(throughNumeric('00012.5'), '12.5');
  });

  void it('keeps any decimal of up to 65 digits', () => {
    const decimals = fc.record({
      whole: fc.bigInt({ min: 0n, max: 10n ** 35n }),
      part: fc.stringMatching(/^\d{0,30}$/),
      minus: fc.boolean(),
    });
    fc.assert(
      fc.property(decimals, ({ whole, part, minus }) => {
        const digits = part === '' ? String(whole) : `${whole}.${part}`;
        const text = minus && /[1-9]/.test(digits) ? `-${digits}` : digits;
        assert.equal(throughNumeric(text), text);
      }),
    );
  });

  void it('keeps any 64-bit integer', () => {
    const view = new DataView(new ArrayBuffer(64));
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean(), (value, negative) => {
        const end = writeNumericInteger(view, 0, Number(value >> 32n), Number(value & 0xffffffffn), negative);
        assert.equal(readNumeric(view, end), negative && value > 0n ? `-${value}` : String(value));
      }),
    );
  });
});

void describe('civil time', () => {
  void it('writes microseconds that no double holds', () => {
    const view = new DataView(new ArrayBuffer(8));
    fc.assert(
      fc.property(
        fc.integer({ min: -63_082_281_600, max: 252_455_615_999 }),
        fc.integer({ min: 0, max: 999_999 }),
        (seconds, micros) => {
          writeMicros(view, 0, seconds, micros);
          assert.equal(view.getBigInt64(0), BigInt(seconds) * 1_000_000n + BigInt(micros));
        },
      ),
    );
  });
});
