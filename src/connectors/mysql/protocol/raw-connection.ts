import type { Duplex } from 'node:stream';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import { MysqlServerError } from '../errors.ts';
import type { DirectSocket } from './direct-socket.ts';
import { PacketReader } from './packet-reader.ts';
import { watchSilence } from './silence.ts';

const COM_QUERY = 0x03;
const COM_BINLOG_DUMP = 0x12;
/** Ends at the end of the log instead of waiting there. */
const NON_BLOCKING = 1;
const NULL_VALUE = 0xfb;
/** In place of a result, where a client offers LOCAL INFILE; we never do. */
const ASKS_FOR_FILE = 0xfb;
const LENGTH_BYTES_MAX = 9;
const LONG_PACKET_BYTES = 4 << 20;

/** Takes the text rows of one result, still as the server sent them. */
export interface RowReceiver {
  /** One row: per column a length-encoded text, or 0xfb for NULL. Valid during the call. False when no more are wanted. */
  row(buffer: Buffer, start: number, end: number): boolean;
}

/**
 * A connection that a library has authenticated and that we speak from then on: text queries and the binary log.
 * One command at a time. Errors: MysqlServerError, or the socket's own.
 */
export class RawConnection {
  readonly reader: PacketReader;
  /** Called, and waited for, when a packet is known to be long and most of it has not come yet. */
  onLongPacket: (() => Promise<void>) | null = null;
  readonly #socket: Duplex;
  readonly #isAtWork: (() => Promise<boolean>) | null;

  /**
   * `direct` is given when the socket is one that reads without chunks; `isAtWork` tells, on another connection, whether the
   * server still works on what was asked here.
   */
  constructor(socket: Duplex, direct: DirectSocket | null = null, isAtWork: (() => Promise<boolean>) | null = null) {
    this.#socket = socket;
    this.#isAtWork = isAtWork;
    this.reader = new PacketReader(socket);
    this.reader.measure = measureRow;
    direct?.readTo(this.reader);
  }

  /**
   * Runs a statement and hands every row of its result, if it has one, to `receiver`. False when it wanted no more of them:
   * the connection is of no more use then.
   */
  async select(sql: string, receiver: RowReceiver): Promise<boolean> {
    const { reader } = this;
    this.#send(COM_QUERY, Buffer.from(sql, 'utf8'));
    await this.#packet();
    if (reader.buffer[reader.start] === 0x00) {
      reader.release();
      return true;
    }
    if (reader.buffer[reader.start] === ASKS_FOR_FILE)
      throw new PipelineError(
        'fatal',
        'MySQL.AsksForFile',
        'the server asks for a file of this machine (LOCAL INFILE)',
        {
          hint: 'It gets none. No server does that of itself: see what answers at the address of the data source.',
        },
      );
    const columns = readLength(reader.buffer, reader.start).value;
    for (let column = 0; column < columns; column += 1) await this.#packet();
    await this.#packet(); // EOF after the column definitions
    for (;;) {
      // No promise for each row.
      while (reader.take()) {
        if (reader.buffer[reader.start] === 0xff) throw readError(reader.buffer, reader.start, reader.end);
        if (isEof(reader)) {
          reader.release();
          return true;
        }
        if (!receiver.row(reader.buffer, reader.start, reader.end)) return false;
      }
      reader.release();
      if (this.onLongPacket !== null && reader.pending >= LONG_PACKET_BYTES) await this.onLongPacket();
      await this.#more();
    }
  }

  /** Runs a statement and gives its rows as texts. */
  async query(sql: string): Promise<(string | null)[][]> {
    const rows: (string | null)[][] = [];
    await this.select(sql, { row: (buffer, start, end) => rows.push(readTexts(buffer, start, end)) > 0 });
    return rows;
  }

  /**
   * Asks for the binary log from `position` of `file` on; its events follow as packets whose first byte is 0.
   * Source: MySQL client/server protocol, COM_BINLOG_DUMP.
   *
   *   [ 0x12 ][ position 4 ][ flags 2 ][ server id 4 ][ file name ]
   */
  dump(file: string, position: number, serverId: number): void {
    this.#dump(file, position, serverId, 0);
  }

  /** The same, up to the end of the log: an EOF packet is the last. */
  dumpToEnd(file: string, position: number, serverId: number): void {
    this.#dump(file, position, serverId, NON_BLOCKING);
  }

  /** Asks for the log from there to its end only. Errors: MysqlServerError when the account may not read it. */
  async probeDump(file: string, position: number, serverId: number): Promise<void> {
    await this.query(
      'SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum',
    );
    this.dumpToEnd(file, position, serverId);
    do await this.#packet();
    while (!isEof(this.reader));
  }

  #dump(file: string, position: number, serverId: number, flags: number): void {
    const name = Buffer.from(file, 'utf8');
    const body = Buffer.alloc(10 + name.length);
    body.writeUInt32LE(position, 0);
    body.writeUInt16LE(flags, 4);
    body.writeUInt32LE(serverId, 6);
    name.copy(body, 10);
    this.#send(COM_BINLOG_DUMP, body);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The next packet; an error packet is thrown. */
  async #packet(): Promise<void> {
    const { reader } = this;
    while (!reader.take()) {
      reader.release();
      await this.#more();
    }
    if (reader.buffer[reader.start] === 0xff) throw readError(reader.buffer, reader.start, reader.end);
  }

  async #more(): Promise<void> {
    if (this.#isAtWork === null) return this.reader.more();
    const end = watchSilence(this.#isAtWork, (error) => this.#socket.destroy(error));
    try {
      await this.reader.more();
    } finally {
      end();
    }
  }

  #send(command: number, body: Buffer): void {
    const packet = Buffer.allocUnsafe(5 + body.length);
    packet.writeUIntLE(body.length + 1, 0, 3);
    packet[3] = 0;
    packet[4] = command;
    body.copy(packet, 5);
    this.#socket.write(packet);
  }
}

/** A row ends not before the first of its values that is not whole. */
function measureRow(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (end - at >= LENGTH_BYTES_MAX) {
    if (buffer[at] === NULL_VALUE) {
      at += 1;
      continue;
    }
    const { value, next } = readLength(buffer, at);
    at = next + value;
  }
  return at - start;
}

/** [ 0xff ][ error number 2 ][ '#' ][ SQL state 5 ][ message ] */
export function readError(buffer: Buffer, start: number, end: number): MysqlServerError {
  if (end - start < 3) return new MysqlServerError(0, 'an error packet that ends early');
  const at = buffer[start + 3] === 0x23 ? start + 9 : start + 3;
  return new MysqlServerError(buffer.readUInt16LE(start + 1), buffer.toString('utf8', at, end));
}

function isEof(reader: PacketReader): boolean {
  return reader.buffer[reader.start] === 0xfe && reader.end - reader.start < 9;
}

/** A length-encoded integer: one byte up to 0xfa, or 0xfc, 0xfd, 0xfe and 2, 3, 8 bytes, little-endian. */
export function readLength(buffer: Buffer, at: number): { value: number; next: number } {
  const first = buffer[at]!;
  if (first < NULL_VALUE) return { value: first, next: at + 1 };
  if (first === 0xfc) return { value: buffer.readUInt16LE(at + 1), next: at + 3 };
  if (first === 0xfd) return { value: buffer.readUIntLE(at + 1, 3), next: at + 4 };
  return { value: Number(buffer.readBigUInt64LE(at + 1)), next: at + 9 };
}

function readTexts(buffer: Buffer, start: number, end: number): (string | null)[] {
  const texts: (string | null)[] = [];
  for (let at = start; at < end; ) {
    if (buffer[at] === NULL_VALUE) {
      texts.push(null);
      at += 1;
      continue;
    }
    const { value, next } = readLength(buffer, at);
    texts.push(buffer.toString('utf8', next, next + value));
    at = next + value;
  }
  return texts;
}
