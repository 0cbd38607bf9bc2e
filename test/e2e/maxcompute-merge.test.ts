import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type MergeOptions, type MergeOutput, runMergeCommand } from '../../src/cli/merge.ts';
import type { RowValue } from '../../src/connectors/maxcompute/protocol/row-value.ts';
import type { MaxComputeDouble } from '../support/maxcompute/double.ts';
import { type MaxComputeEnds, MaxComputeTask, openMaxComputeEnds } from '../support/maxcompute-task.ts';
import { PROJECT, startDouble } from '../support/maxcompute-under-test.ts';
import { Service } from '../support/service.ts';

const DAY_MS = 86_400_000;
const OPTIONS = { tableType: 'log', partition: 'pt=${yyyyMMdd}', timeZone: 'UTC' };

/** The day so many days ago, such as 20240101. */
function day(ago: number): string {
  return new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '');
}

void describe('disync merge', () => {
  let service: Service;
  let double: MaxComputeDouble;
  let ends: MaxComputeEnds;
  let task: MaxComputeTask;

  before(async () => {
    [service, double] = await Promise.all([Service.start(), startDouble()]);
    // Its log has the time that a session says it is.
    ends = await openMaxComputeEnds('mariadb', double);
    await ends.mysql.query('CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)); CREATE TABLE b LIKE a');
    task = new MaxComputeTask(service, ends, { options: OPTIONS });
    await task.registerDataSources();
    await task.create({ table: ['a', 'b'] });
    await task.do('DeployDISyncTask');
    const StartParam = JSON.stringify({ ddlMarkMap: { TRUNCATETABLE: 'NORMAL', ADDCOLUMN: 'NORMAL' } });
    await task.do('StartDISyncInstance', { StartParam });
    await task.untilStreaming('a', 'b');
  });
  after(async () => {
    await service.dispose();
    await ends.mysql.end();
    await double.stop();
  });

  function merge(options: Partial<MergeOptions> = {}): Promise<MergeOutput> {
    return runMergeCommand(String(task.file), {
      endpoint: `http://127.0.0.1:${service.port}`,
      accessKeyId: 'dev',
      accessKeySecret: 'dev',
      wait: 60,
      dataDir: join(service.folder, 'data'),
      ...options,
    });
  }

  const logged = { a: 0, b: 0 };

  /** Changes that were made so many days ago, at noon. Waits until the log has so many rows more. */
  async function changes(ago: number, sql: string, rows: { readonly a?: number; readonly b?: number }): Promise<void> {
    const noon = Math.floor((Date.now() - ago * DAY_MS) / DAY_MS) * DAY_MS + DAY_MS / 2;
    await ends.mysql.query(`SET timestamp = ${noon / 1000}; ${sql}; SET timestamp = DEFAULT`);
    for (const table of ['a', 'b'] as const) {
      logged[table] += rows[table] ?? 0;
      await task.until(() => [...task.target(table).partitions.values()].flat().length === logged[table]);
    }
  }

  function base(table: string, ago: number): RowValue[][] {
    const rows = double.table(`projects/${PROJECT}/tables/${ends.database}_${table}_base`).rows(`pt=${day(ago)}`);
    return rows.toSorted(([a], [b]) => Number(a) - Number(b));
  }

  void it('makes of each day the table as it was then, from the day before and the log', async () => {
    await changes(3, "INSERT INTO a VALUES (1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO b VALUES (1, 'x')", {
      a: 3,
      b: 1,
    });
    const first = await merge({ day: day(3) });
    assert.deepEqual(first, {
      exit: 0,
      stdout: ['a', 'b']
        .map(
          (table) =>
            `${ends.database}.${table}: ${ends.database}_${table}_base, partition ${day(3)}, is made of the log alone\n`,
        )
        .join(''),
      stderr: '',
    });
    assert.deepEqual(base('a', 3), [
      [1n, 'a'],
      [2n, 'b'],
      [3n, 'c'],
    ]);
    assert.deepEqual(base('b', 3), [[1n, 'x']]);

    await changes(
      2,
      "UPDATE a SET v = 'A' WHERE id = 1; DELETE FROM a WHERE id = 2; UPDATE a SET id = 4 WHERE id = 3; TRUNCATE b; INSERT INTO b VALUES (2, 'y')",
      { a: 5, b: 2 },
    );
    await changes(1, "DELETE FROM a WHERE id = 1; INSERT INTO a VALUES (2, 'again')", { a: 2 });
    const second = await merge({ day: day(2), table: [`${ends.database}.a`] });
    assert.match(second.stdout, new RegExp(`is made of ${day(3)} and the log\n$`));
    assert.deepEqual(base('a', 2), [
      [1n, 'A'],
      [4n, 'c'],
    ]);
    assert.deepEqual(await merge({ day: day(2), table: [`${ends.database}.a`] }), second, 'again');
    assert.deepEqual(base('a', 2), [
      [1n, 'A'],
      [4n, 'c'],
    ]);

    const third = await merge();
    assert.deepEqual([third.exit, third.stderr], [0, '']);
    assert.deepEqual(base('a', 1), [
      [2n, 'again'],
      [4n, 'c'],
    ]);
    assert.deepEqual(base('b', 1), [[2n, 'y']], 'what was there before TRUNCATE is not');
  });

  void it('adds to the base the columns that the log has meanwhile', async () => {
    await changes(1, "ALTER TABLE b ADD COLUMN more INT FIRST; INSERT INTO b (id, v, more) VALUES (9, 'z', 7)", {
      b: 1,
    });
    assert.deepEqual((await merge({ table: [`${ends.database}.b`] })).stderr, '');
    assert.deepEqual(base('b', 1), [
      [2n, 'y', null],
      [9n, 'z', 7n],
    ]);
  });

  void it('prints the statements, with what they have to run with, and changes nothing', async () => {
    const { exit, stdout } = await merge({
      print: true,
      until: `${new Date().toISOString().slice(0, 10)}T00:00`,
      table: [`${ends.database}.a`],
    });
    assert.equal(exit, 0);
    assert.deepEqual(stdout.split('\n').slice(0, 4), [
      `-- ${ends.database}.a`,
      'SET odps.sql.type.system.odps2=true;',
      'SET odps.sql.allow.fullscan=true;',
      `INSERT OVERWRITE TABLE \`${PROJECT}\`.\`${ends.database}_a_base\` PARTITION (\`pt\`='${day(1)}')`,
    ]);
  });

  void it('H12: waits until the run has passed the cut-off, and refuses when it does not', async () => {
    const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    const tables = ['a', 'b'].map((table) => ({ database: ends.database, table, state: 'STREAMING' }));
    const told = [midnight - 1, midnight + 29_999, midnight + 30_000];
    const watermark = () => told.shift() ?? midnight + 30_000;
    const server = await serving(() => ({
      Data: { Status: 'RUN', Message: null, Extend: JSON.stringify({ watermarkAt: watermark(), tables }) },
    }));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const refused = await merge({ endpoint, wait: 0 });
      assert.equal(refused.exit, 4);
      assert.match(
        refused.stderr,
        /^changes before \S+T00:00:00.000Z may still come to MaxCompute: the run's watermark is \S+T23:59:59.999Z/,
      );
      assert.equal((await merge({ endpoint })).exit, 0);
      assert.deepEqual(told, [], 'after it had asked again');
    } finally {
      server.close();
    }
  });

  void it('refuses while rows are still being loaded, leaves tables out that failed, and stands by a run that stands still', async () => {
    const states = { a: 'FAILED', b: 'SNAPSHOTTING' };
    const server = await serving(() => ({
      Data: {
        Status: 'RUN',
        Extend: JSON.stringify({
          watermarkAt: Date.now(),
          tables: Object.entries(states).map(([table, state]) => ({ database: ends.database, table, state })),
        }),
      },
    }));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const loading = await merge({ endpoint, wait: 0 });
      assert.deepEqual(
        [loading.exit, loading.stderr.split('.').slice(0, 2).join('.')],
        [4, `rows of ${ends.database}.b are still being loaded`],
      );
      states.b = 'STREAMING';
      const failed = await merge({ endpoint });
      assert.deepEqual([failed.exit, failed.stdout.split('\n').length], [1, 2]);
      assert.match(failed.stderr, /\.a: the table is FAILED/);
    } finally {
      server.close();
    }
    await task.do('StopDISyncInstance');
    await task.until(({ Status }) => Status === 'PAUSE');
    const still = await merge();
    assert.deepEqual([still.exit, still.stdout], [4, '']);
    assert.match(still.stderr, /^the run stands still \(PAUSE\): The task was stopped\.\. Nothing was merged/);
    assert.equal((await merge({ force: true })).exit, 0);
  });

  void it('says what is wrong with how it is used', async () => {
    const faults: readonly (readonly [Partial<MergeOptions>, RegExp])[] = [
      [{ day: '20240230' }, /--day: "20240230" is no day/],
      [{ until: '2024-01-01' }, /--until: "2024-01-01" is no minute/],
      [{ day: '20240101', until: '2024-01-01T00:00' }, /not both/],
      [{ day: '99990101' }, /is still to come/],
      [{ table: ['x.y'] }, /x\.y is not among the tables of the task/],
      [{ endpoint: 'http://127.0.0.1:1' }, /does not say how far the run has come/],
      [{ project: '77' }, /there is no task/],
    ];
    for (const [options, reason] of faults) {
      const { exit, stderr } = await merge(options);
      assert.equal(exit, 2);
      assert.match(stderr, reason);
    }
  });
});

function serving(answer: () => object): Promise<Server> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(answer()));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
