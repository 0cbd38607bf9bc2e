import { UNKNOWN, writeUtf8 } from './utf8-writer.ts';

/** Decodes code units of 2 or 4 bytes; a byte order mark is a character like any other, as it is to the server. */
export function decodeUnits(
  size: 2 | 4,
  order: 'big' | 'little',
  pairs: 'surrogates' | 'none',
): (bytes: Buffer) => Buffer {
  return (bytes) => {
    const out = Buffer.allocUnsafe(bytes.length * 2);
    const unit = (at: number) => (order === 'big' ? bytes.readUIntBE(at, size) : bytes.readUIntLE(at, size));
    let to = 0;
    for (let at = 0; at + size <= bytes.length; at += size) {
      let point = unit(at);
      if (point >= 0xd800 && point < 0xe000) {
        const low = pairs === 'surrogates' && at + 4 <= bytes.length ? unit(at + 2) : 0;
        if (point < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
          point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
          at += 2;
        } else point = UNKNOWN;
      } else if (point > 0x10ffff) point = UNKNOWN;
      to = writeUtf8(out, to, point);
    }
    return out.subarray(0, to);
  };
}
