import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CodedError } from '../lib/errors.ts';

const SQLITE_BUSY = 5;
/** A command has the lease of a store while it brings it to the present shape. */
const WAIT_MS = 500;

/** Another process serves the store. */
export class LeaseError extends CodedError {
  override readonly name = 'LeaseError';
  /** Such as `process 5 on host, since 2026-01-31T12:00:00.000Z`. */
  readonly owner: string;

  constructor(folder: string, owner: string, cause: unknown) {
    const hint = 'Stop it first, or give another --data-dir.';
    super('Store.Served', `the store ${folder} is served by another process: ${owner}`, { cause, hint });
    this.owner = owner;
  }
}

/**
 * The right to serve a store: an exclusive lock on a file of its own, which the system frees when the process ends in
 * whatever way. Who has it stands beside it.
 */
export class Lease {
  readonly #lock: DatabaseSync;

  private constructor(lock: DatabaseSync) {
    this.#lock = lock;
  }

  /** Errors: LeaseError that names the process that has it. */
  static take(folder: string): Lease {
    const lock = new DatabaseSync(join(folder, 'lease.db'), { timeout: WAIT_MS });
    const owner = join(folder, 'lease.json');
    try {
      lock.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    } catch (error) {
      lock.close();
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
      throw new LeaseError(folder, describeOwner(owner), error);
    }
    writeFileSync(owner, JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() }));
    return new Lease(lock);
  }

  release(): void {
    this.#lock.close();
  }
}

function describeOwner(file: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return `process ${String(pid)} on ${String(host)}, since ${String(since)}`;
  } catch {
    return 'it did not leave its name';
  }
}
