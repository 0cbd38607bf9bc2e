import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Service } from '../support/service.ts';
import { openEnds, TaskUnderTest } from '../support/task-under-test.ts';

test('a task starts at a place of the log or behind transactions, loads nothing then, and says what it cannot find', async () => {
  const [service, ends] = await Promise.all([Service.start(), openEnds('mysql')]);
  const { mysql, pg, database } = ends;
  try {
    await mysql.query('CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)');
    const [[status]] = (await mysql.query('SHOW BINARY LOG STATUS')) as unknown as [
      [{ File: string; Position: number; Executed_Gtid_Set: string }],
    ];
    await mysql.query('INSERT INTO t VALUES (2); FLUSH BINARY LOGS; INSERT INTO t VALUES (3)');
    const task = new TaskUnderTest(service, ends);
    await task.registerDataSources();
    await task.create({ table: ['t'] });
    await task.do('DeployDISyncTask');
    const ids = async () => {
      const { rows } = await pg.query<{ id: number }>(`SELECT id FROM "${database}".t ORDER BY id`);
      return rows.map(({ id }) => id);
    };
    const position = { file: status.File, position: status.Position };
    const start = (param: object) => task.do('StartDISyncInstance', { StartParam: JSON.stringify(param) });

    await start({ startPosition: { ...position, position: position.position + 1 } });
    const { Message } = await task.until(({ Status }) => Status === 'PAUSE');
    assert.match(
      Message ?? '',
      new RegExp(`^MySQL\\.StartPosition: ${position.file}:${position.position + 1} is not between two transactions`),
    );
    for (const param of [{ startPosition: position }, { startGtid: status.Executed_Gtid_Set }]) {
      await start(param);
      await task.until(({ extend }) => extend.tables.some(({ state }) => state === 'STREAMING'));
      for (const deadline = Date.now() + 10_000; (await ids()).length < 2 && Date.now() < deadline; );
      assert.deepEqual(await ids(), [2, 3]);
      await task.do('StopDISyncInstance');
      await task.do('TerminateDISyncInstance');
      await task.do('DeployDISyncTask');
      await pg.query(`TRUNCATE "${database}".t`);
    }
    await assert.rejects(start({ startTime: 1, startGtid: '0-1-2' }), /StartParam takes one of startTime/);
  } finally {
    await service.dispose();
    await ends.close();
  }
});
