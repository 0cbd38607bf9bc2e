import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { joining, openSource } from '../../../test/support/source-under-test.ts';

for (const family of FAMILIES) {
  void describe(`reading the log of ${family}`, () => {
    void it('tells the end of a transaction at once, although it ends with changes of other tables', async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query('CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE other (id INT PRIMARY KEY, b LONGTEXT)');
      const source = openSource(server, database);
      const table = await joining(source, database, 't', { load: 'none' });
      const over = new AbortController();
      const tables = { version: 1, tables: [table] };
      const batches = source.read({ after: null, tables, start: null, signal: over.signal });
      const seen: { rows: number; transactionEnd: boolean }[] = [];
      const reading = (async () => {
        for await (const { rows, transactionEnd } of batches) seen.push({ rows, transactionEnd });
      })();
      while (seen.length === 0) await sleep(10);

      await client.query(
        `BEGIN; INSERT INTO t VALUES (1); ${Array.from({ length: 20 }, (_, i) => `INSERT INTO other VALUES (${i}, REPEAT('x', 100000))`).join(';')}; COMMIT`,
      );
      // As long as something is written, no heartbeat comes.
      const rows = () => seen.reduce((sum, batch) => sum + batch.rows, 0);
      for (let i = 100; i < 150 && !(rows() > 0 && seen.at(-1)?.transactionEnd === true); i += 1) {
        await client.query(`INSERT INTO other VALUES (${i}, '')`);
        await sleep(50);
      }
      assert.deepEqual(
        { rows: rows(), transactionEnd: seen.at(-1)?.transactionEnd },
        { rows: 1, transactionEnd: true },
      );
      over.abort();
      await reading;
      await source.close();
      await client.end();
    });
  });
}
