import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { CheckpointStore, JournalStore } from '../engine/engine.ts';
import type { Clock } from '../lib/clock.ts';
import type { Seal } from '../lib/seal.ts';
import type { AccessService } from '../tasks/access-service.ts';
import type { AuditTrail } from '../tasks/audit.ts';
import type { TaskRecords, TaskStore } from '../tasks/task-store.ts';
import { AccessRecords } from './access-records.ts';
import { CallFile } from './call-file.ts';
import { CheckpointRecords } from './checkpoint-records.ts';
import { Database } from './database.ts';
import { JournalRecords } from './journal-records.ts';
import { Lease } from './lease.ts';
import { openSeal, type SealRecords } from './store-seal.ts';
import { SqliteTaskRecords } from './task-records.ts';

export interface StoreOptions {
  readonly folder: string;
  readonly masterKey: string | null;
  readonly masterKeyFile: string | null;
  readonly clock: Clock;
  /** False for a command that only looks up or changes access while a server may be running. */
  readonly exclusive: boolean;
}

/** Everything durable: tasks, access, checkpoints. One server per store. */
export class Store implements TaskStore {
  readonly installation: string;
  readonly access: AccessService;
  readonly checkpoints: CheckpointStore;
  readonly journals: JournalStore;
  readonly audit: AuditTrail;
  readonly #database: Database;
  readonly #records: SqliteTaskRecords;
  readonly #calls: CallFile;
  readonly #lease: Lease | null;

  private constructor(parts: {
    database: Database;
    seal: Seal;
    calls: CallFile;
    lease: Lease | null;
    clock: Clock;
    installation: string;
  }) {
    const { database, seal, calls, lease, clock, installation } = parts;
    this.installation = installation;
    this.#database = database;
    this.#calls = calls;
    this.audit = calls;
    this.#lease = lease;
    this.#records = new SqliteTaskRecords(database, seal, clock);
    this.access = new AccessRecords({ database, seal, calls, clock });
    this.checkpoints = new CheckpointRecords(database);
    this.journals = new JournalRecords(database);
  }

  /** Errors: LeaseError, MasterKeyError, StoreVersionError, each saying what to do. */
  static open({ folder, masterKey, masterKeyFile, clock, exclusive }: StoreOptions): Store {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lease = exclusive ? Lease.take(folder) : null;
    let database: Database | undefined;
    try {
      database = Database.open(folder, lease);
      const seal = openSeal(sealRecordsOf(database), { masterKey, masterKeyFile, folder }, exclusive);
      const installation = readInstallation(database);
      const calls = new CallFile(folder, clock);
      if (exclusive) calls.readNonces();
      return new Store({ database, seal, calls, lease, clock, installation });
    } catch (error) {
      void database?.close();
      lease?.release();
      throw error;
    }
  }

  transaction<T>(work: (records: TaskRecords) => Promise<T>): Promise<T> {
    return this.#database.transactionFromWrite(() => work(this.#records));
  }

  /** True while a write can be made durable. */
  async isWritable(): Promise<boolean> {
    return this.transaction(async () => {
      this.#database.run("INSERT OR REPLACE INTO meta VALUES ('probe', ?)", String(Date.now()));
      return true;
    }).catch(() => false);
  }

  async close(): Promise<void> {
    // Whoever goes on meanwhile finds both closed.
    await Promise.all([this.#calls.close(), this.#database.close()]);
    this.#lease?.release();
  }
}

function sealRecordsOf(database: Database): SealRecords {
  return {
    meta: (key) => database.get('SELECT value FROM meta WHERE key = ?', key)?.['value'] as string | undefined,
    setMeta: (key, value) => void database.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', key, value),
  };
}

function readInstallation(database: Database): string {
  database.run("INSERT OR IGNORE INTO meta VALUES ('installation', ?)", randomUUID());
  return String(database.get("SELECT value FROM meta WHERE key = 'installation'")?.['value']);
}
