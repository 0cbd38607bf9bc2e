import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf } from '../lib/errors.ts';
import { Seal } from '../lib/seal.ts';
import { sealedKeyOwner } from './access-records.ts';
import { sealedAlarmRuleOwner } from './alarm-records.ts';
import { Database } from './database.ts';
import { Lease } from './lease.ts';
import {
  fingerprintOf,
  keyFileOf,
  MasterKeyError,
  type MasterKeySource,
  makeKeyFile,
  readKeyFile,
  readMasterKey,
} from './master-key.ts';
import { finishRotation, markSealed, nextKeyFile, opens, type SealRecords } from './store-seal.ts';
import { sealedDataSourceOwner } from './task-records.ts';

type Row = Readonly<Record<string, unknown>>;

/** Everything that is sealed in the store: a column of bytes, and what each value belongs to. */
export const SEALED: readonly { readonly table: string; readonly column: string; owner(row: Row): string }[] = [
  { table: 'data_source', column: 'content', owner: sealedDataSourceOwner },
  { table: 'access_key', column: 'secret', owner: sealedKeyOwner },
  { table: 'alarm_rule', column: 'receivers', owner: sealedAlarmRuleOwner },
];

export type RotationStep = 'key made' | 'sealing' | 'sealed' | 'finished';

export interface RotationOptions extends MasterKeySource {
  /** Where the new key goes; null puts it in the place of the former, which must be in a file then. */
  readonly to: string | null;
  /** Told after each step that a kill may follow; for tests. */
  readonly onStep?: (step: RotationStep) => void;
}

export interface Rotation {
  /** The file with the new key. */
  readonly file: string;
  /** The file that has the former key now; null when it is where it was. */
  readonly former: string | null;
  readonly fingerprint: string;
  readonly formerFingerprint: string;
  /** Values that were sealed anew. */
  readonly secrets: number;
}

/**
 * Seals every secret of a store with a new key, in one transaction, while nobody has the store open. Killed before that
 * transaction is durable, the former key opens the store, after it the new one; a rotation in place is finished by the next
 * start, and by the next rotation one to another file.
 * Errors: LeaseError, MasterKeyError.
 */
export async function rotateMasterKey(options: RotationOptions): Promise<Rotation> {
  const { folder, to, onStep = () => {} } = options;
  if (!existsSync(join(folder, 'disync.db')))
    throw new MasterKeyError(`there is no store at ${folder}: give --data-dir`);
  const keyFile = keyFileOf(options);
  const file = to ?? (keyFile === null ? null : nextKeyFile(keyFile));
  if (file === null || file === keyFile)
    throw new MasterKeyError(
      'give --to, a file for the new key: the present one came by DISYNC_MASTER_KEY, or is there',
    );
  const lease = Lease.take(folder);
  try {
    const former = readMasterKey(options, false);
    // One that a rotation left behind that was cut off.
    const key = existsSync(file) ? readKeyFile(file) : makeKeyFile(file);
    onStep('key made');
    const secrets = await reseal(folder, { lease, former, key }, onStep);
    onStep('sealed');
    const kept = to === null && keyFile !== null ? finishRotation(keyFile) : null;
    onStep('finished');
    return {
      file: to ?? keyFile ?? file,
      former: kept,
      fingerprint: fingerprintOf(key),
      formerFingerprint: fingerprintOf(former),
      secrets,
    };
  } finally {
    lease.release();
  }
}

async function reseal(
  folder: string,
  { lease, former, key }: { readonly lease: Lease; readonly former: Buffer; readonly key: Buffer },
  onStep: (step: RotationStep) => void,
): Promise<number> {
  const database = await openAlone(folder, lease);
  try {
    const records = sealRecordsOf(database);
    if (!opens(records, former)) {
      if (opens(records, key)) return 0; // all but the last step was done
      throw new MasterKeyError('the master key is not the one that this store was written with. Give that one.');
    }
    let secrets = 0;
    for (const { table, column, owner } of SEALED) {
      const update = database.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`);
      const rows = database.prepare(`SELECT rowid AS sealed_row, * FROM ${table}`);
      rows.setReadBigInts(true);
      for (const row of rows.all() as Row[]) {
        const text = new Seal(former).open(row[column] as Uint8Array, owner(row));
        update.run(new Seal(key).close(text, owner(row)), row['sealed_row'] as bigint);
        secrets += 1;
      }
    }
    markSealed(records, key);
    onStep('sealing');
    database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
    return secrets;
  } finally {
    database.close();
  }
}

/** In a transaction, with the store to itself: whoever had it open would go on sealing with the former key. */
async function openAlone(folder: string, lease: Lease): Promise<DatabaseSync> {
  // It has the present shape first.
  await Database.open(folder, lease).close();
  const database = new DatabaseSync(join(folder, 'disync.db'), { timeout: 2000, enableForeignKeyConstraints: true });
  try {
    // What is overwritten is not left in free pages, sealed with a key that somebody may have.
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN IMMEDIATE',
    );
    return database;
  } catch (error) {
    database.close();
    throw new MasterKeyError(`the store ${folder} is open elsewhere: end that first (${messageOf(error)})`, {
      cause: error,
    });
  }
}

function sealRecordsOf(database: DatabaseSync): SealRecords {
  return {
    meta: (key) => database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined,
    setMeta: (key, value) => void database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value),
  };
}
