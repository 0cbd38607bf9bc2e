import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReplicaPair } from '../support/replica-pair.ts';
import {
  FAMILIES,
  freshMysqlDatabase,
  freshPgDatabase,
  mysqlClient,
  pgClient,
  sharedServer,
} from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { fillSql, TaskUnderTest } from '../support/task-under-test.ts';
import { TcpSwitch } from '../support/tcp-switch.ts';

void describe('failover of a source', () => {
  for (const family of FAMILIES) {
    void it(`to a replica behind the same address goes by itself, while a table is being added, on ${family}`, async () => {
      const [pair, target, service] = await Promise.all([
        ReplicaPair.start(family),
        sharedServer('postgres'),
        Service.start(),
      ]);
      const { primary, replica } = pair;
      const address = await TcpSwitch.start(primary.port);
      const database = await freshMysqlDatabase(primary);
      const targetDatabase = await freshPgDatabase(target);
      const ends = {
        source: { ...primary, port: address.port },
        target,
        database,
        targetDatabase,
        mysql: await mysqlClient(primary, database),
        pg: await pgClient(target, targetDatabase),
        close: async () => {},
      };
      const task = new TaskUnderTest(service, ends);
      await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a');
      for (const sql of [...fillSql('a', 100), ...fillSql('b', 20_000)]) await ends.mysql.query(sql);
      await task.run({ table: ['a'] });
      await task.untilStreaming('a');
      await task.change({ table: ['a', 'b'] });
      await ends.mysql.query(
        'UPDATE a SET n = 5 WHERE id < 50; UPDATE b SET n = 6 WHERE id % 100 = 0; DELETE FROM a WHERE id = 60',
      );
      await pair.level();
      ends.mysql.on('error', () => {});
      await primary.kill();
      await pair.part();
      address.to(replica.port);
      const mysql = await mysqlClient(replica, database);
      await mysql.query('UPDATE a SET n = n + 1; INSERT INTO a VALUES (5000, 1); DELETE FROM b WHERE id % 7 = 0');
      const after = new TaskUnderTest(service, { ...ends, mysql });
      after.file = task.file;
      await after.untilStreaming('a', 'b');
      assert.equal(await after.untilEqual('a'), 100);
      assert.equal(await after.untilEqual('b'), 20_000 - Math.floor(20_000 / 7));
      await service.dispose();
      address.close();
      await Promise.all([mysql.end(), ends.pg.end()]);
      await pair.stop();
    });
  }
});
