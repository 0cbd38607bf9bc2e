import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { HOLOGRES_FUNCTIONS } from '../support/hologres-under-test.ts';
import { Service } from '../support/service.ts';
import { type Ends, fillSql, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

void describe('the disk of the store', () => {
  let service: Service;
  let ends: Ends;
  let task: TaskUnderTest;

  before(async () => {
    [service, ends] = await Promise.all([Service.start(), openEnds('mariadb')]);
    // The checkpoint is in our own store then, and every commit needs it.
    await ends.pg.query(HOLOGRES_FUNCTIONS);
    for (const name of ['a', 'b']) {
      await ends.mysql.query(`CREATE TABLE ${name} (id INT PRIMARY KEY, n INT)`);
      for (const sql of fillSql(name, 500)) await ends.mysql.query(sql);
    }
    task = new TaskUnderTest(service, ends);
    await task.run({ table: ['a'] });
    await task.untilStreaming('a');
  });
  after(async () => {
    await service.dispose();
    await ends.close();
  });

  /** As a full disk does: no file of the service may grow beyond this. */
  function limitFiles(bytes: number | 'unlimited'): void {
    execFileSync('prlimit', ['--pid', String(service.pid), `--fsize=${bytes}:unlimited`]);
  }

  void it('may be full for a while: the run waits with the reason in sight, calls are refused, and all is made up after', async () => {
    limitFiles(1);
    await ends.mysql.query('UPDATE a SET n = n + 1');
    const waiting = await task.until(({ Message }) => Message?.includes('Store.Unwritable') === true);
    assert.equal(waiting.Status, 'RUN');
    await assert.rejects(task.planChange({ table: ['a', 'b'] }), 'what cannot be kept is not acknowledged');
    limitFiles('unlimited');
    await task.change({ table: ['a', 'b'] });
    await task.untilStreaming('a', 'b');
    assert.deepEqual([await task.untilEqual('a'), await task.untilEqual('b')], [500, 500]);
    await task.until(({ Message }) => Message === null);
  });

  void it('may be full when the service is killed: it takes up what it had, and goes on', async () => {
    limitFiles(1);
    await ends.mysql.query('UPDATE a SET n = n + 1; DELETE FROM b WHERE id > 490');
    await task.until(({ Message }) => Message?.includes('Store.Unwritable') === true);
    await service.kill();
    await ends.mysql.query('UPDATE b SET n = 7');
    await service.restart();
    assert.deepEqual([await task.untilEqual('a'), await task.untilEqual('b')], [500, 490]);
  });

  void it('keeps that a table failed, over a kill: the others flow, and a deploy loads it afresh', async () => {
    await ends.mysql.query('ALTER TABLE b MODIFY n BIGINT; INSERT INTO b VALUES (600, 5000000000)');
    const failed = await task.until(({ extend }) => extend.tables.some(({ state }) => state === 'FAILED'));
    const shown = failed.extend.tables.map(({ table, state, code }) => [table, state, code]);
    await service.kill();
    await ends.mysql.query('UPDATE a SET n = 9');
    await service.restart();
    assert.equal(await task.untilEqual('a'), 500);
    const { extend } = await task.info();
    assert.deepEqual(
      extend.tables.map(({ table, state, code }) => [table, state, code]),
      shown,
    );
    await ends.pg.query(`ALTER TABLE "${ends.database}".b ALTER COLUMN n TYPE bigint`);
    await task.do('DeployDISyncTask');
    await task.untilStreaming('a', 'b');
    assert.equal(await task.untilEqual('b'), 491);
  });
});
