import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import type { ReplicaPair } from './replica-pair.ts';
import { freshMysqlDatabase, mysqlClient, type TestServer } from './servers.ts';
import { Follower, joining, openSource } from './source-under-test.ts';

const WRITERS = 4;
/** A table of so many rows is loaded meanwhile, at a rate at which that takes some hops. */
const LOADED = 9000;
const READER = { loadRowsPerSecondMax: 2000 };

export interface FailoverResult {
  readonly isWhole: boolean;
  readonly hops: number;
  /** To the other server. */
  readonly moves: number;
  /** While it caught up there. */
  readonly stopsWithin: number;
  /** Hops at which a table was being loaded that had chunks already. */
  readonly withinLoad: number;
  readonly entries: number;
  /** Rows of them delivered: as many, if each was delivered once. */
  readonly changes: number;
}

/**
 * Stops a reader after any batch and lets it go on at the primary or at its replica, while the primary is written to: every
 * row must be delivered once, and in the end all must be equal.
 */
export async function failoverCampaign(pair: ReplicaPair, hops: number, seed: number): Promise<FailoverResult> {
  const random = randomOf(seed);
  const { primary, replica, atPrimary } = pair;
  const database = await freshMysqlDatabase(primary);
  await atPrimary.query(
    `USE \`${database}\`; CREATE TABLE t (id INT PRIMARY KEY, n INT);
     CREATE TABLE entries (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT); CREATE TABLE loaded LIKE t;
     INSERT INTO loaded VALUES ${Array.from({ length: LOADED }, (_, id) => `(${id}, 0)`).join()}`,
  );
  const open = (server: TestServer) => openSource(server, database, {}, READER);
  const source = open(primary);
  let follower = new Follower(source);
  follower.start(1, [
    await joining(source, database, 't', { load: 'none' }),
    await joining(source, database, 'entries', { load: 'none' }),
    await joining(source, database, 'loaded'),
  ]);
  await follower.until(() => follower.offset !== null);
  const stopWriting = startWriters(pair, database);
  let [moves, stopsWithin, withinLoad] = [0, 0, 0];
  try {
    for (let number = 0; number < hops; number += 1) {
      let batches = 1 + Math.floor(random() * 5);
      follower.stopWhen(() => (batches -= 1) <= 0);
      await follower.ended();
      await follower.stop();
      if (follower.error !== null) throw follower.error;
      const before = follower.offset?.['server'];
      if (follower.offset?.['onlyGtids'] === true) stopsWithin += 1;
      const load = follower.states.get(`${database}\0loaded`);
      if (load?.state === 'SNAPSHOTTING' && load.chunksDone > 0) withinLoad += 1;
      follower = follower.goOn(open(random() < 0.5 ? primary : replica));
      await follower.until(() => follower.offset !== null);
      if (follower.offset?.['server'] !== before) moves += 1;
      // Logs are cut now and then, so that reading does not always begin with the same file.
      if (random() < 0.1) await pair.atReplica.query('FLUSH BINARY LOGS');
    }
  } finally {
    await stopWriting();
  }
  follower.stopWhen(() => false);
  const tables = ['t', 'entries', 'loaded'];
  await follower
    .until(async () =>
      (await Promise.all(tables.map((table) => isEqual(atPrimary, follower, database, table)))).every(Boolean),
    )
    .catch(() => {});
  const entries = follower.rows(database, 'entries').length;
  const changes = follower.changes.get(`${database}\0entries`) ?? 0;
  const equal = await Promise.all(tables.map((table) => isEqual(atPrimary, follower, database, table)));
  await follower.stop();
  return {
    isWhole: equal.every(Boolean) && changes === entries,
    hops,
    moves,
    stopsWithin,
    withinLoad,
    entries,
    changes,
  };
}

async function isEqual(client: Connection, follower: Follower, database: string, table: string): Promise<boolean> {
  const [rows] = await client.query({
    sql: `SELECT id, n FROM \`${database}\`.${table} ORDER BY id`,
    rowsAsArray: true,
  });
  const found = follower.rows(database, table).toSorted((a, b) => Number(a['id']) - Number(b['id']));
  return (rows as number[][]).map(String).join(';') === found.map(({ id, n }) => `${id},${n}`).join(';');
}

function startWriters({ family, primary }: ReplicaPair, database: string): () => Promise<void> {
  let running = true;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    const client = await mysqlClient(primary, database);
    if (family === 'mariadb') await client.query(`SET SESSION gtid_domain_id = ${writer}`);
    // Each changes rows of its own: what is written in different domains is not ordered.
    for (let turn = 0; running; turn += 1) {
      const id = (factor: number) => (turn * factor * WRITERS + writer) % LOADED;
      await client.query(
        `INSERT INTO entries (n) VALUES (${turn}); REPLACE INTO t VALUES (${id(1) % 200}, ${turn}); DELETE FROM t WHERE id = ${id(3) % 200};
         UPDATE loaded SET n = n + 1 WHERE id = ${id(7919)}; DELETE FROM loaded WHERE id = ${id(104_729)};
         REPLACE INTO loaded VALUES (${id(1_299_709)}, ${turn})`,
      );
      await sleep(5); // a replica on a busy machine must keep up
    }
    await client.end();
  });
  return async () => {
    running = false;
    await Promise.all(writers);
  };
}
