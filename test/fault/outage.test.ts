import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { freshMysqlDatabase, freshPgDatabase, mysqlClient, pgClient } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { fillSql, TaskUnderTest } from '../support/task-under-test.ts';

void describe('outages', () => {
  let source: Server;
  let mysqlSource: Server;
  let target: Server;
  let service: Service;

  before(async () => {
    [source, mysqlSource, target] = await Promise.all([
      startServer('mariadb'),
      startServer('mysql'),
      startServer('postgres'),
    ]);
    service = await Service.start();
  });
  after(async () => {
    await service.dispose();
    await Promise.allSettled([source.stop(), mysqlSource.stop(), target.stop()]);
  });

  async function running(from = source): Promise<TaskUnderTest> {
    const database = await freshMysqlDatabase(from);
    const targetDatabase = await freshPgDatabase(target);
    const mysql = await mysqlClient(from, database);
    await mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT)');
    for (const sql of fillSql('a', 2000)) await mysql.query(sql);
    const task = new TaskUnderTest(service, {
      source: from,
      target,
      database,
      targetDatabase,
      mysql,
      pg: await pgClient(target, targetDatabase),
      close: async () => {},
    });
    await task.run({ table: ['a'] });
    await task.untilStreaming('a');
    return task;
  }

  /** The same task with fresh connections: the old ones went with their server. */
  async function reconnected(task: TaskUnderTest): Promise<TaskUnderTest> {
    const { source: from, database, targetDatabase } = task.ends;
    const again = new TaskUnderTest(service, {
      ...task.ends,
      mysql: await mysqlClient(from, database),
      pg: await pgClient(target, targetDatabase),
    });
    again.file = task.file;
    return again;
  }

  void it('of the target are waited out with the next try in sight, and counted once', async () => {
    const task = await running();
    task.ends.pg.on('error', () => {});
    await target.kill();
    await task.ends.mysql.query('UPDATE a SET n = 7');
    const waiting = await task.until(({ Message }) => Message?.includes('next try') === true);
    assert.deepEqual([waiting.Status, waiting.Message?.startsWith('Sink.Unavailable')], ['RUN', true]);
    await target.restart();
    const back = await reconnected(task);
    assert.equal(await back.untilEqual('a'), 2000);
    await back.until(({ Message }) => Message === null);
  });

  for (const kind of ['mariadb', 'mysql'] as const) {
    void it(`of ${kind} as the source are waited out, and what was written after is not missed`, async () => {
      const server = kind === 'mysql' ? mysqlSource : source;
      const task = await running(server);
      task.ends.mysql.on('error', () => {});
      await server.kill();
      await server.restart();
      const back = await reconnected(task);
      await back.ends.mysql.query('UPDATE a SET n = 9 WHERE id <= 100; DELETE FROM a WHERE id > 1990');
      assert.equal(await back.untilEqual('a'), 1990);
    });
  }

  void it('of our connections to both sides are healed without a word from outside', async () => {
    const task = await running();
    const { mysql, pg } = task.ends;
    for (let turn = 0; turn < 3; turn += 1) {
      await mysql.query('UPDATE a SET n = n + 1');
      await pg.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
      );
      const [rows] = await mysql.query(
        "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND = 'Binlog Dump'",
      );
      for (const { id } of rows as { id: number }[]) await mysql.query(`KILL ${id}`).catch(() => {});
      await mysql.query('UPDATE a SET n = n + 1 WHERE id % 2 = 0');
    }
    assert.equal(await task.untilEqual('a'), 2000);
  });

  void it('of the service itself end within ten seconds at SIGTERM, told once or twice, and its runs go on by themselves after', async () => {
    const task = await running();
    process.kill(service.pid, 'SIGTERM');
    await sleep(20);
    const { ms, code } = await service.stop();
    assert.deepEqual([code, ms < 10_000], [0, true]);
    await task.ends.mysql.query('INSERT INTO a VALUES (5000, 1)');
    await service.restart();
    assert.equal(await task.untilEqual('a'), 2001);
    assert.equal((await task.table('a'))?.rows, 2000);
  });

  void it('of the port, which another process took, end the service at once, though it has runs to go on with', async () => {
    const task = await running();
    await service.stop();
    const other = createServer().listen(service.port, '127.0.0.1');
    await once(other, 'listening');
    await assert.rejects(
      service.restart(),
      /ended with 1: [\s\S]*disync: Service\.AddressRefused: .*: another process listens there/,
    );
    other.close();
    await once(other, 'close');
    await service.restart();
    assert.equal(await task.untilEqual('a'), 2000);
  });

  void it('are not caused by a second service on the same store: it refuses, and names the first', async () => {
    const second = new Service();
    Object.assign(second, { folder: service.folder });
    await assert.rejects(second.restart(), /is served by another process: process \d+/);
  });
});
