import type { DatabaseSync } from 'node:sqlite';
import { CodedError } from '../lib/errors.ts';
import { Lease, LeaseError } from './lease.ts';
import { initial } from './migrations/001-initial.ts';
import { taskFacts } from './migrations/002-task-facts.ts';
import { dataSourceShares } from './migrations/003-data-source-shares.ts';
import { users } from './migrations/004-users.ts';
import { jobs } from './migrations/005-jobs.ts';
import { alarmRules } from './migrations/006-alarm-rules.ts';
import { sinkJournal } from './migrations/007-sink-journal.ts';
import { alarmNews } from './migrations/008-alarm-news.ts';
import { jobWarnings } from './migrations/009-job-warnings.ts';
import { finished } from './migrations/010-finished.ts';

/** In order; one is never changed once it was released, only followed. */
export const MIGRATIONS: readonly string[] = [
  initial,
  taskFacts,
  dataSourceShares,
  users,
  jobs,
  alarmRules,
  sinkJournal,
  alarmNews,
  jobWarnings,
  finished,
];

/** The store has another shape than this disync works with: `Store.Newer`, `Store.Older`. */
export class StoreVersionError extends CodedError {
  override readonly name = 'StoreVersionError';
}

/**
 * Brings the store to the present shape. Only who has the lease may, because a service that runs knows its own shape alone;
 * a command, which has none (`lease` null), takes it for as long as that lasts.
 * Errors: StoreVersionError.
 */
export function migrate(database: DatabaseSync, folder: string, lease: Lease | null): void {
  if (isPresent(database)) return;
  const own = lease === null ? takeLease(database, folder) : null;
  try {
    while (!isPresent(database)) migrateOnce(database);
  } finally {
    own?.release();
  }
}

/** One step, in a transaction with the look at what it starts from. */
function migrateOnce(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  const version = versionOf(database);
  const sql = MIGRATIONS[version];
  if (sql !== undefined) database.exec(`${sql}; PRAGMA user_version = ${version + 1}`);
  database.exec('COMMIT');
}

function isPresent(database: DatabaseSync): boolean {
  const version = versionOf(database);
  if (version > MIGRATIONS.length)
    throw new StoreVersionError(
      'Store.Newer',
      `the store has version ${version}, this disync knows up to ${MIGRATIONS.length}: it was written by a newer one`,
      { hint: 'Use the newer disync, or a backup of the store from before.' },
    );
  return version === MIGRATIONS.length;
}

function versionOf(database: DatabaseSync): number {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  return version;
}

function takeLease(database: DatabaseSync, folder: string): Lease {
  try {
    return Lease.take(folder);
  } catch (error) {
    if (!(error instanceof LeaseError)) throw error;
    throw new StoreVersionError(
      'Store.Older',
      `the store has version ${versionOf(database)}, this disync works with ${MIGRATIONS.length}, and an older one is serving it: ${error.owner}`,
      {
        cause: error,
        hint: 'Stop that service and start it with this disync; or give the command with the disync that serves.',
      },
    );
  }
}
