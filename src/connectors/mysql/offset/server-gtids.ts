import { setTimeout as sleep } from 'node:timers/promises';
import type { Questions } from '../connect.ts';
import { isDenied } from '../errors.ts';
import { GtidPosition } from './gtid-position.ts';
import { GtidSet } from './gtid-set.ts';
import type { LogPosition } from './position.ts';
import { atLeast, type ServerFacts } from '../server-facts.ts';

/** A commit may wait for an acknowledgement. */
const WAIT_MS = 5000;
/** A replica may be behind. */
const WAIT_REPLICA_MS = 25_000;
const STEP_MS = 50;

/** What a MySQL server has executed, is executing, and no longer has in its log. */
export interface ServerGtids {
  readonly executed: GtidSet;
  readonly owned: GtidSet;
  readonly purged: GtidSet;
}

export async function readServerGtids(connection: Questions): Promise<ServerGtids> {
  // In this order: a transaction goes from the owned to the executed ones.
  const [row = {}] = await connection.query(
    'SELECT @@global.gtid_owned AS owned, @@global.gtid_executed AS executed, @@global.gtid_purged AS purged',
  );
  return {
    owned: GtidSet.parse((row['owned'] ?? '').replaceAll(/#\d+/g, '')),
    executed: GtidSet.parse(row['executed'] ?? ''),
    purged: GtidSet.parse(row['purged'] ?? ''),
  };
}

/**
 * MySQL: what has been executed, once that has all that is in the log now: a transaction in the log owns its id until it is
 * executed. Null when that takes too long, as an id can also be owned by hand.
 */
export async function executedOnceSettled(connection: Questions): Promise<ServerGtids | null> {
  const first = await readServerGtids(connection);
  for (const deadline = Date.now() + WAIT_MS; ; await sleep(STEP_MS)) {
    const now = await readServerGtids(connection);
    if (first.owned.intersect(now.owned).isEmpty) return now;
    if (Date.now() > deadline) return null;
  }
}

/**
 * Of the transactions that were passed, those that the server does not have, as texts: `[]` when it has all. Its `own` it has
 * at once, be it that it is about to execute them; those of another server it may be about to get, while it replicates.
 */
export async function missingAt(
  connection: Questions,
  facts: ServerFacts,
  passed: string,
  whose: 'own' | 'other',
): Promise<readonly string[]> {
  const waitMs = whose === 'other' && (await isReplicating(connection, facts)) ? WAIT_REPLICA_MS : 0;
  for (const deadline = Date.now() + waitMs; ; await sleep(STEP_MS)) {
    const missing =
      facts.family === 'mysql'
        ? await missingSet(connection, passed, whose)
        : await missingPosition(connection, passed);
    if (missing.length === 0 || Date.now() >= deadline) return missing;
  }
}

/** True also where the account may not know. */
async function isReplicating(connection: Questions, { family, version }: ServerFacts): Promise<boolean> {
  const sql =
    family === 'mariadb'
      ? 'SHOW ALL SLAVES STATUS'
      : atLeast(version, [8, 0, 22])
        ? 'SHOW REPLICA STATUS'
        : 'SHOW SLAVE STATUS';
  try {
    const channels = await connection.query(sql);
    return channels.some((row) => (row['Replica_SQL_Running'] ?? row['Slave_SQL_Running']) === 'Yes');
  } catch (error) {
    if (isDenied(error)) return true;
    throw error;
  }
}

async function missingSet(connection: Questions, passed: string, whose: 'own' | 'other'): Promise<readonly string[]> {
  const { executed, owned } = await readServerGtids(connection);
  const missing = GtidSet.parse(passed)
    .subtract(whose === 'own' ? executed.union(owned) : executed)
    .toString();
  return missing === '' ? [] : missing.split(',');
}

async function missingPosition(connection: Questions, passed: string): Promise<readonly string[]> {
  const [row] = await connection.query('SELECT @@global.gtid_binlog_pos AS position');
  return GtidPosition.parse(passed).missingIn(GtidPosition.parse(row?.['position'] ?? ''));
}

/** MariaDB: what was executed up to a place of its log; null when the server cannot tell. */
export async function positionAt(connection: Questions, { file, position }: LogPosition): Promise<string | null> {
  const [row] = await connection.query('SELECT BINLOG_GTID_POS(?, ?) AS gtids', [file, String(position)]);
  return row?.['gtids'] ?? null;
}
