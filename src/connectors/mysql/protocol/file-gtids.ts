import { GtidPosition } from '../offset/gtid-position.ts';
import { GtidSet } from '../offset/gtid-set.ts';
import { CorruptEvent } from './corrupt-event.ts';
import { formatUuid, readVarint } from './group-events.ts';
import { Cursor } from './lenenc.ts';

/**
 * MySQL's PREVIOUS_GTIDS_LOG_EVENT: what was executed before this file was begun, as the text of a set.
 *
 *   [ count 8 ] then per source [ uuid 16 ][ intervals 8 ] and per interval [ first 8 ][ behind the last 8 ]
 *   from 8.3, with tags: [ 1 ][ count 6 ][ 1 ], and behind each uuid [ length of the tag, varint ][ tag ]
 *
 * Source: MySQL Server source documentation, Gtid_set::encode.
 */
export function readPreviousGtids(buffer: Buffer, start: number, end: number): string {
  const cursor = new Cursor(buffer, start, end);
  const head = cursor.part(8);
  const isTagged = buffer[start + 7] === 1;
  if (isTagged) head.skip(1);
  const count = head.uint(6);
  const sources: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const fields = [formatUuid(cursor.bytes(16).toString('hex'))];
    const tagBytes = isTagged ? Number(readVarint(cursor)) : 0;
    if (tagBytes > 0) fields.push(cursor.text(tagBytes));
    const intervals = readNumber(cursor);
    for (let interval = 0n; interval < intervals; interval += 1n) {
      const first = readNumber(cursor);
      fields.push(`${first}-${readNumber(cursor) - 1n}`);
    }
    sources.push(fields.join(':'));
  }
  return whole(() => GtidSet.parse(sources.join(',')));
}

/**
 * MariaDB's GTID_LIST_EVENT: the last transaction of each server in each domain before this file was begun; of a domain's
 * the last one comes last.
 *
 *   [ count 4, of which the top 4 bits are flags ] then [ domain 4 ][ server 4 ][ number 8 ] each
 */
export function readGtidList(buffer: Buffer, start: number, end: number): string {
  if (end - start < 4) throw new CorruptEvent('a list of GTIDs ends early');
  const cursor = new Cursor(buffer, start, end);
  const count = cursor.uint(4) % 2 ** 28;
  const entries: string[] = [];
  for (let index = 0; index < count; index += 1)
    entries.push(`${cursor.uint(4)}-${cursor.uint(4)}-${readNumber(cursor)}`);
  return whole(() => GtidPosition.parse(entries.join(',')));
}

function whole(parse: () => GtidSet | GtidPosition): string {
  try {
    return parse().toString();
  } catch {
    throw new CorruptEvent('a file begins with GTIDs that cannot be');
  }
}

function readNumber(cursor: Cursor): bigint {
  const bytes = cursor.part(8);
  return bytes.buffer.readBigUInt64LE(bytes.at);
}
