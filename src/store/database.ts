import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { migrate } from './migrate.ts';

export type SqlRow = Readonly<Record<string, null | bigint | string | Uint8Array>>;

/**
 * The store's SQLite file: write-ahead log, `synchronous=FULL`, so that what a transaction acknowledged survives a power cut.
 * Integers come as bigint. Statements are prepared once.
 */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  static open(folder: string): Database {
    const database = new DatabaseSync(join(folder, 'disync.db'), { timeout: 5000, enableForeignKeyConstraints: true });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(database);
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
    const { lastInsertRowid, changes } = this.#prepare(sql).run(...values);
    return { id: BigInt(lastInsertRowid), changes: Number(changes) };
  }

  /** All of `work`, or nothing of it; durable when this returns. `work` does not wait for anything. */
  transaction<T>(work: () => T): T {
    this.begin();
    try {
      const result = work();
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  commit(): void {
    this.#database.exec('COMMIT');
  }

  rollback(): void {
    this.#database.exec('ROLLBACK');
  }

  close(): void {
    this.#database.close();
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
