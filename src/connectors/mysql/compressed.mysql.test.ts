import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAMILIES, freshMysqlDatabase, mysqlClient, sharedServer } from '../../../test/support/servers.ts';
import { Follower, joining, openSource, readRow, type Values } from '../../../test/support/source-under-test.ts';
import type { TableProgress } from '../../pipeline/checkpoint.ts';
import type { Offset } from '../../pipeline/offset.ts';

const COMPRESS = {
  mysql: {
    on: 'SET SESSION binlog_transaction_compression = ON',
    off: 'DO 0',
    count: /Transaction_payload/,
  },
  mariadb: {
    on: 'SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 16',
    off: 'SET GLOBAL log_bin_compress = OFF, GLOBAL log_bin_compress_min_len = 256',
    count: /_compressed/,
  },
} as const;

for (const family of FAMILIES) {
  void describe(`compressed events of ${family}`, () => {
    const setUp = async () => {
      const server = await sharedServer(family);
      const database = await freshMysqlDatabase(server);
      const client = await mysqlClient(server, database);
      await client.query('CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)');
      await client.query(COMPRESS[family].on);
      const begun = await logOf(client);
      const compressedEvents = async () => {
        const [events] = await client.query(`SHOW BINLOG EVENTS IN '${begun.file}' FROM ${begun.position}`);
        return (events as { Event_type: string }[]).filter(({ Event_type: type }) => COMPRESS[family].count.test(type))
          .length;
      };
      const close = async () => {
        await client.query(COMPRESS[family].off);
        await client.end();
      };
      return { server, database, client, compressedEvents, close };
    };

    void it('gives the rows of inserts, updates and deletes, small and large, and a statement', async () => {
      const { server, database, client, compressedEvents, close } = await setUp();
      const source = openSource(server, database);
      const follower = new Follower(source);
      follower.start(1, [await joining(source, database, 't', { load: 'none' })]);
      await follower.until(() => follower.state(database, 't') === 'STREAMING');
      await client.query("INSERT INTO t VALUES (1, REPEAT('one', 100)), (2, REPEAT('two', 100)), (3, NULL)");
      await client.query("BEGIN; UPDATE t SET v = REPEAT('☂', 1000) WHERE id = 1; DELETE FROM t WHERE id = 2; COMMIT");
      await client.query(`ALTER TABLE t ADD COLUMN w INT, COMMENT '${'a long comment '.repeat(20)}'`);
      // Over 1 MiB together, and one event of more than any piece of it.
      await client.query(
        `BEGIN; ${Array.from({ length: 60 }, (_, i) => `INSERT INTO t VALUES (${100 + i}, REPEAT(UUID(), 1000), ${i})`).join(';')};
         INSERT INTO t VALUES (4, REPEAT('wide', 300000), 4); INSERT INTO t VALUES (5, 'last', 5); COMMIT`,
      );
      await follower.until(() => follower.rows(database, 't').length === 64);
      const [rows] = await client.query('SELECT CAST(id AS CHAR) id, v, CAST(w AS CHAR) w FROM t ORDER BY t.id');
      const byId = (a: Values, b: Values) => Number(a['id']) - Number(b['id']);
      assert.deepEqual(
        // What was delivered before the column was there has none.
        follower
          .rows(database, 't')
          .map((row) => ({ w: null, ...row }))
          .toSorted(byId),
        (rows as Values[]).map((row) => ({ ...row })),
      );
      assert.ok((await compressedEvents()) >= 3);
      await follower.stop();
      await close();
    });

    void it('is resumed within a transaction behind the rows that were delivered', async () => {
      const { server, database, client, close } = await setUp();
      let progress: TableProgress | null = null;
      const read = async (
        after: Offset | null,
        until: (ids: readonly string[]) => boolean,
        onStart?: () => unknown,
      ) => {
        const over = new AbortController();
        const reading = openSource(server, database);
        const table = await joining(reading, database, 't', { load: 'none' });
        const ids: string[] = [];
        let offset = after;
        const tables = { version: 1, tables: [{ ...table, progress }] };
        for await (const batch of reading.read({ after, tables, start: null, signal: over.signal })) {
          for (const part of batch.parts) {
            if (part.kind === 'progress') progress = part.progress;
            if (part.kind !== 'rows') continue;
            for (let row = 0; row < part.count; row += 1) ids.push(readRow(part, row, 'after')['id'] ?? '');
          }
          offset = batch.offset;
          onStart?.();
          onStart = undefined;
          if (until(ids)) break;
        }
        await reading.close();
        return { ids, offset };
      };
      const first = await read(
        null,
        (ids) => ids.length > 0,
        () =>
          void client.query(
            `BEGIN; ${Array.from({ length: 90 }, (_, i) => `INSERT INTO t VALUES (${i}, REPEAT(UUID(), 1000))`).join(';')}; COMMIT`,
          ),
      );
      assert.ok(Number(first.offset?.['skipEvents']) > 0, 'the first batch ended within the transaction');
      const second = await read(first.offset, (ids) => ids.at(-1) === '89');
      assert.deepEqual(
        [...first.ids, ...second.ids],
        Array.from({ length: 90 }, (_, i) => String(i)),
      );
      await close();
    });
  });
}

async function logOf(client: { query(sql: string): Promise<unknown> }): Promise<{ file: string; position: number }> {
  const [rows] = (await client.query('SHOW BINARY LOGS')) as [{ Log_name: string; File_size: number }[]];
  const last = rows.at(-1);
  return { file: last?.Log_name ?? '', position: Number(last?.File_size) };
}
