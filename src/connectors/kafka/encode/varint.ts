/** Zigzag varints, as records have them (org.apache.kafka.common.utils.ByteUtils). Values: 32-bit, but for times. */

/** Bytes of a value that is not negative. */
export function sizeOfVarint(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x2000) return 2;
  if (value < 0x10_0000) return 3;
  return value < 0x800_0000 ? 4 : 5;
}

/** Returns the end. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let to = at;
  while (rest > 0x7f) {
    bytes[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[to] = rest;
  return to + 1;
}

/** The same of a whole number within ±2^52. Returns the end. */
export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return writeVarint(bytes, at, value);
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  let to = at;
  while (rest > 0x7f) {
    bytes[to++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  bytes[to] = rest;
  return to + 1;
}

/** A value within ±2^52. */
export function readVarint(bytes: Uint8Array, at: number): number {
  let raw = 0;
  let scale = 1;
  for (let from = at; ; from += 1) {
    const byte = bytes[from]!;
    raw += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}

export function endOfVarint(bytes: Uint8Array, at: number): number {
  let to = at;
  while (bytes[to]! > 0x7f) to += 1;
  return to + 1;
}
