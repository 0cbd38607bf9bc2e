import { UNKNOWN } from './utf8-writer.ts';

export function isAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte >= 0x80) return false;
  return true;
}

/** The server stores any byte as `ascii`, and shows the upper half as unknown. */
export function decodeAscii(bytes: Buffer): Buffer {
  return isAscii(bytes) ? bytes : Buffer.from(bytes.map((byte) => (byte < 0x80 ? byte : UNKNOWN)));
}
