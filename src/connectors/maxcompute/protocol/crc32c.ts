/*
 * CRC-32C (Castagnoli), fed a word at a time: what the tunnel puts through it is mostly numbers that lie in no buffer.
 * A register starts at CRC_START, and `crcValue` gives the CRC of all it was fed; of nothing it is 0.
 */
export const CRC_START = -1;

const POLYNOMIAL = 0x82f63b78;
/** Eight tables of 256, one behind the other: table k is of a byte with k bytes behind it ("slicing by 8"). */
const TABLES = makeTables();

export function crcValue(register: number): number {
  return ~register >>> 0;
}

export function crcOfByte(register: number, byte: number): number {
  return TABLES[(register ^ byte) & 0xff]! ^ (register >>> 8);
}

/** The four bytes of an int32, little-endian. */
export function crcOfInt32(register: number, value: number): number {
  const word = register ^ value;
  return (
    TABLES[768 + (word & 0xff)]! ^
    TABLES[512 + ((word >>> 8) & 0xff)]! ^
    TABLES[256 + ((word >>> 16) & 0xff)]! ^
    TABLES[word >>> 24]!
  );
}

/** The eight bytes of an int64, little-endian, given as its halves. */
export function crcOfInt64(register: number, low: number, high: number): number {
  const word = register ^ low;
  return (
    TABLES[1792 + (word & 0xff)]! ^
    TABLES[1536 + ((word >>> 8) & 0xff)]! ^
    TABLES[1280 + ((word >>> 16) & 0xff)]! ^
    TABLES[1024 + (word >>> 24)]! ^
    TABLES[768 + (high & 0xff)]! ^
    TABLES[512 + ((high >>> 8) & 0xff)]! ^
    TABLES[256 + ((high >>> 16) & 0xff)]! ^
    TABLES[high >>> 24]!
  );
}

/** The bytes that `view` has from `start` to `end`. */
export function crcOfBytes(register: number, view: DataView, start: number, end: number): number {
  let crc = register;
  let at = start;
  for (const words = end - 7; at < words; at += 8) {
    crc = crcOfInt64(crc, view.getInt32(at, true), view.getInt32(at + 4, true));
  }
  for (; at < end; at += 1) crc = crcOfByte(crc, view.getUint8(at));
  return crc;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256]!;
    tables[at] = tables[before & 0xff]! ^ (before >>> 8);
  }
  return tables;
}
