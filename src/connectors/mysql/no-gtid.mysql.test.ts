import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { type Server, startServer } from '../../../scripts/servers/servers.ts';
import { freshMysqlDatabase, mysqlClient } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, settingsOf } from '../../../test/support/source-under-test.ts';
import { mysqlConnector } from './connector.ts';

/** A MySQL without GTID has to be asked in other ways what a SELECT shows. */
void describe('MySQL without GTID', () => {
  let server: Server;
  let root: Connection;

  before(async () => {
    server = await startServer('mysql', { gtid_mode: 'OFF', enforce_gtid_consistency: 'OFF', sync_binlog: '0' });
    root = await mysqlClient(server);
  });
  after(async () => {
    await root.end();
    await server.stop();
  });

  const ACCOUNTS = [
    ['performance_schema.log_status', 'GRANT SELECT ON *.* TO ?; GRANT BACKUP_ADMIN ON *.* TO ?'],
    ['locking reads', 'GRANT SELECT ON *.* TO ?'],
  ] as const;

  for (const [name, grants] of ACCOUNTS) {
    void it(`is loaded under writers through ${name}, with no write right`, async () => {
      const database = await freshMysqlDatabase(server);
      const user = name.replace(/\W/g, '').slice(0, 12);
      const account = `'${user}'@'127.0.0.1'`;
      await root.query(
        `CREATE USER ${account} IDENTIFIED BY 'p'; ${grants.replaceAll('?', account)}; GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${account}`,
      );
      await root.query(`USE \`${database}\`; CREATE TABLE t (id INT PRIMARY KEY, n INT)`);
      await root.query(`INSERT INTO t VALUES ${Array.from({ length: 12_000 }, (_, i) => `(${i}, 0)`).join(',')}`);
      let running = true;
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        const client = await mysqlClient(server, database);
        for (let turn = 0; running; turn += 1)
          await client.query('UPDATE t SET n = n + 1 WHERE id = ?', [(turn * 37 + writer * 2000) % 12_000]);
        await client.end();
      });
      const source = openSource({ ...server, user, password: 'p' }, database);
      const follower = new Follower(source);
      follower.start(1, [await joining(source, database, 't')]);
      try {
        await follower.until(() => follower.state(database, 't') === 'STREAMING');
      } finally {
        running = false;
        await Promise.all(writers);
      }
      const [rows] = await root.query({ sql: 'SELECT id, n FROM t ORDER BY id', rowsAsArray: true });
      const expected = (rows as number[][]).map((row) => row.join(':'));
      const found = () =>
        follower
          .rows(database, 't')
          .toSorted((a, b) => Number(a['id']) - Number(b['id']))
          .map(({ id, n }) => `${id}:${n}`);
      await follower.until(() => found().join() === expected.join()).catch(() => {});
      assert.deepEqual(found(), expected);
      await follower.stop();
    });
  }

  void it('is refused at planning, each reason with its remedy, when the account lacks what reading needs', async () => {
    const database = await freshMysqlDatabase(server);
    await root.query(
      `CREATE TABLE \`${database}\`.t (id INT PRIMARY KEY); CREATE USER 'bare'@'127.0.0.1' IDENTIFIED BY 'p'; GRANT SELECT ON *.* TO 'bare'@'127.0.0.1'`,
    );
    const describe = () =>
      mysqlConnector.describe({
        settings: settingsOf({ ...server, user: 'bare', password: 'p' }, database),
        tables: [{ database, table: 't' }],
        load: true,
        withoutKey: false,
        signal: AbortSignal.timeout(20_000),
      });
    const codes = async () => (await describe()).problems.map(({ code, remedy }) => `${code}: ${remedy}`);
    assert.deepEqual(await codes(), ["MySQL.Denied: GRANT REPLICATION CLIENT ON *.* TO 'bare'@'127.0.0.1';"]);
    await root.query("GRANT REPLICATION CLIENT ON *.* TO 'bare'@'127.0.0.1'");
    assert.deepEqual(await codes(), ["MySQL.Denied: GRANT REPLICATION SLAVE ON *.* TO 'bare'@'127.0.0.1';"]);
    await root.query("GRANT REPLICATION SLAVE ON *.* TO 'bare'@'127.0.0.1'");
    assert.deepEqual(await codes(), []);
  });

  void it('proposes a unique index over whole columns that are never NULL where a primary key is missing', async () => {
    const database = await freshMysqlDatabase(server);
    await root.query(
      `CREATE TABLE \`${database}\`.proposed (a INT NOT NULL, b VARCHAR(30) NOT NULL, c INT, d INT NOT NULL, e INT NOT NULL,
       UNIQUE KEY with_null (c), UNIQUE KEY prefix (b(3)), UNIQUE KEY three (a, b, d), UNIQUE KEY two (b, a), KEY plain (e));
       CREATE TABLE \`${database}\`.none (a INT NOT NULL, b INT, UNIQUE KEY with_null (a, b))`,
    );
    const { problems } = await mysqlConnector.describe({
      settings: settingsOf(server, database),
      tables: ['proposed', 'none'].map((table) => ({ database, table })),
      load: false,
      withoutKey: false,
      signal: AbortSignal.timeout(20_000),
    });
    assert.deepEqual(
      problems.map(({ remedy }) => remedy),
      [
        `Rows at the sink are found by it. The unique index \`two\` over (\`b\`, \`a\`) would do: ALTER TABLE \`${database}\`.\`proposed\` ADD PRIMARY KEY (\`b\`, \`a\`).`,
        'Add a primary key: rows at the sink are found by it.',
      ],
    );
  });

  void it('is refused at planning for each setting that its log must have', async () => {
    const database = await freshMysqlDatabase(server);
    await root.query(`CREATE TABLE \`${database}\`.nokey (id INT); CREATE VIEW \`${database}\`.v AS SELECT 1 AS one`);
    await root.query('SET GLOBAL binlog_row_image = MINIMAL, GLOBAL binlog_expire_logs_seconds = 60');
    try {
      const found = await mysqlConnector.describe({
        settings: settingsOf(server, database),
        tables: ['nokey', 'v', 'missing'].map((table) => ({ database, table })),
        load: true,
        withoutKey: false,
        signal: AbortSignal.timeout(20_000),
      });
      assert.deepEqual(
        found.problems.map(({ code }) => code),
        ['MySQL.RowImage', 'MySQL.Retention', 'Table.NoPrimaryKey', 'Table.NotATable', 'Table.Unknown'],
      );
    } finally {
      await root.query('SET GLOBAL binlog_row_image = FULL, GLOBAL binlog_expire_logs_seconds = 2592000');
    }
  });
});
