import { inflateRawSync, inflateSync } from 'node:zlib';
import { CorruptEvent } from './corrupt-event.ts';

/** zlib cannot make more of a byte. */
const INFLATED_MAX = 1032;

/**
 * What a value of one of MariaDB's COMPRESSED columns holds: [ 0 ][ bytes ], or [ 0x80 | 8: no zlib header | n ][ length, n of
 * them, big-endian ][ deflated ]. Nothing at all is the empty value.
 * Errors: CorruptEvent. Source: MariaDB Server, Field_longstr::uncompress.
 */
export function expandValue(buffer: Buffer, start: number, end: number): Buffer {
  if (start === end) return buffer.subarray(start, end);
  const head = buffer[start]!;
  if (head === 0) return buffer.subarray(start + 1, end);
  const lengthBytes = head & 7;
  if ((head & 0xf0) !== 0x80 || lengthBytes < 1 || lengthBytes > 4 || end - start < 1 + lengthBytes) throw damaged();
  const length = buffer.readUIntBE(start + 1, lengthBytes);
  const packed = buffer.subarray(start + 1 + lengthBytes, end);
  if (length > packed.length * INFLATED_MAX) throw damaged();
  let plain: Buffer;
  try {
    plain = ((head & 8) === 0 ? inflateSync : inflateRawSync)(packed, { maxOutputLength: Math.max(length, 1) });
  } catch {
    throw damaged();
  }
  if (plain.length !== length) throw damaged();
  return plain;
}

function damaged(): CorruptEvent {
  return new CorruptEvent('a value of a COMPRESSED column cannot be unpacked');
}
