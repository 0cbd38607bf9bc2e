import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { NonceSet } from './nonce-set.ts';

export const NONCE_SCHEMA = `
CREATE TABLE IF NOT EXISTS used_nonce (sequence INTEGER PRIMARY KEY, high INTEGER NOT NULL, low INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
`;

/** After so many more, twice as many of the oldest are looked at, and those deleted that have expired. */
const SWEEP_EVERY = 512;
const SWEEP = `DELETE FROM used_nonce WHERE sequence IN (
  SELECT sequence FROM (SELECT sequence, expires_at FROM used_nonce ORDER BY sequence LIMIT ${2 * SWEEP_EVERY}) WHERE expires_at < ?)`;

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
  readonly #insert: ReturnType<DatabaseSync['prepare']>;
  readonly #sweep: ReturnType<DatabaseSync['prepare']>;
  #older: Generation = emptyGeneration();
  #younger: Generation = emptyGeneration();
  #added = 0;

  /** Reads those that have not expired at `now`, ms. */
  constructor(database: DatabaseSync, now: number) {
    this.#insert = database.prepare('INSERT INTO used_nonce (high, low, expires_at) VALUES (?, ?, ?)');
    this.#sweep = database.prepare(SWEEP);
    takeOver(database, now);
    const kept = database.prepare('SELECT high, low, expires_at FROM used_nonce WHERE expires_at >= ?');
    kept.setReturnArrays(true);
    for (const row of kept.iterate(now)) {
      // As selected: the flag turns rows into lists.
      const [high, low, expiresAt] = row as unknown as [number, number, number];
      this.#remember([high, low], expiresAt);
    }
  }

  has(key: string, nonce: string): boolean {
    const [high, low] = identify(key, nonce);
    return this.#older.ids.has(high, low) || this.#younger.ids.has(high, low);
  }

  /** Within a transaction of the caller's. Times: ms. */
  add(key: string, nonce: string, { expiresAt, now }: { readonly expiresAt: number; readonly now: number }): void {
    if (now > this.#older.expiresAt) {
      this.#older = this.#younger;
      this.#younger = emptyGeneration();
    }
    const id = identify(key, nonce);
    this.#insert.run(...id, expiresAt);
    this.#remember(id, expiresAt);
    this.#added += 1;
    if (this.#added % SWEEP_EVERY === 0) this.#sweep.run(now);
  }

  #remember([high, low]: readonly [number, number], expiresAt: number): void {
    this.#younger.ids.add(high, low);
    this.#younger.expiresAt = Math.max(this.#younger.expiresAt, expiresAt);
  }
}

/** A file from before has them by their texts. */
function takeOver(database: DatabaseSync, now: number): void {
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'nonce'").get() === undefined) return;
  database.exec('BEGIN IMMEDIATE');
  const insert = database.prepare('INSERT INTO used_nonce (high, low, expires_at) VALUES (?, ?, ?)');
  for (const { key, nonce, expires_at } of database.prepare('SELECT * FROM nonce WHERE expires_at >= ?').all(now))
    insert.run(...identify(String(key), String(nonce)), Number(expires_at));
  database.exec('DROP TABLE nonce; COMMIT');
}

function emptyGeneration(): Generation {
  return { ids: new NonceSet(), expiresAt: 0 };
}

function identify(key: string, nonce: string): [high: number, low: number] {
  const digest = hash('sha256', `${key}\n${nonce}`, 'buffer');
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
