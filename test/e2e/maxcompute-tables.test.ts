import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startDouble } from '../support/maxcompute-under-test.ts';
import { type MaxComputeEnds, MaxComputeTask, openMaxComputeEnds } from '../support/maxcompute-task.ts';
import type { MaxComputeDouble } from '../support/maxcompute/double.ts';
import { FAMILIES } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { fillSql } from '../support/task-under-test.ts';

for (const family of FAMILIES) {
  void describe(`a running task, ${family} to MaxCompute`, () => {
    let service: Service;
    let double: MaxComputeDouble;
    const open: MaxComputeEnds[] = [];

    before(async () => {
      [service, double] = await Promise.all([Service.start(), startDouble()]);
    });
    after(async () => {
      await service.dispose();
      await Promise.allSettled(open.map(({ mysql }) => mysql.end()));
      await double.stop();
    });

    async function running(options: object = {}): Promise<MaxComputeTask> {
      const ends = await openMaxComputeEnds(family, double);
      open.push(ends);
      await ends.mysql.query(
        'CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a',
      );
      for (const sql of [...fillSql('a', 3000), ...fillSql('b', 10), ...fillSql('c', 10_000)])
        await ends.mysql.query(sql);
      const task = new MaxComputeTask(service, ends, { options });
      await task.run({ table: ['a', 'b'] });
      return task;
    }

    void it('loads its tables and follows them, takes a table and loses one under load, and its rows are the source’s', async () => {
      const task = await running();
      const { mysql } = task.ends;
      assert.equal(await task.untilEqual('a'), 3000);
      await task.untilStreaming('a', 'b');
      let writing = true;
      const writer = (async () => {
        for (let turn = 0; writing; turn += 1) {
          await mysql.query('UPDATE a SET n = n + 1 WHERE id = ?; UPDATE c SET n = n + 1 WHERE id = ?', [
            1 + (turn % 3000),
            1 + ((turn * 7) % 10_000),
          ]);
          await mysql.query('DELETE FROM a WHERE id = ?; INSERT INTO a VALUES (?, 7)', [turn * 3, 5000 + turn]);
        }
      })();
      await task.change({ table: ['a', 'c'] });
      await task.untilStreaming('a', 'c');
      writing = false;
      await writer;
      await task.untilEqual('a');
      assert.equal(await task.untilEqual('c'), 10_000);
    });

    void it('adds columns at the end, wherever they are at the source', async () => {
      const task = await running();
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query("ALTER TABLE b ADD COLUMN x VARCHAR(20) AFTER id; UPDATE b SET x = 'new', n = 5 WHERE id = 3");
      await mysql.query('INSERT INTO b VALUES (77, NULL, 1)');
      await task.untilEqual('b');
      const { columns } = task.target('b');
      assert.deepEqual(
        columns.map(({ name }) => name),
        ['id', 'n', 'x'],
      );
      assert.deepEqual(
        task
          .target('b')
          .rows()
          .filter(([id]) => id === 3n || id === 77n),
        [
          [3n, 5n, 'new'],
          [77n, 1n, null],
        ],
      );
    });
  });
}
