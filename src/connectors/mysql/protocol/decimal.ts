import type { ValueVisitor } from '../../../pipeline/value-visitor.ts';

const DIGITS_PER_GROUP = 9;
/** Bytes that a group of so many digits takes. */
const GROUP_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/** Holds the digits of one value while a visitor looks at it: sign, 65 digits, a point, and a leading zero. */
const text = new Uint8Array(72);

/** The digits of 00 … 99. */
const TENS = Uint8Array.from({ length: 100 }, (_, pair) => 48 + Math.floor(pair / 10));
const ONES = Uint8Array.from({ length: 100 }, (_, pair) => 48 + (pair % 10));

/** Bytes of a DECIMAL(precision, scale). */
export function decimalBytes(precision: number, scale: number): number {
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
  const whole = groupsOf(precision - scale).toReversed();
  const fraction = groupsOf(scale);
  const size = decimalBytes(precision, scale);
  return (buffer, at, visitor) => {
    const flip = (buffer[at]! & 0x80) === 0 ? -1 : 0;
    let out = 1; // text[0] is kept for the sign
    let from = at;
    let sign = 0x80;
    let isZero = true;
    for (let group = 0; group < whole.length; group += 1) {
      const digits = whole[group]!;
      const bytes = GROUP_BYTES[digits]!;
      const value = readGroup(buffer, from, bytes, flip, sign);
      sign = 0;
      from += bytes;
      if (!isZero) out = writeGroup(value, out, digits);
      else if (value !== 0) {
        isZero = false;
        out = writeGroup(value, out, digitsOf(value)); // without leading zeros
      }
    }
    if (isZero) text[out++] = 48;
    if (fraction.length > 0) {
      text[out++] = 46;
      for (let group = 0; group < fraction.length; group += 1) {
        const digits = fraction[group]!;
        const bytes = GROUP_BYTES[digits]!;
        const value = readGroup(buffer, from, bytes, flip, sign);
        sign = 0;
        from += bytes;
        if (value !== 0) isZero = false;
        out = writeGroup(value, out, digits);
      }
    }
    if (flip === 0 || isZero) visitor.decimal(text, 1, out);
    else {
      text[0] = 45;
      visitor.decimal(text, 0, out);
    }
    return at + size;
  };
}

/** Digits per group, the full ones first. */
function groupsOf(digits: number): number[] {
  const full = Array.from({ length: Math.floor(digits / DIGITS_PER_GROUP) }, () => DIGITS_PER_GROUP);
  return digits % DIGITS_PER_GROUP === 0 ? full : [...full, digits % DIGITS_PER_GROUP];
}

function partBytes(digits: number): number {
  return Math.floor(digits / DIGITS_PER_GROUP) * 4 + GROUP_BYTES[digits % DIGITS_PER_GROUP]!;
}

/** `flip`: -1 where every bit is flipped; `sign`: 0x80 in the first group. */
function readGroup(buffer: Buffer, at: number, bytes: number, flip: number, sign: number): number {
  const first = (buffer[at]! ^ flip ^ sign) & 0xff;
  switch (bytes) {
    case 1:
      return first;
    case 2:
      return (first << 8) | ((buffer[at + 1]! ^ flip) & 0xff);
    case 3:
      return (first << 16) | ((((buffer[at + 1]! << 8) | buffer[at + 2]!) ^ flip) & 0xffff);
    default:
      return (
        first * 0x1000000 + ((((buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) ^ flip) & 0xffffff)
      );
  }
}

/** Writes so many digits, with leading zeros; gives where they end. */
function writeGroup(value: number, at: number, digits: number): number {
  let rest = value;
  let to = at + digits;
  while (to - at >= 2) {
    const next = (rest / 100) | 0;
    const pair = rest - next * 100;
    to -= 2;
    text[to] = TENS[pair]!;
    text[to + 1] = ONES[pair]!;
    rest = next;
  }
  if (to > at) text[at] = 48 + (rest % 10);
  return at + digits;
}

function digitsOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return value < 100_000_000 ? (value < 10_000_000 ? 7 : 8) : 9;
}
