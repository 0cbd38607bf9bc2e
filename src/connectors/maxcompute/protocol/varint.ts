/*
 * Varints as protobuf has them: seven bits a byte, the lowest first, the top bit says that more follow. Signed numbers
 * are zigzagged before: 0, -1, 1, -2, … become 0, 1, 2, 3, … Each function returns where the number ended.
 */

export const VARINT_BYTES_MAX = 10;

/** An unsigned number below 2^32. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0;
  let to = at;
  while (rest > 0x7f) {
    bytes[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[to] = rest;
  return to + 1;
}

/** A whole number, zigzagged, whose magnitude is at most 2^53 - 1. */
export function writeZigzag(bytes: Uint8Array, at: number, value: number): number {
  const int = value | 0;
  if (int === value) return writeVarint(bytes, at, (int << 1) ^ (int >> 31));
  const high = Math.floor(value / 4294967296);
  return writeZigzag64(bytes, at, value - high * 4294967296, high);
}

/** An int64, zigzagged, given as its halves. */
export function writeZigzag64(bytes: Uint8Array, at: number, low: number, high: number): number {
  const sign = high >> 31;
  let restLow = ((low << 1) ^ sign) >>> 0;
  let restHigh = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
  let to = at;
  while (restHigh !== 0) {
    bytes[to++] = (restLow & 0x7f) | 0x80;
    restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0;
    restHigh >>>= 7;
  }
  return writeVarint(bytes, to, restLow);
}
