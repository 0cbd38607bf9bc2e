import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshPgDatabase, mysqlClient, pgClient, sharedServer, uniqueName } from '../support/servers.ts';
import { Service } from '../support/service.ts';

interface Job {
  readonly JobStatus: string;
  readonly ErrorMessage: string | null;
  readonly RunStats: Readonly<Record<string, string>>;
  readonly TableMappings: unknown;
}

test('a job by patterns over two databases runs, takes a table made later while it runs, stops and is deleted', async () => {
  const [service, source, target] = await Promise.all([
    Service.start(),
    sharedServer('mariadb'),
    sharedServer('postgres'),
  ]);
  const shop = uniqueName('shop');
  const database = await freshPgDatabase(target);
  const [mysql, pg] = await Promise.all([mysqlClient(source), pgClient(target, database)]);
  const { api } = service;
  try {
    for (const name of [`${shop}_a`, `${shop}_b`]) {
      await mysql.query(
        `CREATE DATABASE ${name}; CREATE TABLE ${name}.orders (id INT PRIMARY KEY, n INT); CREATE TABLE ${name}.tmp_1 (id INT PRIMARY KEY);
         CREATE VIEW ${name}.all_orders AS SELECT * FROM ${name}.orders; INSERT INTO ${name}.orders VALUES (1, 10), (2, 20)`,
      );
    }
    const add = (Name: string, DataSourceType: string, content: object) =>
      api.call('CreateDataSource', { Name, DataSourceType, EnvType: 1, Content: JSON.stringify(content) });
    const { user, password } = source;
    await add('shops', 'mysql', { jdbcUrl: `jdbc:mysql://127.0.0.1:${source.port}/`, username: user, password });
    const account = { accessId: target.user, accessKey: target.password };
    await add('lake', 'holo', { endpoint: `127.0.0.1:${target.port}`, database, ...account });

    const rules = [
      { RuleName: 'to_ods', RuleActionType: 'Rename', RuleTargetType: 'Schema' },
      { RuleName: 'to_ods', RuleActionType: 'Rename', RuleTargetType: 'Table' },
    ];
    const rule = (ObjectType: string, Expression: string, Action = 'Include') => {
      return { ObjectType, Action, ExpressionType: 'Regex', Expression };
    };
    const mappings = (tables: string) => [
      {
        SourceObjectSelectionRules: [
          rule('Database', `${shop}_[ab]`),
          rule('Table', tables),
          rule('Table', 'tmp_.*', 'Exclude'),
        ],
        TransformationRules: rules,
      },
    ];
    const expressions = ['{"expression":"ods_${srcDatabaseName}"}', '{"expression":"ods_${srcTableName}"}'];
    const created = await api.call(
      'CreateDIJob',
      { JobName: 'all shops', MigrationType: 'FullAndRealtimeIncremental' },
      {
        SourceDataSourceType: 'MySQL',
        DestinationDataSourceType: 'Hologres',
        SourceDataSourceSettings: '[{"DataSourceName":"shops"}]',
        DestinationDataSourceSettings: '[{"DataSourceName":"lake"}]',
        TableMappings: JSON.stringify(mappings('.*')),
        TransformationRules: JSON.stringify(
          rules.map((key, index) => ({ ...key, RuleExpression: expressions[index] })),
        ),
      },
    );
    const DIJobId = created['DIJobId'] as number;
    const get = async () => (await api.call('GetDIJob', { DIJobId }))['Data'] as Job;
    const until = async (what: (job: Job) => boolean): Promise<Job> => {
      for (const deadline = Date.now() + 30_000; ; ) {
        const job = await get();
        if (what(job)) return job;
        if (Date.now() > deadline) throw new Error(`the job did not come to that: ${JSON.stringify(job)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const streams = (count: number) => (job: Job) =>
      job.RunStats['tables.STREAMING'] === String(count) &&
      job.RunStats['appliedVersion'] === job.RunStats['deployedVersion'];
    const rows = async (schema: string, table: string) => {
      const found = await pg.query({ text: `SELECT * FROM "${schema}"."${table}" ORDER BY 1`, rowMode: 'array' });
      return found.rows as unknown[];
    };
    const untilRows = async (schema: string, table: string, expected: readonly unknown[]) => {
      for (const deadline = Date.now() + 20_000; ; ) {
        const found = await rows(schema, table).catch(() => null);
        if (JSON.stringify(found) === JSON.stringify(expected) || Date.now() > deadline)
          return assert.deepEqual(found, expected);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };

    assert.equal((await get()).JobStatus, 'Initialized');
    await api.call('StartDIJob', { DIJobId });
    const { JobStatus } = await until(streams(2));
    assert.equal(JobStatus, 'Running');
    await mysql.query(`UPDATE ${shop}_b.orders SET n = 21 WHERE id = 2; DELETE FROM ${shop}_a.orders WHERE id = 1`);
    await untilRows(`ods_${shop}_a`, 'ods_orders', [[2, 20]]);
    await untilRows(`ods_${shop}_b`, 'ods_orders', [
      [1, 10],
      [2, 21],
    ]);

    await mysql.query(
      `CREATE TABLE ${shop}_b.items (id INT PRIMARY KEY, name VARCHAR(9)); INSERT INTO ${shop}_b.items VALUES (7, 'x')`,
    );
    await api.call('UpdateDIJob', { DIJobId });
    await until(streams(3));
    await mysql.query(`INSERT INTO ${shop}_b.items VALUES (8, 'y'); INSERT INTO ${shop}_a.orders VALUES (3, 30)`);
    await untilRows(`ods_${shop}_b`, 'ods_items', [
      [7, 'x'],
      [8, 'y'],
    ]);
    await untilRows(`ods_${shop}_a`, 'ods_orders', [
      [2, 20],
      [3, 30],
    ]);

    await api.call('UpdateDIJob', { DIJobId }, { TableMappings: JSON.stringify(mappings('items')) });
    assert.deepEqual((await until(streams(1))).TableMappings, mappings('items'));
    await mysql.query(`INSERT INTO ${shop}_a.orders VALUES (4, 40); DELETE FROM ${shop}_b.items WHERE id = 7`);
    await untilRows(`ods_${shop}_b`, 'ods_items', [[8, 'y']]);
    assert.equal((await rows(`ods_${shop}_a`, 'ods_orders')).length, 2);

    await assert.rejects(api.call('DeleteDIJob', { DIJobId }), { code: 'Invalid.Operation' });
    await api.call('StopDIJob', { DIJobId });
    assert.equal((await get()).JobStatus, 'Stopped');
    await api.call('DeleteDIJob', { DIJobId });
    await assert.rejects(get(), { code: 'Invalid.DI.Parameter', message: /DIJobId:\[\d+\] is invalid/ });
    const { rows: left } = await pg.query('SELECT count(*)::int AS n FROM disync.checkpoint');
    assert.deepEqual(left, [{ n: 0 }]);
  } finally {
    await service.dispose();
    await Promise.allSettled([
      mysql.query(`DROP DATABASE IF EXISTS ${shop}_a; DROP DATABASE IF EXISTS ${shop}_b`).then(() => mysql.end()),
      pg.end(),
    ]);
  }
});
