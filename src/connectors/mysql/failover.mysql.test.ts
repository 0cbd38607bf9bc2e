import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { failoverCampaign } from '../../../test/support/failover-campaign.ts';
import { ReplicaPair } from '../../../test/support/replica-pair.ts';
import { FAMILIES, freshMysqlDatabase, mysqlClient, type TestServer } from '../../../test/support/servers.ts';
import { TcpSwitch } from '../../../test/support/tcp-switch.ts';
import { Follower, joining, openSource } from '../../../test/support/source-under-test.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { Offset } from '../../pipeline/offset.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import { GtidSet } from './offset/gtid-set.ts';
import { offsetFromJson } from './offset/position.ts';

/** Writes until it is stopped: rows of `t` that change, and rows of `entries` that are only ever inserted. */
class Writer {
  // oxlint-disable-next-line no-unused-private-class-members -- the condition of a loop uses it
  #running = true;
  readonly #done: Promise<void>;

  constructor(server: TestServer, database: string) {
    this.#done = this.#write(server, database);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #write(server: TestServer, database: string): Promise<void> {
    const client = await mysqlClient(server, database);
    for (let turn = 0; this.#running; turn += 1) {
      await client.query(
        `INSERT INTO entries (n) VALUES (${turn});
         BEGIN; REPLACE INTO t VALUES (${turn % 97}, ${turn}); UPDATE big SET n = n + 1 WHERE id = ${turn % 9000}; COMMIT;
         DELETE FROM t WHERE id = ${(turn * 7) % 97}`,
      );
    }
    await client.end();
  }
}

async function rowsOf(client: Connection, database: string, table: string): Promise<string[]> {
  const [rows] = await client.query({ sql: `SELECT * FROM \`${database}\`.${table}`, rowsAsArray: true });
  return (rows as unknown[][]).map((row) => row.map(String).join('|')).sort();
}

function followed(follower: Follower, database: string, table: string): string[] {
  return follower
    .rows(database, table)
    .map((row) => Object.values(row).map(String).join('|'))
    .sort();
}

async function untilEqual(follower: Follower, client: Connection, database: string, table: string): Promise<void> {
  // A server's log runs ahead of what its SELECT shows.
  let expected: string[] = [];
  await follower
    .until(async () => {
      expected = await rowsOf(client, database, table);
      return followed(follower, database, table).join() === expected.join();
    })
    .catch(() => {});
  assert.deepEqual(followed(follower, database, table), expected);
}

function passedBy({ offset }: Follower): string {
  return offsetFromJson(offset ?? {}).gtids ?? '';
}

/** The error with which a resume at `server` ends. */
async function refusal(follower: Follower, server: TestServer, database: string): Promise<PipelineError> {
  const again = follower.goOn(openSource(server, database));
  await assert.rejects(again.until(() => false));
  await again.stop();
  assert.ok(again.error instanceof PipelineError, String(again.error));
  return again.error;
}

for (const family of FAMILIES) {
  void describe(`failover, on ${family}`, () => {
    let pair: ReplicaPair;

    before(async () => {
      pair = await ReplicaPair.start(family);
    });
    after(async () => {
      await pair.stop();
    });

    /** A table `t` that streams, and what follows it. */
    async function streaming(sql: string, tables: readonly string[] = ['t']) {
      const { primary, atPrimary } = pair;
      const database = await freshMysqlDatabase(primary);
      await atPrimary.query(`USE \`${database}\`; ${sql}`);
      const source = openSource(primary, database);
      const follower = new Follower(source);
      follower.start(1, await Promise.all(tables.map((table) => joining(source, database, table, { load: 'none' }))));
      await follower.until(() => tables.every((table) => follower.state(database, table) === 'STREAMING'));
      return { database, follower };
    }

    void it('knows every transaction that was passed, empty ones and those of others too (C34)', async () => {
      const { primary, atPrimary } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE other LIKE t');
      await atPrimary.query(`USE \`${database}\`; INSERT INTO other VALUES (1); BEGIN; UPDATE other SET id = 1; COMMIT;
        FLUSH BINARY LOGS; CREATE VIEW v AS SELECT 1; DROP VIEW v; FLUSH PRIVILEGES; DELETE FROM other`);
      if (family === 'mysql') {
        const [rows] = await atPrimary.query('SELECT @@server_uuid AS uuid, @@global.gtid_executed AS executed');
        const [{ uuid, executed } = { uuid: '', executed: '' }] = rows as { uuid: string; executed: string }[];
        const next = Number(/-(\d+)$/.exec(executed.split(',')[0] ?? '')?.[1]) + 10;
        // One that is empty, one beyond a gap, one with a tag (C8).
        for (const gtid of [`${uuid}:${next}`, `${uuid}:abc:1`])
          await atPrimary.query(`SET gtid_next = '${gtid}'; BEGIN; COMMIT; SET gtid_next = 'AUTOMATIC'`);
        await atPrimary.query(`FLUSH BINARY LOGS; INSERT INTO \`${database}\`.t VALUES (7)`);
      } else
        await atPrimary.query(
          `SET SESSION gtid_domain_id = 3; INSERT INTO \`${database}\`.other VALUES (9); SET SESSION gtid_domain_id = 0`,
        );
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (1)`);
      await follower.until(() => follower.rows(database, 't').some(({ id }) => id === '1'));
      const executed = async () => {
        const variable = family === 'mysql' ? '@@global.gtid_executed' : '@@global.gtid_binlog_pos';
        const [rows] = await atPrimary.query({ sql: `SELECT ${variable}`, rowsAsArray: true });
        const text = String((rows as string[][])[0]?.[0]);
        return family === 'mysql' ? GtidSet.parse(text).toString() : text;
      };
      assert.equal(passedBy(follower), await executed());
      await follower.stop();
      // A checkpoint that does not say what was passed gets it from the next file.
      const { gtids: _, last: __, ...old } = { gtids: '', last: '', ...follower.offset };
      follower.offset = old;
      const again = follower.goOn(openSource(primary, database));
      await again.until(() => again.offset !== null);
      assert.equal(offsetFromJson(again.offset ?? {}).gtids, null);
      await atPrimary.query(`FLUSH BINARY LOGS; INSERT INTO \`${database}\`.t VALUES (2)`);
      await again.until(() => again.rows(database, 't').some(({ id }) => id === '2'));
      assert.equal(passedBy(again), await executed());
      await again.stop();
      await pair.level();
    });

    void it('delivers what lies in the gaps of what was passed, and nothing that does not (C5)', async (test) => {
      if (family === 'mariadb') return test.skip('a position has no gaps');
      const { primary, atPrimary } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      const gtids = async () => {
        const [rows] = await atPrimary.query('SELECT @@global.gtid_executed AS executed');
        return GtidSet.parse((rows as { executed: string }[])[0]?.executed ?? '');
      };
      const holes: GtidSet[] = [];
      for (let id = 1; id <= 9; id += 1) {
        const earlier = await gtids();
        await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (${id})`);
        if (id === 3 || id === 7) holes.push((await gtids()).subtract(earlier));
      }
      await follower.until(() => follower.rows(database, 't').length === 9);
      await follower.stop();
      follower.tables.clear();
      let passed = GtidSet.parse(passedBy(follower));
      for (const hole of holes) passed = passed.subtract(hole);
      follower.offset = { ...follower.offset, gtids: passed.toString(), onlyGtids: true };
      const again = follower.goOn(openSource(primary, database));
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (10)`);
      await again.until(() => again.rows(database, 't').some(({ id }) => id === '10'));
      assert.deepEqual(followed(again, database, 't'), ['10', '3', '7']);
      assert.equal(again.offset?.['gtids'], (await gtids()).toString());
      await again.stop();
    });

    void it('loses nothing behind a statement that commits itself, wherever it is stopped (C2)', async () => {
      const { primary, atPrimary } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      let now = follower;
      for (const sql of [
        'CREATE TABLE x (a INT)',
        'INSERT INTO t VALUES (1)',
        'DROP TABLE x',
        'INSERT INTO t VALUES (2)',
      ]) {
        await now.stop();
        const passed = passedBy(now);
        now = now.goOn(openSource(primary, database));
        await atPrimary.query(`USE \`${database}\`; ${sql}`);
        await now.until(() => now.offset !== null && passedBy(now) !== passed);
      }
      await now.stop();
      assert.deepEqual(followed(now, database, 't'), ['1', '2']);
      assert.equal(now.changes.get(`${database}\0t`), 2);
    });

    void it('stops at a replica that lacks what was delivered, names it, and goes on once it has it (C13)', async () => {
      const { replica, atPrimary, atReplica } = pair;
      await pair.level();
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      await pair.level();
      await pair.part();
      const passed = passedBy(follower);
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (1)`);
      await follower.until(() => follower.rows(database, 't').length === 1);
      await follower.stop();
      const { kind, code, message, hint } = await refusal(follower, replica, database);
      assert.deepEqual([kind, code], ['fatal', 'MySQL.OtherServer']);
      const now = passedBy(follower);
      const missing =
        family === 'mysql' ? GtidSet.parse(now).subtract(GtidSet.parse(passed)).toString() : now.split(',')[0];
      assert.ok(message.includes(`it has not got ${missing},`), message);
      assert.match(hint ?? '', /^Point the data source at a server that has it/);
      await pair.follow();
      await pair.level();
      await atPrimary.query(
        `USE \`${database}\`; ALTER TABLE t ADD COLUMN c INT; UPDATE t SET c = 5; INSERT INTO t VALUES (2, 3)`,
      );
      const second = follower.goOn(openSource(replica, database));
      await untilEqual(second, atPrimary, database, 't');
      await untilEqual(second, atReplica, database, 't');
      assert.equal(second.changes.get(`${database}\0t`), 3);
      await second.stop();
    });

    void it('waits for a replica that is behind', async () => {
      const { replica, atPrimary, atReplica } = pair;
      await pair.level();
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      await pair.level();
      const delay = (seconds: number) =>
        atReplica.query(
          family === 'mysql'
            ? `STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_DELAY = ${seconds}; START REPLICA`
            : `STOP SLAVE; CHANGE MASTER TO MASTER_DELAY = ${seconds}; START SLAVE`,
        );
      await delay(3);
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (1)`);
      await follower.until(() => follower.rows(database, 't').length === 1);
      await follower.stop();
      assert.deepEqual(await rowsOf(atReplica, database, 't'), []);
      // A task can be stopped while it waits.
      const stopped = follower.goOn(openSource(replica, database));
      const begun = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await stopped.stop();
      assert.deepEqual([stopped.error, stopped.offset, performance.now() - begun < 2000], [null, null, true]);
      const second = follower.goOn(openSource(replica, database));
      await second.until(() => second.offset !== null);
      await delay(0);
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (2)`);
      await untilEqual(second, atPrimary, database, 't');
      assert.equal(second.changes.get(`${database}\0t`), 2);
      await second.stop();
    });

    void it('goes on behind purged logs where all of them was passed, and stops where not all was (C10, C11)', async () => {
      const { primary, replica, atPrimary, atReplica } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      await follower.stop();
      const { offset } = follower;
      const purge = async (client: Connection) => {
        await client.query('FLUSH BINARY LOGS');
        // MariaDB keeps a file until what is in it has come to the disk elsewhere.
        for (let files: string[][] = []; files.length !== 1; ) {
          const [rows] = await client.query({ sql: 'SHOW BINARY LOGS', rowsAsArray: true });
          files = rows as string[][];
          await client.query(`PURGE BINARY LOGS TO '${files.at(-1)?.[0]}'`);
        }
      };
      await pair.level();
      for (const client of [atPrimary, atReplica]) await purge(client);
      for (const server of [primary, replica]) {
        follower.offset = offset;
        const again = follower.goOn(openSource(server, database));
        await again.until(() => again.offset !== null && again.offset['onlyGtids'] === undefined);
        await again.stop();
      }
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (1)`);
      await pair.level();
      for (const [client, server] of [
        [atPrimary, primary],
        [atReplica, replica],
      ] as const) {
        await purge(client);
        follower.offset = offset;
        const { kind, code, message } = await refusal(follower, server, database);
        assert.deepEqual([kind, code], ['fatal', 'MySQL.BinlogPurged']);
        assert.match(
          message,
          /^the server no longer has \S+, which was not delivered yet; its oldest log is binlog\.\d{6}$/,
        );
      }
    });

    void it('goes on from wherever it was stopped while it catches up, each change once', async () => {
      const { replica, atPrimary, atReplica } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, pad TEXT)');
      const insert = `INSERT INTO \`${database}\`.t (pad) VALUES (REPEAT('x', 60000));`;
      await atPrimary.query(insert.repeat(40));
      await follower.until(() => follower.rows(database, 't').length === 40);
      await follower.stop();
      await atPrimary.query(insert.repeat(20));
      await pair.level();
      let now = follower;
      const seen: (Offset | null)[] = [];
      for (let batches = 0; now.rows(database, 't').length < 60 && batches < 50; batches += 1) {
        now = now.goOn(openSource(replica, database));
        now.stopWhen(({ rows }) => rows > 0);
        await now.ended();
        if (now.error !== null) throw now.error;
        seen.push(now.offset);
      }
      assert.ok(
        seen.some((offset) => offset?.['onlyGtids'] === true),
        'it was stopped while it caught up',
      );
      assert.equal(now.changes.get(`${database}\0t`), 60);
      await untilEqual(now, atReplica, database, 't');
      await now.stop();
    });

    void it('reads from one server only when an address leads to several, and goes on at the other once it is cut off (C13)', async () => {
      const { primary, replica, atPrimary } = pair;
      const database = await freshMysqlDatabase(primary);
      await atPrimary.query(`CREATE TABLE \`${database}\`.t (id INT PRIMARY KEY)`);
      await pair.level();
      const address = await TcpSwitch.start(primary.port);
      const source = openSource({ ...primary, port: address.port }, database);
      const follower = new Follower(source);
      follower.start(1, [await joining(source, database, 't')]);
      await follower.until(() => follower.state(database, 't') === 'STREAMING');
      await atPrimary.query(
        `INSERT INTO \`${database}\`.t VALUES (1); CREATE TABLE \`${database}\`.u (id INT PRIMARY KEY)`,
      );
      await follower.until(() => follower.rows(database, 't').length === 1);
      await pair.level();
      // A table that is added now is described, and one that joins is loaded, on connections of their own.
      const added = await joining(source, database, 'u');
      address.to(replica.port);
      await assert.rejects(
        joining(source, database, 'u'),
        (error) => error instanceof PipelineError && error.code === 'MySQL.ServerChanged' && error.kind === 'transient',
      );
      const kept = {
        ...added,
        id: { database, table: 't' },
        progress: follower.states.get(`${database}\0t`) ?? null,
      };
      source.setTables({ version: 2, tables: [kept, added] });
      await assert.rejects(
        follower.until(() => follower.state(database, 'u') === 'STREAMING'),
        (error) => error instanceof PipelineError && error.code === 'MySQL.ServerChanged',
      );
      address.cut();
      const second = follower.goOn(openSource({ ...primary, port: address.port }, database));
      await second.until(() => second.state(database, 'u') === 'STREAMING');
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (2); INSERT INTO \`${database}\`.u VALUES (2)`);
      for (const table of ['t', 'u']) await untilEqual(second, atPrimary, database, table);
      assert.notEqual(second.offset?.['server'], follower.offset?.['server']);
      await second.stop();
      address.close();
    });

    void it('lets a table join that was waiting for a place in the log of the former server', async () => {
      const { replica, atPrimary, atReplica } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      await follower.stop();
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (1)`);
      await pair.level();
      const progress = follower.states.get(`${database}\0t`);
      assert.ok(progress !== undefined);
      const from = { file: 'binlog.999999', position: 4 };
      for (const load of ['full', 'none'])
        for (const server of [{}, { server: follower.offset?.['server'] ?? '' }]) {
          const resume = { ...(progress.resume as JsonObject), load, from, ...server };
          follower.tables.clear();
          follower.states.set(`${database}\0t`, { ...progress, state: 'WAITING', resume });
          const second = follower.goOn(openSource(replica, database));
          await second.until(() => second.state(database, 't') === 'STREAMING');
          await untilEqual(second, atReplica, database, 't');
          await second.stop();
        }
    });

    void it('goes to and fro between the two while they are written to, each change once', async (test) => {
      const seed = Date.now() % 1_000_000;
      test.diagnostic(`seed ${seed}`);
      const result = await failoverCampaign(pair, 12, seed);
      assert.ok(result.isWhole, JSON.stringify(result));
      await pair.level();
    });

    void it('delivers a transaction again that was delivered in part', async () => {
      const { replica, atPrimary, atReplica } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY, pad TEXT)');
      follower.stopWhen(({ transactionEnd }) => !transactionEnd);
      const values = (from: number) => Array.from({ length: 1000 }, (_, i) => `(${from + i}, REPEAT('x', 900))`).join();
      await atPrimary.query(
        `USE \`${database}\`; BEGIN; ${[0, 1000, 2000].map((from) => `INSERT INTO t VALUES ${values(from)};`).join('')}
         UPDATE t SET id = id + 5000 WHERE id < 100; COMMIT`,
      );
      await follower.ended();
      const part = follower.rows(database, 't').length;
      assert.ok(part > 0 && part < 3000, String(part));
      await pair.level();
      const second = follower.goOn(openSource(replica, database));
      await untilEqual(second, atReplica, database, 't');
      assert.equal(second.changes.get(`${database}\0t`), part + 3100);
      await second.stop();
    });

    void it('has the rows of an XA transaction that was prepared at the one and committed at the other', async () => {
      const { primary, replica, atPrimary, atReplica } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      const session = await mysqlClient(primary, database);
      await session.query("XA START 'one'; INSERT INTO t VALUES (1), (2); XA END 'one'; XA PREPARE 'one'");
      await atPrimary.query(`INSERT INTO \`${database}\`.t VALUES (3)`);
      await follower.until(() => follower.rows(database, 't').length === 1);
      await follower.stop();
      await session.end();
      await pair.level();
      await pair.part();
      let second = follower.goOn(openSource(replica, database));
      await second.until(() => second.offset?.['onlyGtids'] === undefined && second.heldSinceMicros !== null);
      await second.stop();
      // In a domain of its own, so that the replica can follow on.
      await atReplica.query(`${family === 'mariadb' ? 'SET SESSION gtid_domain_id = 9; ' : ''}XA COMMIT 'one'`);
      second = second.goOn(openSource(replica, database));
      await untilEqual(second, atReplica, database, 't');
      assert.equal(second.changes.get(`${database}\0t`), 3);
      await second.stop();
      await atPrimary.query("SET SESSION sql_log_bin = 0; XA ROLLBACK 'one'; SET SESSION sql_log_bin = 1");
      await pair.follow();
    });

    void it('stops at a MariaDB whose own changes may lie before what was delivered', async (test) => {
      if (family === 'mysql') return test.skip('a set tells them');
      const { replica, atReplica } = pair;
      const { database, follower } = await streaming('CREATE TABLE t (id INT PRIMARY KEY)');
      await follower.stop();
      await pair.level();
      await atReplica.query('SET GLOBAL gtid_strict_mode = 0');
      const { kind, code, hint } = await refusal(follower, replica, database);
      await atReplica.query('SET GLOBAL gtid_strict_mode = 1');
      assert.deepEqual([kind, code], ['fatal', 'MySQL.OtherServer']);
      assert.match(hint ?? '', /SET GLOBAL gtid_strict_mode = ON there, and start the task/);
    });

    void it('goes on at a replica while both are written to: row for row, each change once, loads where they were', async () => {
      const { primary, replica, atPrimary, atReplica } = pair;
      const database = await freshMysqlDatabase(primary);
      await atPrimary.query(
        `USE \`${database}\`; CREATE TABLE t (id INT PRIMARY KEY, n INT); CREATE TABLE big (id INT PRIMARY KEY, n INT);
         CREATE TABLE entries (id BIGINT AUTO_INCREMENT PRIMARY KEY, n INT);
         INSERT INTO big VALUES ${Array.from({ length: 9000 }, (_, id) => `(${id}, 0)`).join(',')}`,
      );
      const source = openSource(primary, database, {}, { loadRowsPerSecondMax: 8000 });
      const follower = new Follower(source);
      const none = { load: 'none' } as const;
      follower.start(1, [
        await joining(source, database, 't'),
        await joining(source, database, 'entries', none),
        await joining(source, database, 'big'),
      ]);
      await follower.until(() => follower.state(database, 'entries') === 'STREAMING');
      let writer = new Writer(primary, database);
      await follower.until(
        () =>
          (follower.changes.get(`${database}\0entries`) ?? 0) > 20 &&
          (follower.states.get(`${database}\0big`)?.chunksDone ?? 0) >= 1,
      );
      await follower.stop();
      assert.equal(follower.state(database, 'big'), 'SNAPSHOTTING');
      const loaded = follower.rows(database, 'big').length;
      await writer.stop();
      await pair.level();
      await pair.part();
      writer = new Writer(replica, database);
      const second = follower.goOn(openSource(replica, database));
      await second.until(() => second.state(database, 'big') === 'STREAMING');
      await writer.stop();
      for (const table of ['t', 'big', 'entries']) await untilEqual(second, atReplica, database, table);
      assert.equal(second.changes.get(`${database}\0entries`), second.rows(database, 'entries').length);
      assert.ok(loaded > 0 && loaded < 9000);
      assert.notEqual(second.offset?.['server'], follower.offset?.['server']);
      await second.until(() => second.offset?.['onlyGtids'] === undefined);
      await second.stop();
      // At the replica it is an ordinary resume from there on.
      await atReplica.query(`INSERT INTO \`${database}\`.entries (n) VALUES (-1)`);
      const third = second.goOn(openSource(replica, database));
      await untilEqual(third, atReplica, database, 'entries');
      assert.equal(third.changes.get(`${database}\0entries`), third.rows(database, 'entries').length);
      await third.stop();
    });
  });
}
