import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { joining, openSource } from '../../../test/support/source-under-test.ts';

const MIB = 2 ** 20;
const ROW_BYTES = 10 * MIB;
const LANES = 5;
const ROWS = 9000;

for (const family of FAMILIES) {
  void test(`tables of ${family} that are loaded at the same time have one long row in memory, not one each`, async () => {
    const server = await sharedServer(family);
    const database = await freshMysqlDatabase(server);
    const client = await mysqlClient(server, database);
    const tables = Array.from({ length: LANES }, (_, index) => `t${index}`);
    // More than one chunk: small tables would share a connection.
    const small = Array.from({ length: ROWS - 1 }, (_, id) => `(${id}, 'x')`);
    for (const table of tables) {
      await client.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, body LONGTEXT)`);
      await client.query(`INSERT INTO ${table} VALUES ${small.join()}, (-1, REPEAT('x', ${ROW_BYTES}))`);
      await client.query(`ANALYZE TABLE ${table}`);
    }
    await client.end();
    const source = openSource(server, database, {}, { loadParallelism: LANES });
    const stop = new AbortController();
    const joined = await Promise.all(tables.map((table) => joining(source, database, table)));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 1);
    let rows = 0;
    const options = { after: null, tables: { version: 1, tables: joined }, start: null, signal: stop.signal };
    for await (const batch of source.read(options)) {
      rows += batch.rows;
      // The sink takes its time at first: meanwhile all connections read.
      if (rows === 0) await new Promise((resolve) => setTimeout(resolve, 500));
      if (rows === ROWS * LANES) break;
    }
    clearInterval(timer);
    await source.close();
    // Of one table: the packet, the chunk, and a chunk that is handed on.
    assert.ok(most < 3.5 * ROW_BYTES, `${Math.round(most / MIB)} MiB`);
  });
}
