import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { PROJECT, rowsOf, startDouble } from '../support/maxcompute-under-test.ts';
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

    void it('H16: adds columns at the end, wherever they are at the source', async () => {
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

    void it('writes every change into a log, once, and an emptied table as a row that voids what was before', async () => {
      const task = await running({ tableType: 'log' });
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query(
        'UPDATE b SET n = 1 WHERE id = 3; UPDATE b SET id = 30 WHERE id = 4; DELETE FROM b WHERE id = 5',
      );
      await task.do('StopDISyncInstance');
      await task.until(({ Status }) => Status === 'PAUSE');
      await mysql.query('INSERT INTO b VALUES (99, 9)');
      await task.start({ ddlMarkMap: { TRUNCATETABLE: 'NORMAL' } });
      await mysql.query('TRUNCATE TABLE b; INSERT INTO b VALUES (1, 100)');
      const log = () => rowsOf(task.target('b'), ['_operation_type_', '_before_image_', '_after_image_', 'id', 'n']);
      await task.untilTrue(() => log().some(([, , , id, n]) => id === '1' && n === '100'));
      const loaded = Array.from({ length: 10 }, (_, index) => ['I', 'N', 'Y', String(index + 1), '0']);
      const changes = [
        ['U', 'Y', 'N', '3', '0'],
        ['U', 'N', 'Y', '3', '1'],
        ['U', 'Y', 'N', '4', '0'],
        ['U', 'N', 'Y', '30', '0'],
        ['D', 'Y', 'N', '5', '0'],
        ['I', 'N', 'Y', '99', '9'],
        ['T', 'N', 'N', null, null],
        ['I', 'N', 'Y', '1', '100'],
      ];
      const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
      assert.deepEqual(sorted(log()), sorted([...loaded, ...changes]));
    });

    void it('appends rows to partitions by a column, and empties them all with their table', async () => {
      const task = await running({ tableType: 'append', partition: 'pt=#{n}' });
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query('UPDATE b SET n = 8 WHERE id = 3; INSERT INTO b VALUES (50, NULL); DELETE FROM b WHERE id = 1');
      const partitions = () =>
        Object.fromEntries(Array.from(task.target('b').partitions, ([name, rows]) => [name, rows.length]));
      await task.untilTrue(() => partitions()['pt=null_pt'] === 1);
      assert.deepEqual(partitions(), { 'pt=0': 10, 'pt=8': 1, 'pt=null_pt': 1 });
      await task.do('StopDISyncInstance');
      await task.until(({ Status }) => Status === 'PAUSE');
      await task.start({ ddlMarkMap: { TRUNCATETABLE: 'NORMAL' } });
      await mysql.query('TRUNCATE TABLE b; INSERT INTO b VALUES (1, 8)');
      await task.untilTrue(() => partitions()['pt=0'] === 0 && partitions()['pt=8'] === 1);
      assert.deepEqual(partitions(), { 'pt=0': 0, 'pt=8': 1, 'pt=null_pt': 0 });
    });

    void it('moves rows of a Delta table between partitions, and deletes them where they were', async () => {
      const task = await running({ partition: 'pt=#{n}' });
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query('UPDATE b SET n = 8 WHERE id = 3; DELETE FROM b WHERE id = 1; UPDATE b SET n = 9 WHERE id = 3');
      await task.untilEqual('b');
      const partitions = Array.from(task.target('b').partitions, ([name, rows]) => [name, rows.length]);
      assert.deepEqual(
        partitions.filter(([, rows]) => Number(rows) > 0),
        [
          ['pt=0', 8],
          ['pt=9', 1],
        ],
      );
    });

    void it('fails a table alone whose target is gone, and loads it afresh at the next deploy', async () => {
      const task = await running();
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      double.catalog.drop({ project: PROJECT, schema: null, table: `${task.ends.database}_b` });
      await mysql.query('UPDATE b SET n = 5 WHERE id = 3; UPDATE a SET n = 5 WHERE id = 3');
      const { extend } = await task.until(({ extend: { tables } }) => tables.some(({ state }) => state === 'FAILED'));
      const states = extend.tables.toSorted((x, y) => (x.table < y.table ? -1 : 1));
      assert.deepEqual(
        states.map(({ table, state, code }) => [table, state, code]),
        [
          ['a', 'STREAMING', null],
          ['b', 'FAILED', 'Sink.TargetMismatch'],
        ],
      );
      await task.untilEqual('a');
      await task.do('DeployDISyncTask');
      await task.untilStreaming('a', 'b');
      assert.equal(await task.untilEqual('b'), 10);
    });

    void it('says in the plan what it would make, how old a change may be, and that the service itself was never seen', async () => {
      const other = await running();
      await other.untilEqual('b');
      const task = new MaxComputeTask(service, other.ends);
      await task.registerDataSources();
      await task.ends.mysql.query('CREATE TABLE wide (id INT PRIMARY KEY, d DECIMAL(40,20), t TIME)');
      const plan = JSON.parse((await task.planNew({ table: ['wide', 'b'] })).Plan) as {
        guarantee: string;
        warnings: string[];
        tables: { added: { table: string; createSql: string; exists: boolean; warnings: string[] }[] };
      };
      assert.equal(plan.guarantee, 'converges');
      assert.match(
        plan.warnings.join('\n'),
        /visible up to 1 s[\s\S]*proven against a double[\s\S]*one commit a minute/,
      );
      const [wide, b] = plan.tables.added;
      assert.match(
        wide?.createSql ?? '',
        /CREATE TABLE IF NOT EXISTS[\s\S]*PRIMARY KEY \(`id`\)[\s\S]*"transactional"="true"/,
      );
      assert.match(wide?.warnings.join() ?? '', /"d" \(decimal\(40,20\)\) becomes string.*"t" \(time\) becomes string/);
      assert.deepEqual([wide?.exists, b?.exists], [false, true]);
      assert.match(b?.warnings.join() ?? '', /holds about 10 rows that this task did not write/);
    });

    void it('goes on where it was after kill -9 and after a stop, without a row too many in an append table', async () => {
      const task = await running({ tableType: 'append' });
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      // Loaded for good: a row that is being loaded may repeat what was streamed of it before.
      await task.untilTrue(() => task.target('b').rows().length >= 10);
      await setTimeout(1500);
      for (let turn = 0; turn < 3; turn += 1) {
        await mysql.query('INSERT INTO b SELECT id + 1000 * ?, n FROM b WHERE id <= 10', [turn + 1]);
        await service.kill();
        await service.restart();
      }
      await mysql.query('INSERT INTO b VALUES (99999, 1)');
      await task.untilTrue(() => task.target('b').rows().length >= 41);
      // A row too many would be there by the time of a commit more.
      await mysql.query('INSERT INTO b VALUES (100000, 1)');
      await task.untilTrue(() => task.target('b').rows().length >= 42);
      const found = rowsOf(task.target('b'), ['id']).map(([id]) => Number(id));
      const [expected] = await mysql.query('SELECT id FROM b');
      assert.deepEqual(
        found.sort((x, y) => x - y),
        (expected as { id: number }[]).map(({ id }) => id).sort((x, y) => x - y),
      );
    });

    void it('is a solution as well: structure, full load and stream', async () => {
      const ends = await openMaxComputeEnds(family, double);
      open.push(ends);
      await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, n INT)');
      for (const sql of fillSql('a', 100)) await ends.mysql.query(sql);
      const task = new MaxComputeTask(service, ends, { type: 'DI_SOLUTION' });
      await task.run({ table: ['a'] });
      assert.equal(await task.untilEqual('a'), 100);
      await ends.mysql.query('UPDATE a SET n = 7 WHERE id < 50; DELETE FROM a WHERE id = 3');
      assert.equal(await task.untilEqual('a'), 99);
    });
  });
}
