import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createReadStream } from 'node:fs';
import {
  FAMILIES,
  type Family,
  freshMysqlDatabase,
  mysqlClient,
  sharedServer,
} from '../../../../test/support/servers.ts';
import { Follower, joining, openSource } from '../../../../test/support/source-under-test.ts';

/** A database with tables a, b and c of one row each, of which a and b are captured and stream. */
async function setUp(family: Family) {
  const server = await sharedServer(family);
  const database = await freshMysqlDatabase(server);
  const client = await mysqlClient(server, database);
  await client.query(
    `CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a;
     INSERT INTO a VALUES (1, 0); INSERT INTO b VALUES (1, 0); INSERT INTO c VALUES (1, 0)`,
  );
  const source = openSource(server, database);
  const follower = new Follower(source);
  follower.start(1, [await joining(source, database, 'a'), await joining(source, database, 'b')]);
  await follower.until(() => ['a', 'b'].every((table) => follower.state(database, table) === 'STREAMING'));
  const tearDown = async () => {
    await follower.stop();
    await client.query('SET SESSION binlog_format = ROW');
    await client.query(`DROP DATABASE ${database}`);
    await client.end();
  };
  /** Resolves when what was committed before has come through. */
  const level = async (table: string, n: number) => {
    await client.query('SET SESSION binlog_format = ROW');
    await client.query(`UPDATE ${table} SET n = ${n} WHERE id = 1`);
    await follower.until(() =>
      follower.rows(database, table).some((row) => row['id'] === '1' && row['n'] === String(n)),
    );
  };
  return { server, database, client, follower, level, tearDown };
}

const CHANGES_OF_A: readonly (readonly [what: string, sql: string])[] = [
  ['an INSERT', 'INSERT INTO a VALUES (2, 0)'],
  ['an UPDATE', 'UPDATE a SET n = 1'],
  ['a DELETE', 'DELETE FROM a'],
  ['a REPLACE', 'REPLACE INTO a VALUES (1, 1)'],
  ['an UPDATE of one of two tables', 'UPDATE a AS x JOIN b AS y ON x.id = y.id SET x.n = 5'],
  ['a DELETE from one of two tables', 'DELETE x FROM a AS x JOIN b AS y ON x.id = y.id'],
  ['a statement in a transaction', 'BEGIN; UPDATE c SET n = 3; UPDATE a SET n = 4; COMMIT'],
];

for (const family of FAMILIES) {
  void describe(`changes that ${family} logs as statements`, () => {
    for (const [what, sql] of CHANGES_OF_A)
      void it(`fail their table and no other: ${what} (D27)`, async () => {
        const { database, client, follower, level, tearDown } = await setUp(family);
        await client.query('SET SESSION binlog_format = STATEMENT');
        await client.query(sql);
        await level('b', 7);
        assert.deepEqual([follower.state(database, 'a'), follower.state(database, 'b')], ['FAILED', 'STREAMING']);
        const failure = follower.failure(database, 'a');
        assert.equal(failure?.code, 'Table.StatementLogged');
        assert.match(failure?.message ?? '', /a change is in the log as a statement, without its rows, before .+:\d+$/);
        assert.match(failure?.remedy ?? '', /binlog_format = ROW/);
        await tearDown();
      });

    void it('fail every table of their database when it cannot be told what they change', async () => {
      const { database, client, follower, tearDown } = await setUp(family);
      await client.query('SET GLOBAL log_bin_trust_function_creators = 1');
      await client.query('CREATE FUNCTION f() RETURNS INT BEGIN UPDATE b SET n = n + 1; RETURN 1; END');
      await client.query('SET SESSION binlog_format = STATEMENT');
      await client.query('SELECT f()');
      await follower.until(() => ['a', 'b'].every((table) => follower.state(database, table) === 'FAILED'));
      assert.equal(follower.failure(database, 'b')?.code, 'Table.StatementLogged');
      assert.match(follower.failure(database, 'b')?.message ?? '', /a statement that may have changed it/);
      await tearDown();
    });

    void it('pass when they are of tables that are not captured, or change no rows', async () => {
      const { database, client, follower, level, tearDown } = await setUp(family);
      await client.query('SET SESSION binlog_format = STATEMENT');
      await client.query(
        `INSERT INTO c SELECT id + 10, n FROM a; UPDATE c SET n = 2; DELETE FROM c; CREATE TEMPORARY TABLE e (id INT);
         DROP TEMPORARY TABLE e; CREATE TABLE d (id INT) SELECT 1 AS id; DROP TABLE d; ANALYZE TABLE a`,
      );
      await level('a', 8);
      await level('b', 9);
      assert.deepEqual([follower.state(database, 'a'), follower.state(database, 'b')], ['STREAMING', 'STREAMING']);
      await tearDown();
    });

    void it('fail their table when a file was read by LOAD DATA', async () => {
      const { database, client, follower, tearDown } = await setUp(family);
      const folder = await mkdtemp(join(tmpdir(), 'disync-load-'));
      const file = join(folder, 'rows.txt');
      writeFileSync(file, '5\t5\n6\t6\n');
      await client.query('SET GLOBAL local_infile = 1');
      await client.query('SET SESSION binlog_format = STATEMENT');
      await client.query({
        sql: `LOAD DATA LOCAL INFILE 'rows.txt' INTO TABLE a`,
        infileStreamFactory: () => createReadStream(file),
      });
      await follower.until(() => follower.state(database, 'a') === 'FAILED');
      assert.equal(follower.failure(database, 'a')?.code, 'Table.StatementLogged');
      assert.equal(follower.state(database, 'b'), 'STREAMING');
      await rm(folder, { recursive: true });
      await tearDown();
    });
  });
}
