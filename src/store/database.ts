import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { messageOf } from '../lib/errors.ts';
import { PipelineError } from '../pipeline/pipeline-error.ts';
import type { Lease } from './lease.ts';
import { migrate } from './migrate.ts';

export type SqlRow = Readonly<Record<string, null | bigint | string | Uint8Array>>;

/** Pages kept in memory: the indexes and the tasks, not what they say, of 10,000 tasks. */
const CACHE_KIB = 8192;

/**
 * The store's SQLite file: write-ahead log, `synchronous=FULL`, so that what a transaction acknowledged survives a power cut.
 * Integers come as bigint. Statements are prepared once.
 */
export class Database {
  readonly #database: DatabaseSync;
  /** A transaction waits for its first write. */
  #isToBegin = false;
  /** Ends when those that have the database to themselves have ended. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** `lease` of who has one. Errors: StoreVersionError. */
  static open(folder: string, lease: Lease | null): Database {
    const database = new DatabaseSync(join(folder, 'disync.db'), { timeout: 5000, enableForeignKeyConstraints: true });
    try {
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -${CACHE_KIB}`);
      migrate(database, folder, lease);
    } catch (error) {
      database.close();
      throw error;
    }
    return new Database(database);
  }

  all(sql: string, ...values: SQLInputValue[]): SqlRow[] {
    return this.#prepare(sql).all(...values) as SqlRow[];
  }

  get(sql: string, ...values: SQLInputValue[]): SqlRow | undefined {
    return this.#prepare(sql).get(...values) as SqlRow | undefined;
  }

  /** Gives the id of an inserted row, and how many rows were changed. */
  run(sql: string, ...values: SQLInputValue[]): { id: bigint; changes: number } {
    if (this.#isToBegin) this.#begin();
    const { lastInsertRowid, changes } = this.#prepare(sql).run(...values);
    return { id: BigInt(lastInsertRowid), changes: Number(changes) };
  }

  /**
   * All of `work`, or nothing of it; durable once this resolves. One after the other: whoever writes comes here, so that
   * no write falls into the transaction of another, to be undone with it. Not to be called within `work`.
   * Errors: PipelineError `transient` (`Store.Unwritable`) when the disk is full or fails; what `work` throws.
   */
  transaction<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#inTurn(() => this.#transact(work, () => this.#begin()));
  }

  /**
   * The same, begun by its first write: what only reads takes no lock of the file. For what no other process writes, because it
   * is not kept from writing between the reads and the first write of `work`.
   */
  transactionFromWrite<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#inTurn(() => this.#transact(work, () => (this.#isToBegin = true)));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.then(
      () => {},
      () => {},
    );
    return mine;
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#database.close();
  }

  async #transact<T>(work: () => T | Promise<T>, begin: () => void): Promise<T> {
    try {
      begin();
      const result = await work();
      if (this.#database.isTransaction) this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk may have rolled it back already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw isOfTheDisk(error) ? unwritable(error) : error;
    } finally {
      this.#isToBegin = false;
    }
  }

  #begin(): void {
    this.#isToBegin = false;
    this.#database.exec('BEGIN IMMEDIATE');
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** SQLite's primary result codes: READONLY, IOERR, FULL, CANTOPEN. Extended codes have them in the lowest byte. */
const OF_THE_DISK: ReadonlySet<number> = new Set([8, 10, 13, 14]);

function isOfTheDisk(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' && OF_THE_DISK.has(errcode & 0xff);
}

function unwritable(cause: unknown): PipelineError {
  return new PipelineError('transient', 'Store.Unwritable', `the store cannot be written: ${messageOf(cause)}`, {
    cause,
    hint: 'Make room on the disk of the store (dataDir), and look at its health; what was accepted is kept, and runs go on by themselves.',
  });
}
