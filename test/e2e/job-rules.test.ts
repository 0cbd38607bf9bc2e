import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiJob, type JobRule } from '../support/api-job.ts';
import { Service } from '../support/service.ts';
import { type Ends, fillSql, holoSink, openEnds } from '../support/task-under-test.ts';

function rule(RuleName: string, RuleActionType: string, expression: object, RuleTargetType = 'Table'): JobRule {
  return { RuleName, RuleActionType, RuleTargetType, RuleExpression: JSON.stringify(expression) };
}

const ignore = (...types: readonly string[]) =>
  rule('ignore', 'HandleDml', { dmlPolicies: types.map((dmlType) => ({ dmlType, dmlAction: 'Ignore' })) });

async function withJob(work: (job: ApiJob, ends: Ends) => Promise<void>): Promise<void> {
  const [service, ends] = await Promise.all([Service.start(), openEnds('mysql')]);
  try {
    await work(new ApiJob(service, ends, holoSink(ends)), ends);
  } finally {
    await service.dispose();
    await ends.close();
  }
}

/** Waits until a table at the target has these rows. */
async function untilRows({ pg }: Ends, table: string, expected: readonly (readonly number[])[]): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; ) {
    const query = pg.query({ text: `SELECT * FROM ${table} ORDER BY 1`, rowMode: 'array' });
    const rows = await query.then(({ rows: found }) => found as unknown[]).catch(() => null);
    if (JSON.stringify(rows) === JSON.stringify(expected) || Date.now() > deadline)
      return assert.deepEqual(rows, expected);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('each mapping names its targets by its own rules, and a table that joins while it runs by those of its mapping', async () => {
  await withJob(async (job, ends) => {
    await ends.mysql.query(
      'CREATE TABLE t_orders (id INT PRIMARY KEY, n INT); CREATE TABLE t_items LIKE t_orders; CREATE TABLE t_more LIKE t_orders; INSERT INTO t_orders VALUES (1, 1)',
    );
    const variables = [{ variableName: 'srcTableName', variableRules: [{ from: 't_', to: 'ods_' }] }];
    const schema = rule('schema', 'Rename', { expression: 'lake' }, 'Schema');
    const plain = { tables: ['t_items'], rules: [rule('items', 'Rename', { expression: 'things' })] };
    const changed = [schema, rule('prefix', 'Rename', { expression: '${srcTableName}_v2', variables })];
    await job.create({ mappings: [{ tables: ['t_orders'], rules: changed }, plain] });
    await job.do('StartDIJob');
    await job.untilStreaming(2);
    await ends.mysql.query('INSERT INTO t_orders VALUES (2, 2); INSERT INTO t_items VALUES (3, 3)');
    await untilRows(ends, 'lake.ods_orders_v2', [
      [1, 1],
      [2, 2],
    ]);
    await untilRows(ends, `"${ends.database}".things`, [[3, 3]]);
    await job.updateTables({ tables: ['t_orders', 't_more'], rules: changed }, plain);
    await job.untilStreaming(3);
    await ends.mysql.query('INSERT INTO t_more VALUES (4, 4); UPDATE t_orders SET n = 5 WHERE id = 1');
    await untilRows(ends, 'lake.ods_more_v2', [[4, 4]]);
    await untilRows(ends, 'lake.ods_orders_v2', [
      [1, 5],
      [2, 2],
    ]);
  });
});

test('changes that a HandleDml rule ignores do not reach the target, also behind a restart', async () => {
  await withJob(async (job, ends) => {
    await ends.mysql.query('CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)');
    await job.create({ mappings: [{ tables: ['t'], rules: [ignore('Delete')] }] });
    await job.do('StartDIJob');
    await job.untilStreaming(1);
    await ends.mysql.query('DELETE FROM t WHERE id = 1; UPDATE t SET n = 20 WHERE id = 2; INSERT INTO t VALUES (4, 4)');
    const table = `"${ends.database}".t`;
    await untilRows(ends, table, [
      [1, 1],
      [2, 20],
      [3, 3],
      [4, 4],
    ]);
    await job.service.kill();
    await ends.mysql.query('DELETE FROM t; INSERT INTO t VALUES (5, 5)');
    await job.service.restart();
    await untilRows(ends, table, [
      [1, 1],
      [2, 20],
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
  });
});

test('a row whose updates are ignored while it is loaded is loaded all the same', async () => {
  await withJob(async (job, ends) => {
    await ends.mysql.query('CREATE TABLE t (id INT PRIMARY KEY, n INT)');
    for (const sql of fillSql('t', 20_000)) await ends.mysql.query(sql);
    await job.create({ mappings: [{ tables: ['t'], rules: [ignore('Update')] }] });
    await job.do('StartDIJob');
    let isLoaded = false;
    const loaded = job.untilStreaming(1).finally(() => (isLoaded = true));
    let updates = 0;
    for (; !isLoaded; updates++) await ends.mysql.query(`UPDATE t SET n = n + 1 WHERE id % 20 = ${updates % 20}`);
    await loaded;
    assert.ok(updates > 2, `${updates} updates`);
    const { rows } = await ends.pg.query(`SELECT count(*)::int AS n FROM "${ends.database}".t`);
    assert.deepEqual(rows, [{ n: 20_000 }]);
  });
});
