import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { type Server, startServer } from '../../../scripts/servers/servers.ts';
import { FAMILIES, freshMysqlDatabase, mysqlClient } from '../../../test/support/servers.ts';
import { Follower, joining, openSource } from '../../../test/support/source-under-test.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';

for (const family of FAMILIES) {
  void describe(`XA transactions of ${family}`, () => {
    // Its own: whoever starts to read waits for what is prepared anywhere on the server.
    let server: Server;
    let database: string;
    let client: Connection;
    let other: Connection;

    before(async () => {
      server = await startServer(family);
      database = await freshMysqlDatabase(server);
      client = await mysqlClient(server, database);
      other = await mysqlClient(server, database);
    });
    after(async () => {
      await client.end();
      await other.end();
      await server.stop();
    });

    let numberOfTables = 0;
    const newTable = async () => {
      const table = `t${(numberOfTables += 1)}`;
      await client.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, v LONGTEXT)`);
      return table;
    };
    /** By a session that is over then: whoever wants may decide it. */
    const prepare = async (xid: string, statements: string) => {
      const session = await mysqlClient(server, database);
      await session.query(`XA START ${xid}; ${statements}; XA END ${xid}; XA PREPARE ${xid}`);
      await session.end();
    };
    const decide = async (outcome: string) => {
      for (;;) {
        try {
          await other.query(outcome);
          return;
        } catch (error) {
          // Until the server has noticed that the session is over.
          if ((error as { code?: string }).code !== 'ER_XAER_NOTA') throw error;
          await sleep(10);
        }
      }
    };
    const follow = async (table: string, reader: JsonObject = {}) => {
      const source = openSource(server, database, {}, reader);
      const follower = new Follower(source);
      follower.start(1, [await joining(source, database, table, { load: 'none' })]);
      await follower.until(() => follower.state(database, table) === 'STREAMING');
      return follower;
    };
    const resumedTable = async (follower: Follower, table: string) => {
      const joined = await joining(openSource(server, database), database, table, { load: 'none' });
      return { ...joined, progress: [...follower.states.values()].find(({ table: id }) => id.table === table) ?? null };
    };

    const again = async (table: string, former: Follower, reader: JsonObject = {}) => {
      const source = openSource(server, database, {}, reader);
      const follower = new Follower(source);
      for (const [key, progress] of former.states) follower.states.set(key, progress);
      follower.start(1, [await resumedTable(former, table)], former.offset);
      return follower;
    };
    const ids = (follower: Follower, table: string) =>
      follower
        .rows(database, table)
        .map((row) => Number(row['id']))
        .toSorted((a, b) => a - b);
    const fence = async (follower: Follower, table: string, id: number) => {
      await other.query(`INSERT INTO ${table} VALUES (${id}, 'fence')`);
      await follower.until(() => ids(follower, table).includes(id));
    };

    void it('hands on rows when they are committed, in that order, and none that are rolled back', async () => {
      const table = await newTable();
      const follower = await follow(table);
      await prepare(
        "'one','branch',7",
        `INSERT INTO ${table} VALUES (1, 'a'), (2, 'b'); UPDATE ${table} SET v = 'c' WHERE id = 2`,
      );
      await prepare("'two'", `INSERT INTO ${table} VALUES (3, 'never')`);
      await fence(follower, table, 100);
      assert.deepEqual(ids(follower, table), [100], 'nothing of a prepared transaction');
      assert.ok(follower.heldSinceMicros !== null && Date.now() * 1000 - follower.heldSinceMicros < 60e6);
      await decide("XA ROLLBACK 'two'");
      await fence(follower, table, 101);
      assert.deepEqual(ids(follower, table), [100, 101]);
      await decide("XA COMMIT 'one','branch',7");
      await fence(follower, table, 102);
      assert.deepEqual(ids(follower, table), [1, 2, 100, 101, 102]);
      assert.equal(follower.rows(database, table).find(({ id }) => id === '2')?.['v'], 'c');
      assert.equal(follower.heldSinceMicros, null);
      await client.query(
        `XA START 'three'; INSERT INTO ${table} VALUES (4, ''); XA END 'three'; XA COMMIT 'three' ONE PHASE`,
      );
      await client.query(`XA START 'four'; INSERT INTO ${table} VALUES (5, ''); XA END 'four'; XA ROLLBACK 'four'`);
      await client.query(`XA START 'five'; SELECT * FROM ${table}; XA END 'five'; XA PREPARE 'five'; XA COMMIT 'five'`);
      await fence(follower, table, 103);
      assert.deepEqual(ids(follower, table), [1, 2, 4, 100, 101, 102, 103]);
      await follower.stop();
    });

    void it('goes on after a restart with what was prepared before, and within a large one', async () => {
      const table = await newTable();
      const first = await follow(table);
      const rows = Array.from({ length: 150 }, (_, i) => `INSERT INTO ${table} VALUES (${i}, REPEAT('x', 30000))`);
      await prepare("'large'", rows.join(';'));
      await prepare("'dropped'", `INSERT INTO ${table} VALUES (200, '')`);
      await other.query(`FLUSH BINARY LOGS`);
      await prepare("'small'", `INSERT INTO ${table} VALUES (201, '')`);
      await fence(first, table, 300);
      await decide("XA ROLLBACK 'dropped'");
      await fence(first, table, 301);
      await first.stop();

      const second = await again(table, first);
      await fence(second, table, 302);
      assert.deepEqual(ids(second, table), [302]);
      await decide("XA COMMIT 'small'");
      await fence(second, table, 303);
      assert.deepEqual(ids(second, table), [201, 302, 303]);
      // Stopped where a part of the large one was delivered.
      second.stopWhen((batch) => Number(batch.offset['skipEvents']) > 0);
      await decide("XA COMMIT 'large'");
      await second.ended();
      const delivered = ids(second, table).filter((id) => id < 150);
      assert.ok(delivered.length > 0 && delivered.length < 150, `${delivered.length} rows before the stop`);
      await second.stop();

      const third = await again(table, second);
      await fence(third, table, 304);
      assert.deepEqual(
        [...delivered, ...ids(third, table)],
        [...Array.from({ length: 150 }, (_, i) => i), 304],
        'each row once',
      );
      assert.equal(third.offset?.['readFrom'], undefined);
      await third.stop();
    });

    void it('keeps the rows of a table that joins while they are prepared', async () => {
      const [table, late] = [await newTable(), await newTable()];
      const follower = await follow(table);
      await prepare("'early'", `INSERT INTO ${late} VALUES (1, 'a')`);
      await fence(follower, table, 100);
      const joined = await joining(follower.source, database, late, { load: 'full' });
      follower.source.setTables({ version: 2, tables: [await resumedTable(follower, table), joined] });
      await follower.until(() => follower.state(database, late) === 'STREAMING');
      await decide("XA COMMIT 'early'");
      await follower.until(() => ids(follower, late).includes(1));
      await follower.stop();
    });

    void it('waits at a first start for those that were prepared before, so that what is loaded has their rows', async () => {
      const table = await newTable();
      await prepare("'before'", `INSERT INTO ${table} VALUES (1, 'a')`);
      const source = openSource(server, database);
      const follower = new Follower(source);
      const joined = await joining(source, database, table, { load: 'full' });
      follower.start(1, [joined]);
      await sleep(300);
      assert.equal(follower.state(database, table), undefined);
      await decide("XA COMMIT 'before'");
      await follower.until(() => follower.state(database, table) === 'STREAMING');
      assert.deepEqual(ids(follower, table), [1]);
      await follower.stop();
    });

    void it('stops with a code when they take too much room or time, and goes on once that has changed', async () => {
      const table = await newTable();
      const limits = [
        ['MySQL.XaSpillFull', { xaSpillBytesMax: 10_000 }],
        ['MySQL.XaTooOld', { xaAgeSecondsMax: 1 }],
      ] as const;
      for (const [index, [code, reader]] of limits.entries()) {
        const follower = await follow(table, reader);
        await fence(follower, table, 100 + index);
        await prepare(`'much${index}'`, `INSERT INTO ${table} VALUES (${index}, REPEAT('x', 20000))`);
        // Others write meanwhile: no heartbeat comes.
        let written = 1000 * (index + 1);
        const write = async () => {
          await other.query(`INSERT INTO ${table} VALUES (${(written += 1)}, '')`);
          await sleep(100);
          return false;
        };
        await assert.rejects(
          follower.until(write),
          (error) => error instanceof PipelineError && error.code === code && error.kind === 'fatal',
        );
        await follower.stop();
        const next = await again(table, follower);
        await decide(`XA COMMIT 'much${index}'`);
        await next.until(() => ids(next, table).includes(index));
        await next.stop();
      }
    });

    void it('starts at a time of the past behind the commit of one whose rows are in an older file of the log', async () => {
      const table = await newTable();
      await prepare("'old'", `INSERT INTO ${table} VALUES (1, 'a')`);
      await client.query('FLUSH BINARY LOGS');
      await decide("XA COMMIT 'old'");
      await sleep(1100);
      const seconds = Math.floor(Date.now() / 1000);
      await client.query(`INSERT INTO ${table} VALUES (2, 'b')`);
      const source = openSource(server, database);
      const follower = new Follower(source);
      follower.start(1, [await joining(source, database, table, { load: 'none' })], null, { kind: 'time', seconds });
      await follower.until(() => ids(follower, table).includes(2));
      assert.deepEqual(ids(follower, table), [2]);
      await follower.stop();
    });

    void it('atPrepare: hands rows on when they are prepared, as DataWorks does', async () => {
      const table = await newTable();
      const follower = await follow(table, { xa: 'atPrepare' });
      await prepare("'asked'", `INSERT INTO ${table} VALUES (1, 'a')`);
      await follower.until(() => ids(follower, table).includes(1));
      await decide("XA ROLLBACK 'asked'");
      await fence(follower, table, 100);
      assert.deepEqual(ids(follower, table), [1, 100]);
      await follower.stop();
    });
  });
}
