import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { startServer } from '../../../scripts/servers/servers.ts';
import { FAMILIES, mysqlClient } from '../../../test/support/servers.ts';
import { Follower, joining, openSource } from '../../../test/support/source-under-test.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';

/** Files tell when they were begun in whole seconds. */
const nextSecond = () => new Promise((resolve) => setTimeout(resolve, 1100));

for (const family of FAMILIES) {
  void describe(`the history of a server, on ${family}`, () => {
    void it('is never mistaken for another: restored, restored and grown again, begun anew (C3, C12), named otherwise (C4)', async () => {
      const server = await startServer(family);
      const run = async (sql: string): Promise<string> => {
        const client = await mysqlClient(server);
        const [rows] = await client.query({ sql, rowsAsArray: true });
        await client.end();
        return String((rows as unknown[][])[0]?.[0]);
      };
      const data = (await run('SELECT @@datadir')).replace(/\/$/, '');
      const insert = (id: number) => run(`INSERT INTO d.t VALUES (${id})`);
      await run('CREATE DATABASE d');
      await run('CREATE TABLE d.t (id INT PRIMARY KEY)');
      const source = openSource(server, 'd');
      let follower = new Follower(source);
      follower.start(1, [await joining(source, 'd', 't', { load: 'none' })]);
      /** Reads what is there up to the row `id`. */
      const readTo = async (id: number) => {
        await follower.until(() => follower.rows('d', 't').some((row) => row['id'] === String(id)));
        await follower.stop();
      };
      const goOn = () => {
        follower = follower.goOn(openSource(server, 'd'));
      };
      /** A first start: it reads what comes from now on. */
      const startAnew = async () => {
        follower.offset = null;
        goOn();
        await follower.until(() => follower.offset !== null);
      };
      const refusal = async (offset = follower.offset): Promise<string> => {
        follower.offset = offset;
        const again = follower.goOn(openSource(server, 'd'));
        await assert.rejects(again.until(() => false));
        await again.stop();
        assert.ok(again.error instanceof PipelineError, String(again.error));
        assert.equal(again.error.kind, 'fatal');
        return `${again.error.code}: ${again.error.message}`;
      };
      await follower.until(() => follower.offset !== null);
      await insert(1);
      await readTo(1);

      await server.kill();
      const backup = join(dirname(data), 'backup');
      execFileSync('cp', ['-a', data, backup]);
      await server.restart();
      goOn();
      for (const id of [2, 3]) await insert(id);
      await readTo(3);
      await server.kill();
      rmSync(data, { recursive: true });
      execFileSync('cp', ['-a', backup, data]);
      await nextSecond();
      await server.restart();
      const restored =
        /^MySQL\.HistoryChanged: .+ (?:no longer has \S+, which was read from it|beyond the end of the log)/;
      assert.match(await refusal(), restored);
      // What comes now has the same ids as what was read, and goes beyond it.
      for (const id of [12, 13, 14, 15]) await insert(id);
      assert.match(await refusal(), /^MySQL\.HistoryChanged: binlog\.\d+ is not the file that was being read/);

      // From here on it is a history of its own.
      await startAnew();
      await insert(16);
      await readTo(16);
      const before = follower.offset;
      const config = join(dirname(data), 'my.cnf');
      writeFileSync(config, readFileSync(config, 'utf8').replace('log_bin=binlog', 'log_bin=renamed.log'));
      await server.restart();
      await insert(17);
      assert.ok(before !== null);
      const { gtids: _, ...old } = before;
      assert.match(
        await refusal(old),
        /^MySQL\.HistoryChanged: the server has no binlog\.\d+; its logs are named as renamed/,
      );
      follower.offset = before;
      if (family === 'mysql') {
        goOn();
        await readTo(17);
      } else
        assert.match(await refusal(), /^MySQL\.HistoryChanged: .+ it has not got 0-1-\d+, which was delivered already/);

      await startAnew();
      await insert(18);
      await readTo(18);
      await nextSecond();
      await run(family === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
      for (let id = 20; id < 40; id += 1) await insert(id);
      assert.match(await refusal(), /^MySQL\.HistoryChanged: renamed\.\d+ is not the file that was being read/);
      // Told that it is another server, where files show nothing: it has all ids, and its own transactions under them.
      if (family === 'mysql')
        assert.match(
          await refusal({ ...follower.offset, server: 'another' }),
          /^MySQL\.HistoryChanged: .+ its \S+ is another transaction than the one that was passed/,
        );
      await server.stop();
    });
  });
}
