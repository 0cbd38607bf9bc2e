import type { DatabaseSync } from 'node:sqlite';
import { initial } from './migrations/001-initial.ts';
import { taskFacts } from './migrations/002-task-facts.ts';
import { dataSourceShares } from './migrations/003-data-source-shares.ts';
import { users } from './migrations/004-users.ts';
import { jobs } from './migrations/005-jobs.ts';
import { alarmRules } from './migrations/006-alarm-rules.ts';
import { sinkJournal } from './migrations/007-sink-journal.ts';

/** In order; one is never changed once it was released, only followed. */
const MIGRATIONS: readonly string[] = [initial, taskFacts, dataSourceShares, users, jobs, alarmRules, sinkJournal];

/** The store was written by a newer disync. */
export class StoreVersionError extends Error {
  override readonly name = 'StoreVersionError';
}

/** Brings the store to the present shape, each step in a transaction of its own. Errors: StoreVersionError. */
export function migrate(database: DatabaseSync, migrations: readonly string[] = MIGRATIONS): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > migrations.length) {
    throw new StoreVersionError(
      `the store has version ${version}, this disync knows up to ${migrations.length}: it was written by a newer one. Use that, or a backup.`,
    );
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
