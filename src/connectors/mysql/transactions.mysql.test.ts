import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { startServer } from '../../../scripts/servers/servers.ts';
import {
  FAMILIES,
  freshMysqlDatabase,
  mysqlClient,
  sharedServer,
  type TestServer,
} from '../../../test/support/servers.ts';
import { Follower, joining, openSource } from '../../../test/support/source-under-test.ts';
import { tableKey } from '../../pipeline/table.ts';

/** Two tables of one database that are followed from now on, and a connection to write to them. */
async function following(server: TestServer, sql: string, tables: readonly string[]) {
  const database = await freshMysqlDatabase(server);
  const client = await mysqlClient(server, database);
  await client.query(sql);
  const source = openSource(server, database);
  const follower = new Follower(source);
  follower.start(1, await Promise.all(tables.map((table) => joining(source, database, table))));
  await follower.until(() => tables.every((table) => follower.state(database, table) === 'STREAMING'));
  return { database, client, follower, tables };
}

type Following = Awaited<ReturnType<typeof following>>;

/** Waits until the follower holds what the source does, of every table. */
async function untilEqual({ database, client, follower, tables }: Following): Promise<void> {
  for (const table of tables) {
    const expected = await rowsOf(client, table);
    const found = () =>
      follower
        .rows(database, table)
        .map((row) => Object.values(row).join('|'))
        .sort();
    await follower.until(() => found().join('\n') === expected.join('\n')).catch(() => {});
    assert.deepEqual(found(), expected);
  }
}

async function rowsOf(client: Connection, table: string): Promise<string[]> {
  const [rows] = await client.query({ sql: `SELECT * FROM ${table}`, rowsAsArray: true });
  return (rows as (number | null)[][]).map((row) => row.join('|')).sort();
}

const TABLES = `
  CREATE TABLE a (id INT PRIMARY KEY, u INT UNIQUE, n INT); INSERT INTO a VALUES (1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 4, 0);
  CREATE TABLE b (id INT PRIMARY KEY, n INT); INSERT INTO b VALUES (1, 0), (2, 0), (3, 0), (9, 0)`;

for (const family of FAMILIES) {
  void describe(`what ${family} logs`, () => {
    void it('of LOAD DATA, INSERT … SELECT, REPLACE and ON DUPLICATE KEY UPDATE leaves the same rows (F12)', async () => {
      const server = await sharedServer(family);
      const all = await following(server, TABLES, ['a', 'b']);
      const { client } = all;
      await client.query('INSERT INTO b SELECT id + 100, n FROM a');
      // It takes the place of two rows: of 1 by its key, of 3 by the other one.
      await client.query('REPLACE INTO a VALUES (1, 3, 7), (5, 5, 7)');
      await client.query(
        'INSERT INTO a VALUES (2, 20, 1), (6, 6, 1), (7, 5, 1) ON DUPLICATE KEY UPDATE n = n + 10, id = id + 50',
      );
      await client.query('INSERT IGNORE INTO b VALUES (1, 8), (200, 8)');
      await client.query('SET GLOBAL local_infile = ON');
      await client.query({
        sql: "LOAD DATA LOCAL INFILE 'rows' REPLACE INTO TABLE b FIELDS TERMINATED BY ','",
        infileStreamFactory: () => Readable.from([Buffer.from('1,3\n300,4\n301,5\n')]),
      });
      await untilEqual(all);
      await all.follower.stop();
      await client.end();
    });

    void it('of one statement on two tables goes to both, and to the one that is captured (F14)', async () => {
      const server = await sharedServer(family);
      const all = await following(server, `${TABLES}; CREATE TABLE c LIKE b; INSERT INTO c SELECT * FROM b`, [
        'a',
        'b',
      ]);
      const { client } = all;
      await client.query('UPDATE a JOIN b USING (id) SET a.n = 1, b.n = 2 WHERE id < 3');
      await client.query('UPDATE c JOIN a USING (id) SET c.n = 3, a.n = 4 WHERE id > 1');
      await client.query('DELETE a, b FROM a JOIN b USING (id) WHERE id = 2');
      await untilEqual(all);
      await all.follower.stop();
      await client.end();
    });

    void it('of an UPDATE that changes nothing is nothing (F13)', async () => {
      const server = await sharedServer(family);
      const all = await following(server, TABLES, ['a', 'b']);
      const { client, follower, database } = all;
      await client.query('UPDATE a SET n = 0; UPDATE b SET n = n; UPDATE b SET n = 1 WHERE id = 9');
      await untilEqual(all);
      assert.deepEqual(
        all.tables.map((table) => follower.changes.get(tableKey({ database, table })) ?? 0),
        [0, 1],
      );
      await follower.stop();
      await client.end();
    });

    void it('of a rollback over two engines is what the server keeps: rows of the one that knows none stay (F8)', async () => {
      const server = await sharedServer(family);
      const all = await following(
        server,
        'CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b (id INT PRIMARY KEY, n INT) ENGINE = MyISAM',
        ['a', 'b'],
      );
      const { client } = all;
      await client.query('INSERT INTO b VALUES (1, 1)');
      await client.query('BEGIN; INSERT INTO a VALUES (1, 1)');
      // MySQL refuses it where it gives transactions ids.
      const mixed = client.query('INSERT INTO b VALUES (2, 2)');
      await (family === 'mariadb' ? mixed : assert.rejects(mixed, { code: 'ER_GTID_UNSAFE_NON_TRANSACTIONAL_TABLE' }));
      await client.query('ROLLBACK; INSERT INTO a VALUES (3, 3); UPDATE b SET n = n + 1');
      await untilEqual(all);
      assert.deepEqual(await rowsOf(client, 'a'), ['3|3']);
      assert.deepEqual(await rowsOf(client, 'b'), family === 'mariadb' ? ['1|2', '2|3'] : ['1|2']);
      await all.follower.stop();
      await client.end();
    });
  });
}

void it('A log that MariaDB encrypts is read as any other, and its table ids that come again stand for what they stand for last (F5, F15)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'disync-keys-'));
  const keys = join(folder, 'keys');
  writeFileSync(keys, `1;${'0123456789abcdef'.repeat(4)}\n`);
  chmodSync(folder, 0o755); // the server may run as another user
  const server = await startServer('mariadb', {
    plugin_load_add: 'file_key_management',
    file_key_management_filename: keys,
    encrypt_binlog: 'ON',
  });
  const all = await following(server, TABLES, ['a', 'b']);
  await all.follower.stop();
  // In the order in which they are opened tables get their ids, and a server that starts begins anew with them.
  await all.client.query('UPDATE a SET n = 1; UPDATE b SET n = 2');
  await all.client.end();
  await server.restart();
  const client = await mysqlClient(server, all.database);
  await client.query('UPDATE b SET n = 3; UPDATE a SET n = 4; INSERT INTO b VALUES (50, 5)');
  const follower = all.follower.goOn(openSource(server, all.database));
  await untilEqual({ ...all, client, follower });
  assert.equal((await rowsOf(client, 'a'))[0], '1|1|4');
  await follower.stop();
  await client.end();
  await server.stop();
  rmSync(folder, { recursive: true });
});
