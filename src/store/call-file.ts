import { createHash } from 'node:crypto';
import { closeSync, fdatasync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringifyJson } from '../lib/json.ts';
import type { NonceUse } from '../tasks/access-service.ts';
import type { AuditEntry, AuditTrail, AuditedCall } from '../tasks/audit.ts';
import { readAuditedCall, writeAuditedCall } from './audited-call.ts';

const toDisk = promisify(fdatasync);

const GROUP_MS = 5;
const PURGE_EVERY_MS = 60_000;
const PAGE = 1000;
const SCHEMA = `
CREATE TABLE IF NOT EXISTS nonce (key TEXT NOT NULL, nonce TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (key, nonce)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nonce_expiry ON nonce (expires_at);
CREATE TABLE IF NOT EXISTS audit (sequence INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
`;

/**
 * What there is one of for each call, in a file of its own: nonces that were used, until they expire, and the audit
 * trail, which only grows. Written in groups within 5 ms; the disk is waited for beside the event loop, which a commit of
 * SQLite would hold up each time: so we sync its write-ahead log ourselves. Each record of the trail is hashed together with the hash
 * before it, so that one that was changed or taken out shows.
 */
export class CallFile implements AuditTrail {
  readonly #database: DatabaseSync;
  readonly #logFile: string;
  /** The write-ahead log, once there is one. */
  #log: number | null = null;
  readonly #insertNonce: ReturnType<DatabaseSync['prepare']>;
  readonly #insertRecord: ReturnType<DatabaseSync['prepare']>;
  #group: Promise<void> | null = null;
  /** Ends when everything that was committed has gone to the disk, or failed to. */
  #syncing: Promise<unknown> = Promise.resolve();
  #purgedAt = 0;
  #lastHash: string;

  constructor(folder: string) {
    this.#logFile = join(folder, 'calls.db-wal');
    this.#database = new DatabaseSync(join(folder, 'calls.db'), { timeout: 5000 });
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    this.#database.exec(SCHEMA);
    this.#insertNonce = this.#database.prepare('INSERT OR IGNORE INTO nonce VALUES (?, ?, ?)');
    this.#insertRecord = this.#database.prepare('INSERT INTO audit (record, hash) VALUES (?, ?)');
    this.#lastHash = this.#readLastHash();
  }

  useNonce(key: string, nonce: string, expiresAt: number, now: number): NonceUse {
    const durable = this.#join(now);
    return { isNew: Number(this.#insertNonce.run(key, nonce, expiresAt).changes) === 1, durable };
  }

  append(call: AuditedCall): Promise<void> {
    const durable = this.#join(call.at);
    const record = stringifyJson(writeAuditedCall(call));
    const hash = chain(this.#lastHash, record);
    this.#insertRecord.run(record, hash);
    this.#lastHash = hash;
    return durable;
  }

  *entries(): Generator<AuditEntry> {
    const page = this.#database.prepare('SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?');
    let before = '';
    for (let rows = page.all(0, PAGE); rows.length > 0; ) {
      let last = 0;
      for (const row of rows) {
        const [sequence, record, hash] = [Number(row['sequence']), String(row['record']), String(row['hash'])];
        yield { sequence, call: readAuditedCall(record), isGenuine: hash === chain(before, record) };
        before = hash;
        last = sequence;
      }
      rows = page.all(last, PAGE);
    }
  }

  async close(): Promise<void> {
    await this.#group?.catch(() => {});
    await this.#syncing;
    if (this.#log !== null) closeSync(this.#log);
    this.#database.close();
  }

  /**
   * Joins the group that is being gathered. A group that cannot begin, or end, is over: the next call begins another.
   * Its promise is handled here too, because who joins may have failed before awaiting it.
   */
  #join(now: number): Promise<void> {
    if (this.#group === null) {
      const group = this.#begin(now);
      group.catch(() => {});
      this.#group = group;
    }
    return this.#group;
  }

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
        this.#lastHash = this.#readLastHash();
        throw error;
      }
      const synced = this.#sync();
      this.#syncing = Promise.allSettled([this.#syncing, synced]);
      return synced;
    });
  }

  /** What was committed is durable once this resolves. */
  async #sync(): Promise<void> {
    this.#log ??= openSync(this.#logFile, 'r+');
    await toDisk(this.#log);
  }

  #readLastHash(): string {
    const row = this.#database.prepare('SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1').get();
    return row === undefined ? '' : String(row['hash']);
  }
}

function chain(before: string, record: string): string {
  return createHash('sha256').update(before).update(record).digest('hex');
}
