import { setTimeout as sleep } from 'node:timers/promises';
import type { Questions } from './connect.ts';
import { GtidPosition } from './gtid-position.ts';
import { GtidSet } from './gtid-set.ts';
import type { LogPosition } from './position.ts';
import type { ServerFacts } from './server-facts.ts';

/** A server may be about to have what it does not have yet: a replica, or one whose commit waits for an acknowledgement. */
const WAIT_MS = 5000;
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
 * at once, be it that it is about to execute them; those of another server it may be about to get: a few seconds are waited.
 */
export async function missingAt(
  connection: Questions,
  facts: ServerFacts,
  passed: string,
  whose: 'own' | 'other',
): Promise<readonly string[]> {
  for (const deadline = Date.now() + (whose === 'own' ? 0 : WAIT_MS); ; await sleep(STEP_MS)) {
    const missing =
      facts.family === 'mysql'
        ? await missingSet(connection, passed, whose)
        : await missingPosition(connection, passed);
    if (missing.length === 0 || Date.now() >= deadline) return missing;
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
