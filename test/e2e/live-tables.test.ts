import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FAMILIES, freshMysqlDatabase } from '../support/servers.ts';
import { Service } from '../support/service.ts';
import { type Ends, fillSql, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

/** How each family prints the type. */
const INT = { mariadb: 'int(11)', mysql: 'int' } as const;

for (const family of FAMILIES) {
  void describe(`a running task, ${family} to PostgreSQL`, () => {
    let service: Service;
    const open: Ends[] = [];

    before(async () => {
      service = await Service.start();
    });
    after(async () => {
      await service.dispose();
      await Promise.allSettled(open.map((ends) => ends.close()));
    });

    /** A task with tables a and b, both with some rows, running and streaming. */
    async function running(connection: object = { table: ['a', 'b'] }): Promise<TaskUnderTest> {
      const ends = await openEnds(family);
      open.push(ends);
      await ends.mysql.query(
        'CREATE TABLE a (id INT PRIMARY KEY, n INT); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a',
      );
      for (const sql of [...fillSql('a', 3000), ...fillSql('b', 10), ...fillSql('c', 10_000)])
        await ends.mysql.query(sql);
      const task = new TaskUnderTest(service, ends);
      await task.run(connection);
      return task;
    }

    void it('takes a table and loses one while the others never leave STREAMING (A1, A6, A22)', async () => {
      const task = await running();
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      let writing = true;
      const writer = (async () => {
        for (let turn = 0; writing; turn += 1) {
          await mysql.query('UPDATE a SET n = n + 1 WHERE id = ?; UPDATE c SET n = n + 1 WHERE id = ?', [
            1 + (turn % 3000),
            1 + ((turn * 7) % 10_000),
          ]);
        }
      })();
      const seen = new Set<string>();
      await task.change({ table: ['a', 'b', 'c'] });
      await task.until(({ extend }) => {
        for (const { table, state } of extend.tables) seen.add(`${table} ${state}`);
        return extend.tables.find(({ table }) => table === 'c')?.state === 'STREAMING';
      });
      assert.deepEqual([...seen].filter((entry) => !entry.startsWith('c')).toSorted(), ['a STREAMING', 'b STREAMING']);
      await task.change({ table: ['a', 'c'] });
      await task.untilStreaming('a', 'c');
      await mysql.query('INSERT INTO b VALUES (99, 99)');
      writing = false;
      await writer;
      assert.equal(await task.untilEqual('a'), 3000);
      assert.equal(await task.untilEqual('c'), 10_000);
      const { rows } = await task.ends.pg.query(
        `SELECT count(*)::int AS kept, max(id) AS last FROM "${task.ends.database}".b`,
      );
      assert.deepEqual(rows, [{ kept: 10, last: 10 }], 'the rows of a removed table stay, later ones do not come');
    });

    void it('loads a table that comes back anew, with its target emptied before (A9), and all tables replaced at once (A8)', async () => {
      const task = await running();
      const { mysql, pg, database } = task.ends;
      await task.untilStreaming('a', 'b');
      await task.change({ table: ['c'] });
      await task.untilStreaming('c');
      assert.equal(await task.untilEqual('c'), 10_000);
      await mysql.query('DELETE FROM a WHERE id <= 1000; INSERT INTO a VALUES (5000, 1)');
      await pg.query(`INSERT INTO "${database}".a VALUES (777777, 1)`);
      await task.change({ table: ['c', 'a'] });
      await task.untilStreaming('a', 'c');
      assert.equal(await task.untilEqual('a'), 2001);
    });

    void it('does not lose an add that is deployed while another one is being applied (A15), and finishes on an idle server (A16)', async () => {
      const task = await running({ table: ['a'] });
      await task.change({ table: ['a', 'b'] });
      await task.change({ table: ['a', 'b', 'c'] });
      await task.untilStreaming('a', 'b', 'c');
      for (const table of ['a', 'b', 'c']) await task.untilEqual(table);
    });

    void it('updated, deployed, stopped and started, in the vendor’s order, loses nothing and loads nothing twice', async () => {
      const task = await running();
      const { mysql } = task.ends;
      await task.untilStreaming('a', 'b');
      await task.change({ table: ['a', 'b', 'c'] });
      await task.do('StopDISyncInstance');
      assert.equal((await task.info()).Status, 'PAUSE');
      await mysql.query('INSERT INTO a VALUES (4001, 1); UPDATE c SET n = 5 WHERE id = 77; DELETE FROM b WHERE id = 3');
      await task.do('StartDISyncInstance');
      const { extend } = await task.untilStreaming('a', 'b', 'c');
      for (const table of ['a', 'b', 'c']) await task.untilEqual(table);
      const loaded = extend.tables.map(({ table, rows }) => `${table} ${rows}`).toSorted();
      assert.deepEqual(loaded, ['a 3000', 'b 10', 'c 10000']);
    });

    void it('lets a table fail alone whose target cannot hold its new type, names it, and loads it anew at the next deploy', async () => {
      const task = await running();
      const { mysql, pg, database } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query(
        'ALTER TABLE b MODIFY n BIGINT; INSERT INTO b VALUES (50, 5000000000); INSERT INTO a VALUES (4001, 1)',
      );
      const info = await task.until(({ extend }) => extend.tables.some(({ state }) => state === 'FAILED'));
      assert.deepEqual(
        [info.Status, info.extend.tables.find(({ table }) => table === 'b')?.code],
        ['RUN', 'Sink.TargetMismatch'],
      );
      assert.match(info.Message ?? '', new RegExp(`${database}\\.b: Sink\\.TargetMismatch`));
      assert.equal(await task.untilEqual('a'), 3001);
      await pg.query(`DROP TABLE "${database}".b`);
      await task.do('DeployDISyncTask');
      await task.untilStreaming('a', 'b');
      assert.equal(await task.untilEqual('b'), 11);
    });

    void it('loads a failed table anew at stop and start too, into a target that was made to fit by hand', async () => {
      const task = await running();
      const { mysql, pg, database } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query('ALTER TABLE b MODIFY n BIGINT; UPDATE b SET n = 5000000000 + id; DELETE FROM b WHERE id = 4');
      await task.until(({ extend }) => extend.tables.some(({ state }) => state === 'FAILED'));
      await pg.query(`ALTER TABLE "${database}".b ALTER COLUMN n TYPE bigint`);
      await task.do('StopDISyncInstance');
      await task.do('StartDISyncInstance');
      const { extend } = await task.untilStreaming('a', 'b');
      assert.equal(await task.untilEqual('b'), 9);
      assert.equal(extend.tables.find(({ table }) => table === 'a')?.rows, 3000, 'the other one is not loaded again');
    });

    void it('adds a column at once, before any row brings it, and takes a table then', async () => {
      const task = await running();
      const { mysql, pg, database } = task.ends;
      await task.untilStreaming('a', 'b');
      await mysql.query('ALTER TABLE a ADD COLUMN note VARCHAR(20) FIRST');
      const added = () =>
        pg.query("SELECT 1 FROM information_schema.columns WHERE table_schema = $1 AND column_name = 'note'", [
          database,
        ]);
      while ((await added()).rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const { Plan } = await task.planChange({ table: ['a', 'b', 'c'] });
      const { kept } = (JSON.parse(Plan) as { tables: { kept: { table: string; columns: object[] }[] } }).tables;
      assert.deepEqual(kept.find(({ table }) => table === 'a')?.columns, [
        { name: 'id', sourceType: INT[family], targetType: 'integer', nullable: false },
        { name: 'n', sourceType: INT[family], targetType: 'integer', nullable: true },
        { name: 'note', sourceType: 'varchar(20)', targetType: 'text', nullable: true },
      ]);
      await task.change({ table: ['a', 'b', 'c'] });
      await task.untilStreaming('a', 'b', 'c');
      await mysql.query("UPDATE a SET note = 'late'");
      assert.deepEqual([await task.untilEqual('a'), await task.untilEqual('c')], [3000, 10_000]);
    });

    void it('hands an added column on', async () => {
      const task = await running();
      await task.untilStreaming('a', 'b');
      await task.ends.mysql.query(
        "ALTER TABLE a ADD COLUMN note VARCHAR(20) AFTER id; INSERT INTO a (id, note, n) VALUES (9000, 'new', 1)",
      );
      assert.equal(await task.untilEqual('a'), 3001);
    });

    void it('reads several databases in one task, and odd names in both forms', async () => {
      const ends = await openEnds(family);
      open.push(ends);
      const other = await freshMysqlDatabase(ends.source);
      const odd = 'o"d\'d.t b; DROP TABLE x; -- ☂';
      await ends.mysql.query(
        `CREATE TABLE \`${odd}\` (\`k "1".\` INT PRIMARY KEY, \`select\` TEXT); INSERT INTO \`${odd}\` VALUES (1, 'x'); CREATE TABLE \`${other}\`.same (id INT PRIMARY KEY); INSERT INTO \`${other}\`.same VALUES (1); CREATE TABLE same (id INT PRIMARY KEY)`,
      );
      const info = (table: string) => ({ table });
      const task = new TaskUnderTest(service, ends);
      const selected = (own: string[]) => ({
        selectedTables: [
          { dbName: ends.database, schema: [{ tableInfos: own.map(info) }] },
          { dbName: other, schema: [{ tableInfos: [info('same')] }] },
        ],
      });
      await task.run(selected([odd]));
      await task.untilStreaming(odd, 'same');
      await task.change(selected([odd, 'same']));
      await task.untilStreaming(odd, 'same', 'same');
      await ends.mysql.query(`INSERT INTO \`${odd}\` VALUES (2, 'y'); INSERT INTO same VALUES (7)`);
      await task.until(() => true);
      assert.equal(await task.untilEqual('same'), 1);
      assert.equal(await task.untilEqual('same', other), 1);
      const find = () => ends.pg.query(`SELECT * FROM "${ends.database}"."${odd.replaceAll('"', '""')}" ORDER BY 1`);
      while ((await find()).rows.length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual((await find()).rows, [
        { 'k "1".': 1, select: 'x' },
        { 'k "1".': 2, select: 'y' },
      ]);
    });
  });
}
