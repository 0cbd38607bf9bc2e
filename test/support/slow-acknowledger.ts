import { setTimeout as sleep } from 'node:timers/promises';
import type { Duplex } from 'node:stream';
import mysql from 'mysql2';
import { RawConnection } from '../../src/connectors/mysql/protocol/raw-connection.ts';
import { mysqlClient, type TestServer } from './servers.ts';

const MAGIC = 0xef;
const ROTATE = 4;
/** [ 0 ][ 0xef ][ an answer is wanted 1 ], then the event. */
const PREFIX = 3;
const EVENT_HEADER = 19;

/**
 * A replica that keeps nothing: it takes part in semi-synchronous replication and acknowledges late, so that what was written to
 * the log stays unseen in the storage engine for that long.
 * Source: MySQL Server source documentation, semi-synchronous replication; MariaDB speaks the same.
 */
export class SlowAcknowledger {
  /** How many acknowledgements it has given. */
  given = 0;
  readonly #stream: Duplex;
  readonly #raw: RawConnection;
  readonly #delayMs: () => number;
  #file = '';
  #dueMs = 0;

  private constructor(stream: Duplex, delayMs: () => number) {
    this.#stream = stream;
    this.#raw = new RawConnection(stream);
    this.#delayMs = delayMs;
  }

  /** Connects from the end of the log on; the server must have semi-synchronous replication enabled. */
  static async connect(server: TestServer, delayMs: () => number): Promise<SlowAcknowledger> {
    const { port, user, password } = server;
    const [file, position] = await logEnd(server);
    const connection = mysql.createConnection({
      host: '127.0.0.1',
      port,
      user,
      password,
      flags: ['-CLIENT_QUERY_ATTRIBUTES', '-SESSION_TRACK'],
    });
    await new Promise<void>((resolve, reject) =>
      connection.connect((error) => (error === null ? resolve() : reject(error))),
    );
    connection.on('error', () => {});
    const { stream } = connection as unknown as { stream: Duplex };
    stream.removeAllListeners('data');
    const one = new SlowAcknowledger(stream, delayMs);
    await one.#raw.query(
      'SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum',
    );
    await one.#raw.query('SET @rpl_semi_sync_slave = 1, @rpl_semi_sync_replica = 1, @mariadb_slave_capability = 4');
    one.#raw.dump(file, position, 4_000_000_001);
    one.#read().catch(() => {});
    return one;
  }

  close(): void {
    this.#raw.close();
  }

  async #read(): Promise<void> {
    const { reader } = this.#raw;
    for (;;) {
      while (!reader.take()) {
        reader.release();
        await reader.more();
      }
      const { buffer, start, end } = reader;
      if (buffer[start] !== 0) return this.close();
      const event = start + PREFIX;
      // The name ends with the event, or with its sum.
      if (buffer[event + 4] === ROTATE)
        this.#file = /^[^.]*\.\d+/.exec(buffer.toString('latin1', event + EVENT_HEADER + 8, end))?.[0] ?? this.#file;
      if (buffer[start + 2] === 1) this.#acknowledgeLater(this.#file, buffer.readUInt32LE(event + 13));
    }
  }

  /** In order: what is acknowledged covers everything before it. */
  #acknowledgeLater(file: string, position: number): void {
    const now = performance.now();
    this.#dueMs = Math.max(this.#dueMs, now + this.#delayMs());
    void sleep(this.#dueMs - now).then(() => {
      if (this.#stream.destroyed) return;
      this.given += 1;
      this.#stream.write(acknowledgement(file, position));
    });
  }
}

/** [ length 3 ][ 0 ][ 0xef ][ position 8 ][ file ] */
function acknowledgement(file: string, position: number): Buffer {
  const packet = Buffer.alloc(4 + 9 + file.length);
  packet.writeUIntLE(9 + file.length, 0, 3);
  packet[4] = MAGIC;
  packet.writeUInt32LE(position, 5);
  packet.write(file, 13, 'latin1');
  return packet;
}

async function logEnd(server: TestServer): Promise<[file: string, position: number]> {
  const client = await mysqlClient(server);
  const sql = server.kind === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [rows] = await client.query({ sql, rowsAsArray: true });
  await client.end();
  const [file, position] = (rows as [string, number][])[0] ?? ['', 4];
  return [file, position];
}
