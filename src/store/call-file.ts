import { hash } from 'node:crypto';
import { closeSync, fdatasync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import type { AuditEntry, AuditTrail, AuditedCall } from '../tasks/audit.ts';
import type { Clock } from '../lib/clock.ts';
import { readAuditedCall, writeAuditedCall } from './audited-call.ts';
import { NONCE_SCHEMA, UsedNonces } from './used-nonces.ts';

/** What nobody waits for is on the disk after so long. */
const SYNC_WITHIN_MS = 100;
const PAGE = 1000;
/** Pages of the write-ahead log before SQLite moves them into the file, waiting for the disk: 16 MB. */
const CHECKPOINT_PAGES = 4000;
const SCHEMA = `
CREATE TABLE IF NOT EXISTS audit (sequence INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
`;

/** What is written in one turn of the event loop: one transaction. */
type Group = PromiseWithResolvers<void>;

/**
 * What there is one of for each call, in a file of its own: nonces that were used, until they expire, and the audit
 * trail, which only grows. What comes in one turn of the event loop is one transaction, and survives the end of the process. The
 * disk is waited for beside the event loop, by those that ask for it together, where a commit of SQLite would hold everything up each time: so
 * we sync its write-ahead log ourselves. Each record of the trail is hashed together with the hash before it, so that one that was
 * changed or taken out shows.
 */
export class CallFile implements AuditTrail {
  readonly #database: DatabaseSync;
  readonly #logFile: string;
  readonly #clock: Clock;
  readonly #toDisk: (file: number) => Promise<void>;
  /** The write-ahead log, once there is one. */
  #log: number | null = null;
  #nonces: UsedNonces | null = null;
  readonly #insertRecord: ReturnType<DatabaseSync['prepare']>;
  #group: Group | null = null;
  /** The sync that is under way, or was last; never rejects. */
  #syncing: Promise<unknown> = Promise.resolve();
  /** The one after it, once somebody waits for it. */
  #next: Promise<void> | null = null;
  #later: NodeJS.Timeout | null = null;
  /** A sync failed: what it was to bring to the disk may be missing there, whatever later ones say. */
  #hasHole = false;
  /** Null while it is to be read again. */
  #lastHash: string | null = null;

  /** `toDisk` brings what was written to an open file to the disk. */
  constructor(folder: string, clock: Clock, toDisk: (file: number) => Promise<void> = promisify(fdatasync)) {
    this.#clock = clock;
    this.#toDisk = toDisk;
    this.#logFile = join(folder, 'calls.db-wal');
    this.#database = new DatabaseSync(join(folder, 'calls.db'), { timeout: 5000 });
    this.#database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    );
    this.#database.exec(SCHEMA + NONCE_SCHEMA);
    this.#insertRecord = this.#database.prepare('INSERT INTO audit (record, hash) VALUES (?, ?)');
  }

  /** Reads the nonces that were used: what is asked of them then takes no time. For who serves calls. */
  readNonces(): UsedNonces {
    this.#nonces ??= new UsedNonces(this.#database, this.#clock.now());
    return this.#nonces;
  }

  isNonceUsed(key: string, nonce: string): boolean {
    return this.readNonces().has(key, nonce);
  }

  /** `expiresAt`: ms. Errors: those of SQLite, at once, when it cannot be written. */
  noteNonce(key: string, nonce: string, expiresAt: number): { durable(): Promise<void> } {
    const now = this.#clock.now();
    const nonces = this.readNonces();
    const committed = this.#write(() => nonces.add(key, nonce, { expiresAt, now }));
    return { durable: async () => void (await Promise.all([committed, this.#sync()])) };
  }

  async append(call: AuditedCall, { durable }: { readonly durable: boolean }): Promise<void> {
    const record = JSON.stringify(writeAuditedCall(call));
    const committed = this.#write(() => {
      this.#lastHash ??= this.#readLastHash();
      const chained = chain(this.#lastHash, record);
      this.#insertRecord.run(record, chained);
      this.#lastHash = chained;
    });
    await (durable ? Promise.all([committed, this.#sync()]) : committed);
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

  /** Whoever still writes finds it closed; none of their syncs is under way any more. */
  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    await this.#sync().catch(() => {});
    while (this.#next !== null) await this.#next.catch(() => {});
    if (!this.#database.isOpen) return;
    if (this.#later !== null) clearTimeout(this.#later);
    // Of who came while the last sync was under way: it survives the process, as all others do.
    if (this.#group !== null) this.#commit(this.#group);
    if (this.#log !== null) closeSync(this.#log);
    this.#database.close();
  }

  /** One write, in the transaction of this turn. One that fails may have undone all of it: then those before it fail too. */
  #write(work: () => void): Promise<void> {
    const group = this.#group ?? this.#begin();
    try {
      work();
      return group.promise;
    } catch (error) {
      if (!this.#database.isTransaction) this.#fail(group, error);
      throw error;
    }
  }

  #begin(): Group {
    this.#database.exec('BEGIN IMMEDIATE');
    const group: Group = Promise.withResolvers();
    // Not everybody waits for it.
    group.promise.catch(() => {});
    this.#group = group;
    setImmediate(() => this.#commit(group));
    return group;
  }

  #commit(group: Group): void {
    if (this.#group !== group) return;
    try {
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#fail(group, error);
      return this.#rollBack();
    }
    this.#group = null;
    group.resolve();
    this.#later ??= setTimeout(() => {
      this.#later = null;
      // Whoever waits next hears of it.
      this.#sync().catch(() => {});
    }, SYNC_WITHIN_MS).unref();
  }

  #fail(group: Group, error: unknown): void {
    this.#group = null;
    this.#lastHash = null;
    group.reject(error);
  }

  /** On a disk that fails this may fail as well: then the next transaction cannot begin, and says so. */
  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch {
      // Those who wait have heard of the first error.
    }
  }

  /** All that was written before this call is on the disk once it resolves. One sync at a time: those who ask meanwhile share the next. */
  #sync(): Promise<void> {
    this.#next ??= this.#syncing.then(() => {
      this.#next = null;
      const mine = this.#syncNow();
      this.#syncing = mine.catch(() => {});
      return mine;
    });
    return this.#next;
  }

  async #syncNow(): Promise<void> {
    if (this.#group !== null) this.#commit(this.#group);
    if (!this.#database.isOpen) throw new Error('the file of the calls is closed');
    if (this.#hasHole) return this.#mend();
    this.#log ??= openSync(this.#logFile, 'r+');
    try {
      await this.#toDisk(this.#log);
    } catch (error) {
      this.#hasHole = true;
      throw error;
    }
  }

  /** The log is read again, and moved into the file: only then can it be relied upon. */
  #mend(): void {
    const busy = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'];
    if (Number(busy) !== 0)
      throw new Error('the log of the calls is being read, and cannot be moved into its file yet');
    this.#hasHole = false;
  }

  #readLastHash(): string {
    const row = this.#database.prepare('SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1').get();
    return row === undefined ? '' : String(row['hash']);
  }
}

function chain(before: string, record: string): string {
  return hash('sha256', before + record);
}
