import { crc32 } from 'node:zlib';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { connectRaw } from './connect.ts';
import { toPipelineError } from './errors.ts';
import type { MysqlSettings } from './options.ts';
import { describePosition, type LogPosition } from './offset/position.ts';
import { CorruptEvent, withPlace } from './protocol/corrupt-event.ts';
import * as ev from './protocol/event.ts';
import { expand } from './protocol/compressed-event.ts';
import type { EventSlot, NestedEvents } from './protocol/nested-events.ts';
import { openPayload } from './protocol/transaction-payload.ts';
import { PacketTooLarge } from './protocol/packet-reader.ts';
import { type RawConnection, readError } from './protocol/raw-connection.ts';
import { rowTooLarge } from './row-too-large.ts';
import { checkSameServer } from './same-server.ts';

const HEARTBEAT_SECONDS = 1;
/** Silence for this long is a dead connection: heartbeats come every second. */
const SILENCE_MS = 20_000;
const CHECKSUM_BYTES = 4;
/** Versions, time, length of headers, and the algorithm of sums. */
const FORMAT_BYTES_MIN = 2 + 50 + 4 + 1 + 1;
const WRAP = 2 ** 32;

export interface ReaderIds {
  /** Ours, as servers tell their replicas apart. */
  readonly serverId: number;
  /** Of the server that must answer; null for whichever does. */
  readonly identity: string | null;
}

/**
 * The binary log as a row of events: takes them from the connection, checks their sums, and knows the position.
 * The event last taken is in `type`, `timestamp`, `body`…; valid until `release`.
 */
export class BinlogReader implements EventSlot {
  type = 0;
  timestamp = 0;
  buffer: Buffer = Buffer.alloc(0);
  bodyStart = 0;
  bodyEnd = 0;
  /** Behind the event last taken. */
  position: LogPosition;
  /** Bytes from the begin of the file to the event last taken; of what is packed, to the event that holds it. */
  begin = 0;
  /** Bytes of what was packed in the same event before the one last taken: the same whenever it is read. */
  within = 0;
  /** When the present file was begun, seconds since the epoch. */
  fileBegun = 0;

  readonly #connection: RawConnection;
  readonly #nested: NestedEvents[] = [];
  #unpacked = 0;
  #checksum: boolean;
  #silence: NodeJS.Timeout | undefined;

  private constructor(connection: RawConnection, from: LogPosition, checksum: boolean) {
    this.#connection = connection;
    this.position = from;
    this.#checksum = checksum;
    connection.reader.measure = measureEvent;
  }

  /** Asks the server for its log from `from` on, which is below 4 GiB: the command has no larger ones. Errors: PipelineError. */
  static async open(
    settings: MysqlSettings,
    from: LogPosition,
    { serverId, identity }: ReaderIds,
  ): Promise<BinlogReader> {
    const connection = await connectRaw(settings);
    try {
      if (identity !== null) await checkSameServer(connection, identity);
      const [[checksum] = []] = await connection.query('SELECT @@global.binlog_checksum');
      for (const sql of sessionStatements()) await connection.query(sql);
      connection.dump(from.file, from.position, serverId);
      return BinlogReader.over(connection, from, { checksum: checksum !== 'NONE' });
    } catch (error) {
      connection.close();
      throw toPipelineError(error, 'asking for the binary log');
    }
  }

  /** Reads a stream that was asked for elsewhere. */
  static over(connection: RawConnection, from: LogPosition, options: { checksum: boolean }): BinlogReader {
    return new BinlogReader(connection, from, options.checksum);
  }

  /**
   * Takes the next event if it is whole. Rotations, formats and heartbeats are dealt with here and given out as well;
   * instead of events that are packed or compressed, what is in them. `position` is behind the outermost one.
   * Errors: PipelineError for an error packet, a wrong sum, or the end of the stream.
   */
  take(): boolean {
    if (this.#takeNested()) return true;
    if (this.#nested.length > 0 || !this.#takeFromLog()) return false;
    try {
      if (this.type === ev.TRANSACTION_PAYLOAD)
        this.#nested.push(openPayload(this.buffer, this.bodyStart, this.bodyEnd));
      else expand(this);
    } catch (error) {
      throw withPlace(error, describePosition(this.position));
    }
    return this.#nested.length === 0 || this.#takeNested();
  }

  /** The events of `nested` come next, before the log goes on. */
  insert(nested: NestedEvents): void {
    this.#nested.push(nested);
  }

  #takeNested(): boolean {
    try {
      for (let nested = this.#nested.at(-1); nested !== undefined; nested = this.#nested.at(-1)) {
        if (nested.take(this)) {
          this.within = this.#unpacked;
          this.#unpacked += this.bodyEnd - this.bodyStart;
          return true;
        }
        if (!nested.ended) return false;
        this.#nested.pop();
      }
    } catch (error) {
      throw withPlace(error, describePosition(this.position));
    }
    return false;
  }

  #takeFromLog(): boolean {
    const { reader } = this.#connection;
    if (!reader.take()) return false;
    const { buffer, start, end } = reader;
    if (start === end) throw this.#damaged('is empty');
    const status = buffer[start];
    if (status === 0xff) throw toPipelineError(readError(buffer, start, end), 'reading the binary log');
    if (status !== 0)
      throw new PipelineError('transient', 'MySQL.Unavailable', 'the server ended the binary log stream');
    this.#read(buffer, start + 1, end);
    return true;
  }

  /** No longer event is taken. */
  limitEvents(bytesMax: number): void {
    this.#connection.reader.bytesMax = bytesMax;
  }

  /**
   * Waits for bytes; what was taken stays valid. Errors: PipelineError `transient`, also after 20 s without any; `fatal` when
   * the event that comes is too long.
   */
  async more(): Promise<void> {
    const nested = this.#nested.at(-1);
    try {
      if (nested !== undefined) return await nested.more();
      await Promise.race([this.#connection.reader.more(), this.#silent()]);
    } catch (error) {
      if (error instanceof PacketTooLarge) {
        const { bytesMax } = this.#connection.reader;
        throw rowTooLarge(error, { what: `the event behind ${describePosition(this.position)}`, bytesMax });
      }
      throw toPipelineError(withPlace(error, describePosition(this.position)), 'reading the binary log');
    } finally {
      clearTimeout(this.#silence);
    }
  }

  /** Ends a wait in `more`. */
  poke(): void {
    this.#connection.reader.poke();
  }

  /** Bytes of a packed event stay until all that is in it was taken. */
  release(): void {
    if (this.#nested.length === 0) this.#connection.reader.release();
  }

  close(): void {
    clearTimeout(this.#silence);
    for (const nested of this.#nested.splice(0)) nested.close();
    this.#connection.close();
  }

  #silent(): Promise<never> {
    return new Promise((_, reject) => {
      this.#silence = setTimeout(
        () => reject(new Error(`nothing came for ${SILENCE_MS / 1000} s, not even a heartbeat`)),
        SILENCE_MS,
      );
    });
  }

  #read(buffer: Buffer, start: number, end: number): void {
    this.#checkLength(end - start, ev.EVENT_HEADER + (this.#checksum ? CHECKSUM_BYTES : 0));
    this.buffer = buffer;
    this.within = 0;
    this.#unpacked = 0;
    this.timestamp = buffer.readUInt32LE(start);
    this.type = buffer[start + 4] ?? 0;
    const logPos = buffer.readUInt32LE(start + 13);
    const flags = buffer.readUInt16LE(start + 17);
    this.bodyStart = start + ev.EVENT_HEADER;
    if (this.type === ev.FORMAT_DESCRIPTION) this.#readFormat(buffer, start, end);
    else {
      this.bodyEnd = this.#checksum ? end - CHECKSUM_BYTES : end;
      if (this.#checksum) this.#verify(buffer, start, end);
    }
    if (buffer.readUInt32LE(start + 9) !== end - start) throw this.#damaged('does not have the length that it says');
    if (this.type === ev.ROTATE) {
      this.#checkLength(this.bodyEnd - this.bodyStart, 9);
      this.fileBegun = 0; // not known until the new file's first event
      this.position = {
        file: buffer.toString('utf8', this.bodyStart + 8, this.bodyEnd),
        position: Number(buffer.readBigUInt64LE(this.bodyStart)),
      };
    } else if (
      logPos !== 0 &&
      (flags & ev.FLAG_ARTIFICIAL) === 0 &&
      this.type !== ev.HEARTBEAT &&
      this.type !== ev.HEARTBEAT_V2
    ) {
      this.#advance(logPos);
      this.begin = this.position.position - (end - start);
    }
    if (this.type < 160 ? this.type > ev.GTID_TAGGED : this.type > 171) this.#refuseUnknown(flags);
  }

  /**
   * [ version 2 ][ server version 50 ][ created 4 ] … [ checksum algorithm 1 ][ CRC32 4 ]
   *
   * It has its sum also in a file whose other events have none; but where the server zeroes `created`, as reading begins
   * within the file, it then leaves the old sum.
   */
  #readFormat(buffer: Buffer, start: number, end: number): void {
    this.bodyEnd = end - CHECKSUM_BYTES;
    this.#checkLength(this.bodyEnd - this.bodyStart, FORMAT_BYTES_MIN);
    const hasSums = buffer[this.bodyEnd - 1] === 1;
    if (hasSums || buffer.readUInt32LE(this.bodyStart + 52) !== 0) this.#verify(buffer, start, end);
    this.#checksum = hasSums;
    this.fileBegun = this.timestamp;
  }

  #checkLength(bytes: number, least: number): void {
    if (bytes < least) throw this.#damaged('ends early');
  }

  /** Of the server that wrote the event last taken; only for one of the log itself, not for what is packed in it. */
  get serverId(): number {
    return this.buffer.readUInt32LE(this.bodyStart - ev.EVENT_HEADER + 5);
  }

  /** Where a heartbeat says the server is: behind events that it did not send. Only true between transactions. */
  takeHeartbeatPosition(): void {
    const logPos = this.buffer.readUInt32LE(this.bodyStart - 6);
    if (this.type === ev.HEARTBEAT && logPos > 4) this.#advance(logPos);
  }

  /** Positions in the log have 32 bits; a file of over 4 GiB goes round. */
  #advance(logPos: number): void {
    const before = this.position.position;
    let position = before - (before % WRAP) + logPos;
    if (position < before - WRAP / 2) position += WRAP;
    if (position > before) this.position = { file: this.position.file, position };
  }

  #verify(buffer: Buffer, start: number, end: number): void {
    if (crc32(buffer.subarray(start, end - CHECKSUM_BYTES)) === buffer.readUInt32LE(end - CHECKSUM_BYTES)) return;
    throw this.#damaged('does not match its checksum');
  }

  #damaged(how: string): PipelineError {
    return new CorruptEvent(`an event after ${this.position.file}:${this.position.position} ${how}`);
  }

  #refuseUnknown(flags: number): void {
    if ((flags & ev.FLAG_IGNORABLE) !== 0) return;
    throw new PipelineError(
      'fatal',
      'MySQL.UnknownEvent',
      `the log has an event of the unknown type ${this.type} at ${this.position.file}:${this.position.position}`,
      {
        hint: 'This server is newer than disync knows. Please report it with the server’s version.',
      },
    );
  }
}

/** [ status 1 ][ timestamp 4 ][ type 1 ][ server id 4 ][ length of the event 4 ] */
function measureEvent(buffer: Buffer, start: number, end: number): number {
  return end - start < 14 ? 0 : 1 + buffer.readUInt32LE(start + 10);
}

function sessionStatements(): string[] {
  const period = HEARTBEAT_SECONDS * 1e9;
  return [
    'SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum',
    `SET @master_heartbeat_period = ${period}, @source_heartbeat_period = ${period}`,
    // Without it MariaDB sends no GTID events, but made-up BEGINs.
    'SET @mariadb_slave_capability = 4',
  ];
}
