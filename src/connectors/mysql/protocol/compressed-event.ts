import { inflateSync } from 'node:zlib';
import { CorruptEvent } from './corrupt-event.ts';
import * as ev from './event.ts';
import { Cursor } from './lenenc.ts';
import type { EventSlot } from './nested-events.ts';
import { statementStart } from './group-events.ts';

/** The plain type of each compressed one. */
const PLAIN: Readonly<Record<number, number>> = {
  [ev.MARIADB_QUERY_COMPRESSED]: ev.QUERY,
  [ev.MARIADB_QUERY_COMPRESSED + 1]: ev.WRITE_ROWS_V1,
  [ev.MARIADB_QUERY_COMPRESSED + 2]: ev.UPDATE_ROWS_V1,
  [ev.MARIADB_QUERY_COMPRESSED + 3]: ev.DELETE_ROWS_V1,
  [ev.MARIADB_QUERY_COMPRESSED + 4]: ev.WRITE_ROWS_V2,
  [ev.MARIADB_QUERY_COMPRESSED + 5]: ev.UPDATE_ROWS_V2,
  [ev.MARIADB_QUERY_COMPRESSED + 6]: ev.DELETE_ROWS_V2,
};

/** zlib cannot make more of a byte. */
const INFLATED_MAX = 1032;

/**
 * Makes MariaDB's compressed statement or rows the plain event, in a buffer of its own; other events stay as they are.
 * Compressed is what follows a statement's database, or the bitmaps of rows:
 *
 *   [ 0x80 | algorithm << 4 | n ][ bytes, n of them, big-endian ][ zlib ]
 *
 * Errors: CorruptEvent, also when the bytes are not as many as it says.
 * Source: MariaDB Server, "Compressed events".
 */
export function expand(slot: EventSlot): void {
  const type = PLAIN[slot.type];
  if (type === undefined) return;
  const { buffer, bodyStart, bodyEnd } = slot;
  const packedAt = type === ev.QUERY ? statementStart(buffer, bodyStart, bodyEnd) : imagesAt(type, slot);
  const plain = inflate(new Cursor(buffer, packedAt, bodyEnd));
  slot.buffer = Buffer.concat([buffer.subarray(bodyStart, packedAt), plain]);
  slot.type = type;
  slot.bodyStart = 0;
  slot.bodyEnd = slot.buffer.length;
}

function imagesAt(type: number, { buffer, bodyStart, bodyEnd }: EventSlot): number {
  const cursor = new Cursor(buffer, bodyStart, bodyEnd);
  cursor.skip(8);
  if (type >= ev.WRITE_ROWS_V2) cursor.skip(cursor.uint(2) - 2);
  const bitmapBytes = (cursor.length() + 7) >> 3;
  cursor.skip(type === ev.UPDATE_ROWS_V1 || type === ev.UPDATE_ROWS_V2 ? 2 * bitmapBytes : bitmapBytes);
  return cursor.at;
}

function inflate(cursor: Cursor): Buffer {
  const head = cursor.byte();
  if ((head & 0xf0) !== 0x80) throw new CorruptEvent('an event is compressed in a way that no server has');
  let bytes = 0;
  for (let left = head & 0x07; left > 0; left -= 1) bytes = bytes * 256 + cursor.byte();
  const packed = cursor.buffer.subarray(cursor.at, cursor.end);
  if (bytes > packed.length * INFLATED_MAX) throw new CorruptEvent('a compressed event says an impossible size');
  let plain: Buffer;
  try {
    plain = inflateSync(packed, { maxOutputLength: Math.max(bytes, 1) });
  } catch {
    throw new CorruptEvent('a compressed event cannot be unpacked');
  }
  if (plain.length !== bytes) throw new CorruptEvent('a compressed event does not have the size that it says');
  return plain;
}
