import type { Gtid } from '../offset/gtid-set.ts';
import { CorruptEvent } from './corrupt-event.ts';
import { Cursor } from './lenenc.ts';

/** How a group of events (a transaction, or one statement that commits itself) begins. */
export interface GroupStart {
  /** What the transaction adds to what was executed; null for an anonymous one. */
  readonly gtid: Gtid | null;
  /** Ends with its one statement: no commit follows. */
  readonly standalone: boolean;
  /** An XA transaction that is prepared, not committed. */
  readonly prepares: boolean;
  /** When it was committed, microseconds since the epoch, where the event says so. */
  readonly commitMicros: number | null;
  /** MySQL 8: when it was committed at the server that wrote it first, where the event says so: the same at every replica. */
  readonly originMicros: number | null;
}

/**
 * MySQL's GTID_LOG_EVENT and ANONYMOUS_GTID_LOG_EVENT.
 *
 *   [ flags 1 ][ uuid 16 ][ number 8 ][ type 1 ][ last committed 8 ][ sequence 8 ]
 *   from 8.0: [ commit time 7, top bit: that of the origin follows ][ commit time at the origin 7 ] …
 */
export function readGtid(buffer: Buffer, start: number, end: number, anonymous: boolean): GroupStart {
  if (end - start < 25) throw new CorruptEvent('a GTID event ends early');
  const uuid = readUuid(buffer, start + 1);
  const number = buffer.readBigUInt64LE(start + 17);
  let commitMicros: number | null = null;
  let originMicros: number | null = null;
  if (end - start >= 49) {
    commitMicros = readMicros(buffer, start + 42);
    const isReplica = ((buffer[start + 48] ?? 0) & 0x80) !== 0;
    originMicros = isReplica && end - start >= 56 ? readMicros(buffer, start + 49) : commitMicros;
  }
  const gtid = anonymous ? null : { source: uuid, number };
  return { gtid, standalone: false, prepares: false, commitMicros, originMicros };
}

/**
 * MySQL's GTID_TAGGED_LOG_EVENT (8.3 and later): fields with numbers, each a variable-length integer.
 * Source: MySQL Server source documentation, mysql::serialization.
 *
 *   [ version ][ size ][ last non-ignorable field ] then per field [ field number ][ value ]
 *   0 flags, 1 uuid (16 values), 2 number (signed), 3 tag (length, text), … 6 commit time, 7 that of the origin if another
 */
export function readTaggedGtid(buffer: Buffer, start: number, end: number): GroupStart {
  const cursor = new Cursor(buffer, start, end);
  for (let index = 0; index < 3; index += 1) readVarint(cursor);
  let uuid = '';
  let number = 0n;
  let tag = '';
  let commitMicros: number | null = null;
  let originMicros: number | null = null;
  while (cursor.at < end) {
    const field = Number(readVarint(cursor));
    if (field === 1)
      for (let index = 0; index < 16; index += 1) uuid += Number(readVarint(cursor)).toString(16).padStart(2, '0');
    else if (field === 2) number = readVarint(cursor) >> 1n;
    else if (field === 3) tag = cursor.text(Number(readVarint(cursor)));
    else if (field === 6) {
      commitMicros = Number(readVarint(cursor));
      originMicros = commitMicros;
    } else if (field === 7) {
      originMicros = Number(readVarint(cursor));
      break;
    } else if (field > 7) break;
    else readVarint(cursor);
  }
  const source = tag === '' ? formatUuid(uuid) : `${formatUuid(uuid)}:${tag}`;
  return { gtid: { source, number }, standalone: false, prepares: false, commitMicros, originMicros };
}

/** Seven bytes, of which the top bit says something else. */
function readMicros(buffer: Buffer, at: number): number {
  return ((buffer[at + 6] ?? 0) & 0x7f) * 2 ** 48 + buffer.readUIntLE(at, 6);
}

/** The number of low one-bits of the first byte tells how many bytes follow it; little-endian behind them. */
export function readVarint(cursor: Cursor): bigint {
  const first = cursor.byte();
  let extra = 0;
  while (extra < 8 && (first & (1 << extra)) !== 0) extra += 1;
  let value = 0n;
  for (let index = 0; index < extra; index += 1) value |= BigInt(cursor.byte()) << BigInt(8 * index);
  if (extra >= 8) return value;
  return (value << BigInt(7 - extra)) | BigInt(first >> (extra + 1));
}

/**
 * MariaDB's GTID_EVENT: [ number 8 ][ domain 4 ][ flags 1 ]; flag 1: standalone, 64: an XA transaction is prepared, which
 * MySQL says by XA START. `serverId` is that of the event's header.
 */
export function readMariadbGtid(buffer: Buffer, start: number, end: number, serverId: number): GroupStart {
  if (end - start < 13) throw new CorruptEvent('a GTID event ends early');
  const flags = buffer[start + 12] ?? 0;
  const source = `${buffer.readUInt32LE(start + 8)}-${serverId}`;
  return {
    gtid: { source, number: buffer.readBigUInt64LE(start) },
    standalone: (flags & 1) !== 0,
    prepares: (flags & 64) !== 0,
    commitMicros: null,
    originMicros: null,
  };
}

/** A QUERY event: the statement, its default database, and whether double quotes are names in it. */
export interface Statement {
  readonly sql: string;
  readonly database: string;
  readonly ansiQuotes: boolean;
}

const SQL_MODE = 1;
const ANSI_QUOTES = 4;

/** The fixed part of a QUERY event, and of an EXECUTE_LOAD_QUERY event. */
const FIXED = 13;
const FIXED_OF_LOAD = FIXED + 13;

/**
 *   [ thread 4 ][ seconds 4 ][ n 1 ][ error 2 ][ m 2 ][ status variables m ][ database n ][ 0 ][ statement ]
 */
export function readStatement(buffer: Buffer, start: number, end: number): Statement {
  return readStatementBehind(FIXED, buffer, start, end);
}

/**
 * LOAD DATA, whose file is in the log before it: as above, with [ file id 4 ][ name from 4 ][ name to 4 ][ duplicates 1 ] before
 * the status variables.
 */
export function readLoadStatement(buffer: Buffer, start: number, end: number): Statement {
  return readStatementBehind(FIXED_OF_LOAD, buffer, start, end);
}

function readStatementBehind(fixed: number, buffer: Buffer, start: number, end: number): Statement {
  const sql = statementStart(buffer, start, end, fixed);
  const status = start + fixed;
  const database = status + buffer.readUInt16LE(start + 11);
  return {
    sql: buffer.toString('utf8', sql, end),
    database: buffer.toString('utf8', database, sql - 1),
    ansiQuotes: (sqlMode(buffer, status, database) & ANSI_QUOTES) !== 0,
  };
}

/** Where the text of a statement begins, by the layout above. Errors: CorruptEvent if that is beyond `end`. */
export function statementStart(buffer: Buffer, start: number, end: number, fixed = FIXED): number {
  if (end - start < fixed) throw new CorruptEvent('a statement ends early');
  const databaseBytes = buffer[start + 8] ?? 0;
  const at = start + fixed + buffer.readUInt16LE(start + 11) + databaseBytes + 1;
  if (at > end) throw new CorruptEvent('a statement ends early');
  return at;
}

/** Status variables: [ code 1 ][ value ]; the SQL mode (8 bytes) comes first or behind the flags (4 bytes). */
function sqlMode(buffer: Buffer, start: number, end: number): number {
  let at = start;
  if (at < end && buffer[at] === 0) at += 5;
  return at + 9 <= end && buffer[at] === SQL_MODE ? buffer.readUInt32LE(at + 1) : 0;
}

/** The uuid that was read last: most transactions of a log come from one server. */
const lastUuid = { bytes: Buffer.alloc(16), text: formatUuid('0'.repeat(32)) };

function readUuid(buffer: Buffer, at: number): string {
  if (buffer.compare(lastUuid.bytes, 0, 16, at, at + 16) !== 0) {
    buffer.copy(lastUuid.bytes, 0, at, at + 16);
    lastUuid.text = formatUuid(lastUuid.bytes.toString('hex'));
  }
  return lastUuid.text;
}

export function formatUuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
