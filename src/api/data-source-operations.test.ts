import assert from 'node:assert/strict';
import { test } from 'node:test';
import { query, send, textOf } from '../../test/support/api-clients.ts';
import { FOREIGN_PROJECT, USER, openGateway, PROJECT } from '../../test/support/gateway-under-test.ts';
import { parseJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { DataSource, Stage } from '../tasks/data-source-service.ts';
import { TaskError } from '../tasks/task-error.ts';

const shared = await openGateway();
const CALLER = { project: PROJECT, user: USER };
const REACH = { user: USER, projects: [PROJECT] };
const KEPT = { content: null, description: null, env: null, enabled: null };

async function call(action: string, more: Record<string, string> = {}, method = 'POST') {
  shared.calls.length = 0;
  const { status, body } = await send(shared.port, query(action, more), { method });
  const { RequestId, HostId: _, Recommend: __, ...rest } = body;
  assert.match(textOf(RequestId), /^[0-9A-F-]{36}$/);
  return { status, body: rest, calls: shared.calls.map(({ method: name, args }) => [name, ...args]) };
}

function row(changes: Partial<DataSource>): DataSource {
  return {
    id: 7n as never,
    project: PROJECT,
    name: 'shop',
    type: 'mysql',
    subType: null,
    env: 1,
    description: 'd',
    maskedContent: '{}',
    enabled: true,
    shared: false,
    createdAt: 0,
    modifiedAt: 0,
    operator: USER,
    ...changes,
  };
}

test('the lists tell whether a data source is disabled and shared, each in its own words', async () => {
  shared.dataSources = [row({}), row({ enabled: false, shared: true })];
  const shown = async (action: string, rows: string) => {
    const { body, calls } = await call(action, {}, 'GET');
    assert.equal(body['HttpStatusCode'], 200);
    const data = body['Data'] as JsonObject;
    const first = calls[0]?.[2] as { enabled: unknown; type: unknown };
    return (data[rows] as JsonObject[]).map(({ Status, ConnectStatus, Shared, DataSourceType, ConnectionType }) => [
      Status,
      ConnectStatus,
      Shared,
      DataSourceType ?? null,
      ConnectionType ?? null,
      first.enabled,
    ]);
  };
  assert.deepEqual(
    [
      await shown('ListDataSources', 'DataSources'),
      await shown('ListConnections', 'Connections'),
      await shown('ExportDataSources', 'DataSources'),
    ],
    [
      [
        [1, 1, false, 'mysql', null, null],
        [2, 2, true, 'mysql', null, null],
      ],
      [
        [1, 1, false, null, 'mysql', null],
        [2, 2, true, null, 'mysql', null],
      ],
      [
        [1, 1, false, 'mysql', null, null],
        [0, 0, true, 'mysql', null, null],
      ],
    ],
  );
});

test('the lists hand their filters on, Status among them where there is one', async () => {
  const given = { SubType: 'mysql', EnvType: '0', Name: 'x', PageNumber: '3', PageSize: '7', Status: 'DISABLED' };
  const filter = { name: 'x', type: 'rds', subType: 'mysql', env: 0, enabled: false, pageNumber: 3, pageSize: 7 };
  assert.deepEqual(
    [
      (await call('ListDataSources', { ...given, DataSourceType: 'rds' })).calls,
      (await call('ListConnections', { ...given, ConnectionType: 'rds' })).calls,
      (await call('ExportDataSources', { ...given, DataSourceType: 'rds' })).calls,
      (await call('ListConnections', { Status: 'ENABLED' })).calls[0]?.[2],
    ],
    [
      [['listDataSources', CALLER, filter]],
      [['listDataSources', CALLER, filter]],
      [['listDataSources', CALLER, { ...filter, enabled: null }]],
      { name: null, type: null, subType: null, env: null, enabled: true, pageNumber: 1, pageSize: 10 },
    ],
  );
});

test('updates come with PUT; Status means something in the older form alone', async () => {
  const given = { Content: '{"password":"p"}', Description: 'd', EnvType: '0', Status: 'DISABLED' };
  const changes = { content: '{"password":"p"}', description: 'd', env: 0 };
  const answers = [
    await call('UpdateDataSource', given, 'PUT'),
    await call('UpdateConnection', given, 'PUT'),
    await call('UpdateConnection', { Status: 'ENABLED' }),
    await call('UpdateDataSource'),
  ];
  assert.deepEqual(
    answers.map(({ calls }) => calls),
    [
      [['updateDataSource', REACH, 7n, { ...changes, enabled: null }]],
      [['updateDataSource', REACH, 7n, { ...changes, enabled: false }]],
      [['updateDataSource', REACH, 7n, { ...KEPT, enabled: true }]],
      [['updateDataSource', REACH, 7n, KEPT]],
    ],
  );
  for (const { status, body } of answers)
    assert.deepEqual([status, body], [200, { Success: true, HttpStatusCode: '200', Data: true }]);
});

test('the older forms of create and delete are the newer ones', async () => {
  const { body, calls } = await call('CreateConnection', { SubType: 'mysql', Description: 'd' });
  const { calls: newer, body: other } = await call('CreateDataSource', { SubType: 'mysql', Description: 'd' });
  assert.deepEqual([body, calls], [other, newer]);
  const deleted = await call('DeleteConnection');
  assert.deepEqual(
    [deleted.body, deleted.calls],
    [{ Success: true, HttpStatusCode: '200', Data: true }, [['deleteDataSource', REACH, 7n]]],
  );
  shared.failure = new TaskError('not-found', 'DataSource.NotFound', 'dataSourceId:[7] is invalid.');
  const { status, body: refused } = await call('UpdateConnection');
  assert.deepEqual(
    [status, refused],
    [
      400,
      {
        Code: 'Invalid.Tenant.ConnectionNotExists',
        Message: 'The connection does not exist. dataSourceId:[7] is invalid.',
      },
    ],
  );
});

const ROW = { Name: 'n', DataSourceType: 'mysql', SubType: '', Description: '', Content: '{"a":1}', EnvType: 1 };

test('an import takes rows as the contract has them, and answers a boolean Status', async () => {
  const rows = [ROW, { ...ROW, SubType: 'mysql', Description: 'd', Content: { a: 1 }, EnvType: '0' }];
  const { body, calls } = await call('ImportDataSources', { DataSources: JSON.stringify(rows) });
  const first = { name: 'n', type: 'mysql', subType: null, env: 1, description: '', content: '{"a":1}' };
  assert.deepEqual(calls, [
    ['importDataSources', CALLER, [first, { ...first, subType: 'mysql', description: 'd', env: 0 }]],
  ]);
  assert.deepEqual(body, { Success: true, Data: { Status: true, Message: null } });
  shared.notImported = ['Data source DEV n already exists', 'Data source PROD m already exists'];
  assert.deepEqual((await call('ImportDataSources')).body, {
    Success: true,
    Data: { Status: false, Message: 'Data source DEV n already exists; Data source PROD m already exists' },
  });
});

test('an import that is not well formed is refused as a whole, naming the row and the key, and never its content', async () => {
  const cases: [string, RegExp][] = [
    ['{', /^DataSources must be a JSON list/],
    ['{}', /^DataSources must be a list/],
    ['[1]', /^DataSources\[1\] must be an object/],
    ...Object.keys(ROW).map((key): [string, RegExp] => [
      JSON.stringify([ROW, { ...ROW, [key]: undefined }]),
      new RegExp(`^DataSources\\[2\\]\\.${key} is missing`),
    ]),
    [JSON.stringify([{ ...ROW, Content: '{"password":"canary' }]), /^DataSources\[1\]\.Content must be a JSON object/],
    [JSON.stringify([{ ...ROW, Content: '"canary"' }]), /^DataSources\[1\]\.Content must be a JSON object/],
    [JSON.stringify([{ ...ROW, Content: 5 }]), /^DataSources\[1\]\.Content must be a JSON object/],
    [JSON.stringify([{ ...ROW, DataSourceType: 'canary' }]), /^DataSources\[1\]\.DataSourceType must be one of/],
    [JSON.stringify([{ ...ROW, EnvType: 2 }]), /^DataSources\[1\]\.EnvType must be a whole number from 0 to 1/],
  ];
  for (const [rows, message] of cases) {
    const { status, body, calls } = await call('ImportDataSources', { DataSources: rows });
    assert.deepEqual([status, body['Code'], calls], [400, 'Invalid.DI.Parameter', []], rows);
    assert.match(textOf(body['Message']).replace('The parameter is invalid. ', ''), message);
    assert.doesNotMatch(textOf(body['Message']), /canary/);
  }
});

test('a share names workspaces and users, and replaces what was before', async () => {
  const request = { name: 'shop', env: 0, projects: [PROJECT] };
  const { body, calls } = await call('SetDataSourceShare', {
    EnvType: '0',
    ProjectPermissions: '[{"projectId":10001,"permission":"READ","sharedName":"a"}]',
    UserPermissions:
      '[{"projectId":10002,"users":[{"userId":"u","permission":"WRITE"},{"userId":"v","permission":"READ"}],"sharedName":"b"}]',
  });
  const users = { project: 10002n, name: 'b' };
  assert.deepEqual(calls, [
    [
      'shareDataSource',
      CALLER,
      {
        ...request,
        shares: [
          { project: FOREIGN_PROJECT, user: null, permission: 'READ', name: 'a' },
          { ...users, user: 'u', permission: 'WRITE' },
          { ...users, user: 'v', permission: 'READ' },
        ],
      },
    ],
  ]);
  assert.deepEqual(body, { Success: true, Data: { Status: 'success', Message: null } });
  assert.deepEqual((await call('SetDataSourceShare')).calls, [
    ['shareDataSource', CALLER, { ...request, env: null, shares: [] }],
  ]);
  shared.failure = new TaskError('not-found', 'Project.NotFound', 'projectId:[5] is invalid.');
  assert.deepEqual((await call('SetDataSourceShare')).body, {
    Success: true,
    Data: { Status: 'fail', Message: 'projectId:[5] is invalid.' },
  });
});

test('metadata has every database and schema, and the tables of the page with their columns', async () => {
  const table = (schema: string, name: string) => ({
    database: 'd',
    schema,
    table: name,
    columns: [{ name: 'id', type: 'int' }],
  });
  shared.catalogue = {
    schemas: [
      { database: 'd', schema: 's' },
      { database: 'd', schema: 'empty' },
      { database: 'e', schema: '' },
    ],
    tables: [table('s', 'a'), table('s', 'b')],
    total: 12,
  };
  const info = (name: string) => ({
    dbName: 'd',
    table: name,
    tableName: name,
    enable: true,
    columns: [{ name: 'id', type: 'int' }],
  });
  const { body, calls } = await call('GetDataSourceMeta', { PageNumber: '6', PageSize: '2', EnvType: '1' });
  assert.deepEqual(calls, [['catalogue', CALLER, { name: 'shop', env: 1, offset: 10, limit: 2 }]]);
  const { Meta, ...others } = body['Data'] as JsonObject;
  assert.deepEqual(others, { Status: 'success', Message: null });
  assert.deepEqual(parseJson(textOf(Meta)), {
    dbTables: [
      {
        dbName: 'd',
        schema: [
          { schemaName: 's', tableInfos: [info('a'), info('b')] },
          { schemaName: 'empty', tableInfos: [] },
        ],
      },
      { dbName: 'e', schema: [{ schemaName: '', tableInfos: [] }] },
    ],
    pageNumber: 6,
    pageSize: 2,
    totalCount: 12,
  });
  shared.failure = new TaskError('wrong-state', 'MySQL.Denied', 'read data source failed: no login', {
    hint: 'Grant it.',
  });
  const failure = await call('GetDataSourceMeta');
  assert.deepEqual(
    [failure.status, failure.body, failure.calls],
    [
      200,
      { Success: true, Data: { Status: 'fail', Message: 'read data source failed: no login. Grant it.', Meta: null } },
      [['catalogue', CALLER, { name: 'shop', env: null, offset: 0, limit: 100 }]],
    ],
  );
});

test('a network test answers in TaskList: nothing to say when it is reached, else every stage and what to do', async () => {
  const stages: Stage[] = [
    { stage: 'name resolution', outcome: 'passed', found: 'h is 10.0.0.1', code: null, remedy: '' },
    { stage: 'TLS', outcome: 'skipped', found: 'none is asked for', code: null, remedy: 'Ask for it.' },
  ];
  const login: Stage = {
    stage: 'login',
    outcome: 'failed',
    found: 'no login',
    code: 'MySQL.Denied',
    remedy: 'Grant it.',
  };
  shared.stages = stages;
  const reached = await call('TestNetworkConnection', { EnvType: '0' });
  assert.deepEqual(reached.calls, [['stages', CALLER, { name: 'shop', env: 0 }]]);
  assert.deepEqual(reached.body, {
    Success: true,
    TaskList: { ConnectStatus: true, ConnectMessage: '', Extend: JSON.stringify(stages) },
  });
  shared.stages = [...stages, login];
  const { body } = await call('TestNetworkConnection');
  assert.deepEqual(body['TaskList'], {
    ConnectStatus: false,
    ConnectMessage:
      'name resolution: passed (h is 10.0.0.1). TLS: skipped (none is asked for). login: failed (MySQL.Denied: no login). Grant it.',
    Extend: JSON.stringify([...stages, login]),
  });
  shared.failure = new TaskError('not-found', 'DataSource.NotFound', 'datasource:[shop] is invalid.');
  assert.deepEqual((await call('TestNetworkConnection')).body, {
    Success: true,
    TaskList: { ConnectStatus: false, ConnectMessage: 'datasource:[shop] is invalid.', Extend: '[]' },
  });
});
