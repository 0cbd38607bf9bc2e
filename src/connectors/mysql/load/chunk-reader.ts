import { setTimeout as sleep } from 'node:timers/promises';
import { freeMemory } from '../../../lib/free-memory.ts';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import { describeTable, type TableId } from '../../../pipeline/table.ts';
import { connectForQueries, connectRaw } from '../connect.ts';
import { MysqlServerError, toPipelineError } from '../errors.ts';
import { type ChunkCursor, chunkSql, keyEncoding, keyLiteral } from './chunk-sql.ts';
import type { LoadMethod } from './load-method.ts';
import type { MysqlSettings } from '../options.ts';
import { comparePositions, type LogPosition } from '../offset/position.ts';
import { PacketTooLarge } from '../protocol/packet-reader.ts';
import type { RawConnection } from '../protocol/raw-connection.ts';
import { TextRows } from '../protocol/text-rows.ts';
import { rowTooLarge } from '../row-too-large.ts';
import { checkSameServer, otherServer } from '../same-server.ts';
import { readSchema } from '../schema.ts';
import { atLeast, logStatusStatement, readLogEnd, readServerFacts, type ServerFacts } from '../server-facts.ts';
import type { MysqlTable } from '../types.ts';

/** ER_TABLE_DEF_CHANGED */
const ALTERED_SINCE = 1412;
/** Between two looks at what the engine shows. */
const LOOK_MS = 1;
const LEAST_BYTES = 64 * 1024;
/** Buffers that are kept for the next chunks, and how large they may be. */
const SPARE_MAX = 3;
const SPARE_BYTES_MAX = 4 << 20;

export interface RowLimits {
  /** The longest row that is taken. */
  readonly bytesMax: number;
  /** A long one comes: it is read on once this resolves. */
  onLong(this: void): Promise<void>;
}

/** Up to where the stream has handed on when a window opens: the engine must show all of it before the SELECT. */
export interface WindowStart {
  readonly position: LogPosition;
  /** MySQL: the transactions that the stream passed since it was opened; empty where they have no ids. */
  readonly gtids: string;
}

export interface Chunk {
  readonly kind: 'chunk';
  readonly rows: TextRows;
  /** The stream must reach this before the rows may be handed on. */
  readonly high: LogPosition;
  /** Behind the last row; null when there was none. */
  readonly cursor: ChunkCursor | null;
  /** There is nothing behind it. */
  readonly last: boolean;
  readonly selectedMicros: number;
}

/** The server could not answer: the table is no longer as the stream has it here, or it cannot be read at all. */
export interface Refused {
  readonly kind: 'refused';
  readonly error: PipelineError;
  /** Where the stream has come to whatever the reason is in the log. */
  readonly high: LogPosition;
}

/** What the server says that a table looks like. */
export interface ShapeSeen {
  readonly kind: 'shape';
  /** Null when there is no such table, or not one that can be captured. */
  readonly shape: MysqlTable | null;
  readonly high: LogPosition;
}

/**
 * Reads chunks on a connection of its own, one at a time: waits until the engine shows everything up to the window's
 * start, selects, and tells which place of the log is not before what it saw. Transactions are short, nothing is written.
 */
export class ChunkReader {
  readonly #settings: MysqlSettings;
  readonly #facts: ServerFacts;
  readonly #method: LoadMethod;
  readonly #rows: RowLimits;
  #connection: RawConnection | undefined;
  /** Buffers of chunks that are over: making others for each keeps the garbage collector busy. */
  #spare: Buffer[] = [];
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: MysqlSettings, facts: ServerFacts, method: LoadMethod, rows: RowLimits) {
    this.#settings = settings;
    this.#facts = facts;
    this.#method = method;
    this.#rows = rows;
  }

  /** Errors: PipelineError, never of kind `table`. */
  read(table: MysqlTable, start: WindowStart, cursor: ChunkCursor | null, limit: number): Promise<Chunk | Refused> {
    return this.#inTurn(async () => {
      try {
        this.#connection ??= await this.#open();
        return await this.#read(this.#connection, table, start, cursor, limit);
      } catch (error) {
        this.rest();
        const why = this.#why(error, table.version.id);
        if (why.kind !== 'table') throw why;
        this.#connection = await this.#open();
        return { kind: 'refused', error: why, high: await this.#logEnd(this.#connection) };
      }
    });
  }

  #why(error: unknown, table: TableId): PipelineError {
    return error instanceof PacketTooLarge
      ? rowTooLarge(error, { what: 'an existing row', bytesMax: this.#rows.bytesMax, table })
      : toPipelineError(error, 'loading existing rows', { table });
  }

  /** Errors: PipelineError. */
  shape(id: TableId): Promise<ShapeSeen> {
    return this.#inTurn(async () => {
      const connection = await connectForQueries(this.#settings);
      try {
        const { identity } = await readServerFacts(connection);
        if (identity !== this.#facts.identity) throw otherServer(this.#facts.identity, identity);
        const [entry] = await readSchema(connection, this.#facts, [id]);
        const high = (await readLogEnd(connection, this.#facts)) ?? { file: '', position: 0 };
        return { kind: 'shape', shape: entry?.kind === 'table' ? entry.table : null, high };
      } finally {
        connection.close();
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work).catch((error: unknown) => {
      throw toPipelineError(error, 'loading existing rows');
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  /** The rows of a chunk are not needed any more: another one may take their place. */
  recycle({ buffer }: TextRows): void {
    if (buffer.length > SPARE_BYTES_MAX) freeMemory(buffer.buffer);
    else if (this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
  }

  /** Ends the connection, and keeps nothing; the next read makes another one. */
  rest(): void {
    this.#spare = [];
    this.#connection?.close();
    this.#connection = undefined;
  }

  close(): void {
    this.#closed = true;
    this.rest();
  }

  async #open(): Promise<RawConnection> {
    this.#checkOpen();
    const connection = await connectRaw(this.#settings);
    this.#connection = connection;
    connection.reader.bytesMax = this.#rows.bytesMax;
    connection.onLongPacket = this.#rows.onLong;
    if (this.#closed) connection.close();
    this.#checkOpen();
    await checkSameServer(connection, this.#facts.identity);
    if (this.#method === 'gtid') await this.#settle(connection);
    // A snapshot under a lower level is none: each statement would show more than the position that it tells.
    if (this.#method === 'snapshot') await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    return connection;
  }

  /**
   * Transactions that were in the log before our stream was opened may still not be shown: they own their ids until they
   * are. Waits until those that own one now do not any more, be it committed or rolled back.
   */
  async #settle(connection: RawConnection): Promise<void> {
    const owned = async () => {
      const [[text] = []] = await connection.query('SELECT @@global.gtid_owned');
      return new Set((text ?? '').split(/[\s,]+/).flatMap(ownedIds));
    };
    for (let waiting = await owned(); waiting.size > 0; ) {
      await this.#pause();
      waiting = waiting.intersection(await owned());
    }
  }

  async #read(
    connection: RawConnection,
    table: MysqlTable,
    start: WindowStart,
    cursor: ChunkCursor | null,
    limit: number,
  ): Promise<Chunk> {
    const isKeyless = table.version.key.length === 0;
    const spare = this.#spare.pop() ?? Buffer.allocUnsafeSlow(LEAST_BYTES);
    const rows = isKeyless ? new TextRows(spare, this.#rows.bytesMax) : new TextRows(spare);
    let high: LogPosition;
    let isWhole: boolean;
    if (this.#method === 'snapshot') {
      ({ high, isWhole } = await this.#selectInSnapshot(connection, start, chunkSql(table, cursor, limit, ''), rows));
      if (isWhole) await connection.query('COMMIT');
    } else {
      const locking = await this.#waitUntilShown(connection, start);
      isWhole = await this.#select(connection, chunkSql(table, cursor, limit, locking), rows);
      high = await this.#logEnd(this.#connection ?? (await this.#open()));
    }
    if (isKeyless && !isWhole) throw tooLargeWithoutKey(table.version.id, this.#rows.bytesMax);
    return {
      kind: 'chunk',
      rows,
      high,
      cursor: isKeyless ? null : cursorOf(table, rows),
      last: isWhole && (isKeyless || rows.count < limit),
      selectedMicros: Date.now() * 1000,
    };
  }

  /** False when there are rows behind those that were taken, as they are long: the server is not to send them. */
  async #select(connection: RawConnection, sql: string, rows: TextRows): Promise<boolean> {
    const isWhole = await connection.select(sql, rows);
    if (isWhole) return true;
    this.rest();
    connection.reader.discard();
    return false;
  }

  /** A table that was altered behind a snapshot cannot be read in it: another one is taken. */
  async #selectInSnapshot(
    connection: RawConnection,
    start: WindowStart,
    sql: string,
    rows: TextRows,
  ): Promise<{ high: LogPosition; isWhole: boolean }> {
    for (;;) {
      const high = await this.#openSnapshot(connection, start.position);
      try {
        return { high, isWhole: await this.#select(connection, sql, rows) };
      } catch (error) {
        if (!(error instanceof MysqlServerError) || error.errno !== ALTERED_SINCE) throw error;
        await connection.query('ROLLBACK');
      }
    }
  }

  /** MariaDB: a snapshot that tells the log position it stands at; taken anew until that is not before `start`. */
  async #openSnapshot(connection: RawConnection, start: LogPosition): Promise<LogPosition> {
    for (;;) {
      await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      const status = new Map(
        (await connection.query("SHOW STATUS LIKE 'binlog_snapshot_%'")).map(([name, value]) => [
          name?.toLowerCase(),
          value,
        ]),
      );
      const position = {
        file: status.get('binlog_snapshot_file') ?? '',
        position: Number(status.get('binlog_snapshot_position')),
      };
      if (position.file !== '' && comparePositions(position, start) >= 0) return position;
      await connection.query('ROLLBACK');
      await this.#pause();
    }
  }

  /** MySQL: returns what the SELECT must end with. */
  async #waitUntilShown(
    connection: RawConnection,
    { position, gtids }: WindowStart,
  ): Promise<'' | ' FOR SHARE' | ' LOCK IN SHARE MODE'> {
    switch (this.#method) {
      case 'gtid':
        for (;;) {
          const [[shown] = []] = await connection.query(`SELECT GTID_SUBSET('${gtids}', @@global.gtid_executed)`);
          if (shown === '1') return '';
          await this.#pause();
        }
      case 'log-status':
        for (;;) {
          const [[local] = []] = await connection.query('SELECT LOCAL FROM performance_schema.log_status');
          const status = JSON.parse(local ?? '{}') as { binary_log_file?: string; binary_log_position?: number };
          const at = { file: status.binary_log_file ?? '', position: status.binary_log_position ?? 0 };
          if (at.file !== '' && comparePositions(at, position) >= 0) return '';
          await this.#pause();
        }
      case 'lock':
      case 'snapshot':
        await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
        return atLeast(this.#facts.version, [8, 0, 1]) ? ' FOR SHARE' : ' LOCK IN SHARE MODE';
    }
  }

  async #logEnd(connection: RawConnection): Promise<LogPosition> {
    const [[file, position] = []] = await connection.query(logStatusStatement(this.#facts));
    return { file: file ?? '', position: Number(position) };
  }

  async #pause(): Promise<void> {
    this.#checkOpen();
    await sleep(LOOK_MS);
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error('the load was stopped');
  }
}

function tooLargeWithoutKey(table: TableId, bytesMax: number): PipelineError {
  return new PipelineError(
    'table',
    'Table.TooLargeWithoutKey',
    `${describeTable(table)} has no primary key and more than ${bytesMax} bytes of rows, which would have to be read at once`,
    {
      table,
      hint: 'Add a primary key, or start the task with initialLoad none (or added), so that its rows are not loaded.',
    },
  );
}

/** `uuid:23#45:24#46` → uuid:23, uuid:24. */
function ownedIds(text: string): string[] {
  const [uuid = '', ...numbers] = text.split(':');
  return numbers.map((number) => `${uuid}:${number.split('#')[0]}`);
}

function cursorOf({ version, columns }: MysqlTable, rows: TextRows): ChunkCursor | null {
  if (rows.count === 0) return null;
  return version.key.map((index) => {
    const type = columns[index]?.column.type;
    const text = type === undefined ? null : rows.text(rows.count - 1, index, keyEncoding(type));
    if (type === undefined || text === null) throw new Error('a primary key column without a value');
    return keyLiteral(type, text);
  });
}
