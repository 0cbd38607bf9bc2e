import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, placeText, readRow } from '../../../test/support/source-under-test.ts';
import type { RowsPart } from '../../pipeline/batch.ts';

for (const family of FAMILIES) {
  void describe(`places in the log of ${family}`, () => {
    void it('are those of each change whenever it is read, whatever other tables are captured with it', async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query('CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE u (id INT PRIMARY KEY, v TEXT)');
      const follow = async (tables: readonly string[], after: Follower['offset']) => {
        const source = openSource(server, database);
        const follower = new Follower(source);
        const places: string[] = [];
        const gtids = new Set<string | null>();
        const joined = await Promise.all(tables.map((table) => joining(source, database, table, { load: 'none' })));
        follower.onRows = (part: RowsPart) => {
          for (let row = 0; row < part.count; row += 1) {
            const image = part.op === 'delete' ? 'before' : 'after';
            if (part.table.id.table !== 't') continue;
            places.push(`${placeText(part.place, row)} ${part.op} ${readRow(part, row, image)['id']}`);
            gtids.add(part.place.gtid);
          }
        };
        const progress = (table: string) => former?.states.get(`${database}\0${table}`) ?? null;
        follower.start(
          1,
          joined.map((table) => ({ ...table, progress: progress(table.id.table) })),
          after,
        );
        return { follower, places, gtids };
      };
      let former: Follower | null = null;
      const first = await follow(['t', 'u'], null);
      await first.follower.until(() => first.follower.state(database, 'u') === 'STREAMING');
      const from = first.follower.offset;
      await client.query("BEGIN; INSERT INTO u VALUES (1, 'x'); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3); COMMIT");
      if (family === 'mysql') await client.query('SET SESSION binlog_transaction_compression = ON');
      await client.query(
        "BEGIN; INSERT INTO u VALUES (2, REPEAT('x', 9000)); UPDATE t SET v = v + 1; DELETE FROM t WHERE id = 2; INSERT INTO u VALUES (3, 'x'); UPDATE t SET v = 9; COMMIT",
      );
      await client.query(
        "XA START 'a'; INSERT INTO u VALUES (4, 'x'); INSERT INTO t VALUES (4, 4); UPDATE t SET v = 10; XA END 'a'; XA PREPARE 'a'",
      );
      await client.query("XA COMMIT 'a'; INSERT INTO t VALUES (5, 5)");
      await first.follower.until(() => first.follower.rows(database, 't').some(({ id }) => id === '5'));
      await first.follower.stop();
      assert.equal(first.places.length, 14);
      assert.deepEqual(first.places.toSorted(), first.places);
      former = first.follower;
      const again = await follow(['t'], from);
      await again.follower.until(() => again.follower.rows(database, 't').some(({ id }) => id === '5'));
      await again.follower.stop();
      assert.deepEqual(again.places, first.places);
      assert.deepEqual(again.gtids, first.gtids);
      assert.ok(first.gtids.size >= 4, 'one for each transaction');
      for (const gtid of first.gtids)
        assert.match(gtid ?? '', family === 'mysql' ? /^[-0-9a-f]{36}:\d+$/ : /^0-\d+-\d+$/);
      await client.end();
    });

    void it('say when a table was emptied for its load: when the log was there, not when the load began', async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query('CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE u (id INT PRIMARY KEY)');
      const source = openSource(server, database);
      const first = new Follower(source);
      first.start(1, [await joining(source, database, 't')]);
      await first.until(() => first.state(database, 't') === 'STREAMING');
      await first.stop();
      const longAgo = Math.floor(Date.now() / 1000) - 3 * 86_400;
      await client.query(`SET timestamp = ${longAgo}; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)`);
      const again = openSource(server, database);
      const follower = new Follower(again);
      const times: [what: string, micros: number][] = [];
      follower.onEmpty = ({ timeMicros }) => times.push(['empty', timeMicros]);
      follower.onRows = ({ table, timeMicros }) => times.push([table.id.table, timeMicros]);
      const kept = { ...(await joining(again, database, 't')), progress: first.states.get(`${database}\0t`) ?? null };
      follower.start(2, [kept, await joining(again, database, 'u', { emptyFirst: true })], first.offset);
      await follower.until(() => follower.state(database, 'u') === 'STREAMING' && times.length >= 3);
      await follower.stop();
      const when = times.find(([what]) => what === 'empty')?.[1] ?? 0;
      const behind = times.slice(times.findIndex(([what]) => what === 'empty') + 1);
      for (const [, micros] of behind) assert.ok(when <= micros, 'not after what comes behind it');
      // MySQL says when a transaction was committed, whatever the session takes for the time.
      if (family === 'mariadb') assert.equal(when, longAgo * 1e6);
      await client.end();
    });

    void it('are those of the events: a file, and the bytes before the event in it', async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query('CREATE TABLE t (id INT PRIMARY KEY)');
      const source = openSource(server, database);
      const follower = new Follower(source);
      const places: { file: string; position: number; server: unknown }[] = [];
      follower.onRows = ({ place }) => places.push(place);
      follower.start(1, [await joining(source, database, 't', { load: 'none' })]);
      await follower.until(() => follower.state(database, 't') === 'STREAMING');
      await client.query('INSERT INTO t VALUES (1)');
      await follower.until(() => places.length > 0);
      await follower.stop();
      const [place] = places;
      const [events] = await client.query(`SHOW BINLOG EVENTS IN '${place?.file}' FROM ${place?.position} LIMIT 1`);
      assert.deepEqual(
        (events as { Event_type: string; Pos: number }[]).map(({ Event_type, Pos }) => [
          Event_type.startsWith('Write_rows'),
          Pos,
        ]),
        [[true, place?.position]],
      );
      const version = server.version.replace(/^\D+/, '');
      const [ids] = await client.query('SELECT @@server_id AS id');
      assert.deepEqual(place?.server, { system: family, version, id: (ids as { id: number }[])[0]?.id });
      await client.end();
    });
  });
}
