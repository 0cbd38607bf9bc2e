/*
 * PostgreSQL's binary numeric, after the field's length:
 *
 *   int16 ndigits | int16 weight | uint16 sign (0x4000 is minus) | uint16 dscale | ndigits × int16, base 10,000
 *
 * The value is the sum of digit[i] * 10000^(weight - i). Zero groups at either end are left out, so that equal values of
 * one column are equal bytes (keys are compared by them). Source: numeric_send in PostgreSQL's numeric.c.
 */
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** An upper bound of what writeNumeric writes for a text of this length. */
export function numericBytesMax(textLength: number): number {
  return 8 + 2 * ((textLength >> 2) + 2);
}

/** Writes an ASCII decimal (optional minus, digits, optional point and digits); returns the end. */
export function writeNumeric(view: DataView, at: number, text: Uint8Array, start: number, end: number): number {
  const negative = text[start] === MINUS;
  let from = negative ? start + 1 : start;
  let point = from;
  while (point < end && text[point] !== POINT) point++;
  while (from < point && text[from] === ZERO) from++;
  const scale = point < end ? end - point - 1 : 0;

  const out = at + 8;
  let to = out;
  let lastNonZero = out;
  let weight = Math.ceil((point - from) / 4) - 1;
  let group = 0;
  let left = (point - from) & 3 || 4;
  for (let i = from; i < point; i++) {
    group = group * 10 + text[i]! - ZERO;
    if (--left === 0) {
      view.setInt16(to, group);
      to += 2;
      if (group !== 0) lastNonZero = to;
      group = 0;
      left = 4;
    }
  }
  left = 4;
  for (let i = point + 1; i < end; i++) {
    group = group * 10 + text[i]! - ZERO;
    if (--left === 0) {
      if (group !== 0 || to > out) {
        view.setInt16(to, group);
        to += 2;
        if (group !== 0) lastNonZero = to;
      } else {
        weight--;
      }
      group = 0;
      left = 4;
    }
  }
  if (left < 4 && group !== 0) {
    for (; left > 0; left--) group *= 10;
    view.setInt16(to, group);
    to += 2;
    lastNonZero = to;
  }
  return finish(view, at, lastNonZero, weight, negative, scale);
}

/** Writes high * 2^32 + low, both unsigned, as a numeric with scale 0; returns the end. */
export function writeNumericInteger(view: DataView, at: number, high: number, low: number, negative: boolean): number {
  let h = high;
  let l = low;
  let count = 0;
  for (let rest = h > 0 || l > 0; rest; rest = h > 0 || l > 0) {
    const remainder = (h % 10000) * 4294967296 + l;
    h = Math.floor(h / 10000);
    l = Math.floor(remainder / 10000);
    DIGITS[count++] = remainder - l * 10000;
  }
  const out = at + 8;
  let lastNonZero = out;
  for (let i = 0; i < count; i++) {
    const digit = DIGITS[count - 1 - i]!;
    view.setInt16(out + i * 2, digit);
    if (digit !== 0) lastNonZero = out + i * 2 + 2;
  }
  return finish(view, at, lastNonZero, count - 1, negative, 0);
}

const DIGITS = new Int16Array(8);

function finish(view: DataView, at: number, end: number, weight: number, negative: boolean, scale: number): number {
  const count = (end - at - 8) >> 1;
  view.setInt16(at, count);
  view.setInt16(at + 2, count === 0 ? 0 : weight);
  view.setUint16(at + 4, negative && count > 0 ? 0x4000 : 0);
  view.setUint16(at + 6, scale);
  return end;
}
