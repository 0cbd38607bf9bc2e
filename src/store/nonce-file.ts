import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const GROUP_MS = 5;
const PURGE_EVERY_MS = 60_000;

/**
 * Nonces that were used, in a file of their own, because there is one per request: written in groups within 5 ms, and
 * remembered over restarts until they expire.
 */
export class NonceFile {
  readonly #database: DatabaseSync;
  readonly #insert: ReturnType<DatabaseSync['prepare']>;
  #group: Promise<void> | null = null;
  #purgedAt = 0;

  constructor(folder: string) {
    this.#database = new DatabaseSync(join(folder, 'nonces.db'), { timeout: 5000 });
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    this.#database.exec(
      'CREATE TABLE IF NOT EXISTS nonce (key TEXT NOT NULL, nonce TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (key, nonce)) STRICT, WITHOUT ROWID',
    );
    this.#insert = this.#database.prepare('INSERT OR IGNORE INTO nonce VALUES (?, ?, ?)');
  }

  /** True when it is new; resolves once that is durable. */
  async use(key: string, nonce: string, expiresAt: number, now: number): Promise<boolean> {
    this.#group ??= this.#begin(now);
    const group = this.#group;
    let isNew = false;
    try {
      isNew = Number(this.#insert.run(key, nonce, expiresAt).changes) === 1;
    } finally {
      await group;
    }
    return isNew;
  }

  async close(): Promise<void> {
    await this.#group?.catch(() => {});
    this.#database.close();
  }

  /** A group that cannot begin, or end, is over: the next request begins another. */
  #begin(now: number): Promise<void> {
    if (!this.#database.isTransaction) this.#database.exec('BEGIN IMMEDIATE');
    if (now - this.#purgedAt > PURGE_EVERY_MS) {
      this.#database.prepare('DELETE FROM nonce WHERE expires_at < ?').run(now);
      this.#purgedAt = now;
    }
    return sleep(GROUP_MS).then(() => {
      this.#group = null;
      try {
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }
}
