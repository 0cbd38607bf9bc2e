import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';

const DIGITS_PER_GROUP = 9;
/** Bytes that a group of so many digits takes. */
const GROUP_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/** Holds the digits of one value while a visitor looks at it: sign, 65 digits, a point, and a leading zero. */
const text = new Uint8Array(72);

/** Bytes of a DECIMAL(precision, scale). */
export function skipDecimal(precision: number, scale: number): number {
  return partBytes(precision - scale) + partBytes(scale);
}

/**
 * Decodes a DECIMAL to its digits.
 *
 *   [ leftover digits of the integer part ][ groups of nine digits, 4 bytes ] … [ leftover digits of the fraction ]
 *
 * Big-endian; the first bit is the sign, 1 for positive; a negative number has every bit flipped.
 * Source: MySQL Server source, decimal2bin.
 */
export function visitDecimal(
  precision: number,
  scale: number,
): (buffer: Buffer, at: number, visitor: Pick<ValueVisitor, 'decimal'>) => number {
  const integerDigits = precision - scale;
  const size = skipDecimal(precision, scale);
  return (buffer, at, visitor) => {
    const flip = (buffer[at]! & 0x80) === 0 ? 0xff : 0;
    let out = 1; // text[0] is kept for the sign
    let from = at;
    let zero = true;
    // Integer part, without leading zeros.
    for (let left = integerDigits; left > 0; ) {
      const digits = left % DIGITS_PER_GROUP === 0 ? DIGITS_PER_GROUP : left % DIGITS_PER_GROUP;
      const bytes = GROUP_BYTES[digits]!;
      let value = readGroup(buffer, from, bytes, flip, from === at);
      if (value !== 0 || !zero) {
        const start = out;
        let width = digits;
        if (zero) width = countDigits(value);
        zero = false;
        for (let index = start + width - 1; index >= start; index -= 1) {
          text[index] = 48 + (value % 10);
          value = (value / 10) | 0;
        }
        out = start + width;
      }
      from += bytes;
      left -= digits;
    }
    if (zero) text[out++] = 48;
    let fractionZero = true;
    if (scale > 0) {
      text[out++] = 46;
      for (let left = scale; left > 0; ) {
        const digits = left >= DIGITS_PER_GROUP ? DIGITS_PER_GROUP : left;
        const bytes = GROUP_BYTES[digits]!;
        let value = readGroup(buffer, from, bytes, flip, from === at);
        if (value !== 0) fractionZero = false;
        for (let index = out + digits - 1; index >= out; index -= 1) {
          text[index] = 48 + (value % 10);
          value = (value / 10) | 0;
        }
        out += digits;
        from += bytes;
        left -= digits;
      }
    }
    if (flip === 0 || (zero && fractionZero)) visitor.decimal(text, 1, out);
    else {
      text[0] = 45;
      visitor.decimal(text, 0, out);
    }
    return at + size;
  };
}

function partBytes(digits: number): number {
  return Math.floor(digits / DIGITS_PER_GROUP) * 4 + GROUP_BYTES[digits % DIGITS_PER_GROUP]!;
}

function readGroup(buffer: Buffer, at: number, bytes: number, flip: number, first: boolean): number {
  let value = 0;
  for (let index = 0; index < bytes; index += 1) {
    let byte = buffer[at + index]! ^ flip;
    if (first && index === 0) byte ^= 0x80;
    value = value * 256 + byte;
  }
  return value;
}

function countDigits(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits += 1;
  return digits;
}
