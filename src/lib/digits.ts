/*
 * Whole numbers as digits in memory: what texts on a hot path are made of, so functions of arrays, without objects.
 */

/** The digits 00 … 99, each pair as one little-endian number. */
export const DIGIT_PAIRS = Uint16Array.from({ length: 100 }, (_, n) => (48 + ((n / 10) | 0)) | ((48 + (n % 10)) << 8));

/** A whole number below 2^30, without leading zeros; gives the end. */
export function writeDigits(view: DataView, at: number, value: number): number {
  return writePadded(view, at, value, widthOf(value));
}

function widthOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return value < 100_000_000 ? (value < 10_000_000 ? 7 : 8) : 9;
}

/** The last `width` digits of a whole number below 2^30; gives the end. */
export function writePadded(view: DataView, at: number, value: number, width: number): number {
  let rest = value | 0;
  let to = at + width;
  while (to - at >= 2) {
    const next = (rest / 100) | 0;
    to -= 2;
    view.setUint16(to, DIGIT_PAIRS[rest - next * 100] ?? 0, true);
    rest = next;
  }
  if (to > at) view.setUint8(at, 48 + (rest % 10));
  return at + width;
}
