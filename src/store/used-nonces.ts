import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { NonceSet } from './nonce-set.ts';

export const NONCE_SCHEMA = `
DROP TABLE IF EXISTS nonce;
CREATE TABLE IF NOT EXISTS used_nonce (sequence INTEGER PRIMARY KEY, high INTEGER NOT NULL, low INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
`;

interface Generation {
  readonly ids: NonceSet;
  /** When the last of them has expired, ms. */
  expiresAt: number;
}

/**
 * Nonces that were used, known by 64 bits of a hash: looked up in memory, kept in a table that is only added to, because one
 * that is looked up in an index dirties a page for each call. Two generations: the older one is forgotten once all of it
 * has expired, and the younger one takes its place.
 */
export class UsedNonces {
  readonly #database: DatabaseSync;
  readonly #insert: ReturnType<DatabaseSync['prepare']>;
  #older: Generation = emptyGeneration();
  #younger: Generation = emptyGeneration();

  /** `now`: ms. */
  constructor(database: DatabaseSync, now: number) {
    this.#database = database;
    this.#deleteExpired(now);
    this.#insert = database.prepare('INSERT INTO used_nonce (high, low, expires_at) VALUES (?, ?, ?)');
    for (const row of database.prepare('SELECT high, low, expires_at FROM used_nonce').iterate())
      this.#remember([Number(row['high']), Number(row['low'])], Number(row['expires_at']));
  }

  has(key: string, nonce: string): boolean {
    const [high, low] = identify(key, nonce);
    return this.#older.ids.has(high, low) || this.#younger.ids.has(high, low);
  }

  /** Within a transaction of the caller's. Times: ms. */
  add(key: string, nonce: string, { expiresAt, now }: { readonly expiresAt: number; readonly now: number }): void {
    if (now > this.#older.expiresAt) this.#forget(now);
    const id = identify(key, nonce);
    this.#insert.run(...id, expiresAt);
    this.#remember(id, expiresAt);
  }

  #remember([high, low]: readonly [number, number], expiresAt: number): void {
    this.#younger.ids.add(high, low);
    this.#younger.expiresAt = Math.max(this.#younger.expiresAt, expiresAt);
  }

  #forget(now: number): void {
    this.#deleteExpired(now);
    this.#older = this.#younger;
    this.#younger = emptyGeneration();
  }

  #deleteExpired(now: number): void {
    this.#database.prepare('DELETE FROM used_nonce WHERE expires_at < ?').run(now);
  }
}

function emptyGeneration(): Generation {
  return { ids: new NonceSet(), expiresAt: 0 };
}

function identify(key: string, nonce: string): [high: number, low: number] {
  const digest = hash('sha256', `${key}\n${nonce}`, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
