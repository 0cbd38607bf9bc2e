import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, readRow } from '../../../test/support/source-under-test.ts';

for (const family of FAMILIES) {
  void describe(`a table of ${family} without a primary key`, () => {
    async function scene(memoryBytes?: number) {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query('CREATE TABLE t (id INT, v TEXT)');
      const source = openSource(server, database, {}, {}, memoryBytes);
      const follower = new Follower(source);
      const log: string[] = [];
      follower.onRows = (part) => {
        for (let row = 0; row < part.count; row += 1) {
          const image = part.op === 'delete' ? 'before' : 'after';
          log.push(`${part.op} ${readRow(part, row, image)['id']}`);
        }
      };
      return { database, client, source, follower, log };
    }

    void it('is loaded with every row that it has, equal ones too, and its changes follow', async () => {
      const { database, client, source, follower, log } = await scene();
      await client.query("INSERT INTO t VALUES (1, 'a'), (1, 'a'), (NULL, NULL), (2, 'b')");
      follower.start(1, [await joining(source, database, 't')]);
      await follower.until(() => follower.state(database, 't') === 'STREAMING');
      assert.deepEqual(log.splice(0).toSorted(), ['read 1', 'read 1', 'read 2', 'read null']);
      await client.query(
        "UPDATE t SET id = 3 WHERE id = 2; DELETE FROM t WHERE id = 1 LIMIT 1; INSERT INTO t VALUES (4, 'd')",
      );
      await follower.until(() => log.length === 3);
      assert.deepEqual(log, ['update 3', 'delete 1', 'insert 4']);
      await follower.stop();
      await client.end();
    });

    void it('is read again as long as it changes meanwhile, and its rows come once', async () => {
      const { database, client, source, follower, log } = await scene();
      await client.query(`INSERT INTO t VALUES ${Array.from({ length: 2000 }, (_, id) => `(${id}, 'x')`).join()}`);
      follower.start(1, [await joining(source, database, 't')]);
      for (let id = 2000; id < 2020; id += 1) await client.query(`INSERT INTO t VALUES (${id}, 'y')`);
      await follower.until(() => follower.state(database, 't') === 'STREAMING');
      const read = log.filter((entry) => entry.startsWith('read'));
      const inserted = log
        .filter((entry) => entry.startsWith('insert'))
        .map((entry) => entry.replace('insert', 'read'));
      assert.equal(new Set(read).size, read.length);
      assert.deepEqual(new Set([...read, ...inserted]), new Set(Array.from({ length: 2020 }, (_, id) => `read ${id}`)));
      await follower.stop();
      await client.end();
    });

    void it('fails alone when it has too much to be read at once', async () => {
      const { database, client, source, follower } = await scene(8 << 20);
      await client.query("INSERT INTO t VALUES (1, REPEAT('x', 60000))");
      for (let times = 0; times < 7; times += 1) await client.query('INSERT INTO t SELECT * FROM t');
      follower.start(1, [await joining(source, database, 't')]);
      await follower.until(() => follower.state(database, 't') === 'FAILED');
      assert.equal(follower.failure(database, 't')?.code, 'Table.TooLargeWithoutKey');
      await follower.stop();
      await client.end();
    });
  });
}
