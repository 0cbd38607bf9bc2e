import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ABSENT,
  type Client,
  goodParameters,
  openApiClient,
  popCoreClient,
  query,
  send,
  textOf,
} from '../../test/support/api-clients.ts';
import { BIG_ID, FOREIGN_PROJECT, USER, openGateway, PROJECT } from '../../test/support/gateway-under-test.ts';
import { parseJson } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import type { TaskId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import { operations } from './catalogue.ts';
import { percentEncode } from './rpc/percent-encoding.ts';

const shared = await openGateway();

const CHOICES = [
  'TaskType',
  'DataSourceType',
  'DestinationType',
  'SourceType',
  'SubType',
  'Status',
  'MigrationType',
  'SourceDataSourceType',
  'DestinationDataSourceType',
  'RefType',
  'UseType',
];

const clients: [name: string, client: Client][] = [
  ['openapi-client, V3', openApiClient(shared.port, 'v3')],
  ['openapi-client, V1', openApiClient(shared.port, 'v1')],
  ['pop-core, GET', popCoreClient(shared.port, 'GET')],
  ['pop-core, POST', popCoreClient(shared.port, 'POST')],
];

for (const [name, client] of clients) {
  test(`serves every operation to ${name}`, async () => {
    for (const { name: action, answer: fields } of operations) {
      const answer = await client(action, goodParameters(action));
      assert.deepEqual(new Set(Object.keys(answer)), new Set(['RequestId', ...fields.map(({ name }) => name)]), action);
      if ('Success' in answer) assert.equal(answer['Success'], true, action);
      assert.match(textOf(answer['RequestId']), /^[0-9A-F-]{36}$/);
      assert.equal('Code' in answer, false);
    }
  });
}

test('keeps 64-bit ids exact, on the way in and out', async () => {
  const big = String(BIG_ID);
  const created = await send(shared.port, query('CreateDISyncTask'));
  assert.deepEqual(created.body['Data'], { Status: 'success', Message: null, FileId: BIG_ID });
  shared.calls.length = 0;
  await send(shared.port, query('DeployDISyncTask', { FileId: big }));
  await send(shared.port, query('DeployDISyncTask', { FileId: `-${BIG_ID + 1n}` }));
  assert.deepEqual(
    shared.calls.map(({ args }) => (args[1] as { task: bigint }).task),
    [BIG_ID, -BIG_ID - 1n],
  );
});

test('hands the parameters of an update with a 4 MB script in the query to the tasks as they came', async () => {
  const columns = Array.from({ length: 20 }, (_, index) => ({
    name: `column "${index}"`,
    index,
    type: 'int8',
    comment: 'what this column is for, in a few words',
    columnSize: 20,
    digit: 0,
    newDigit: 0,
    primaryKey: false,
  }));
  const tables = Array.from({ length: 1000 }, (_, index) => ({ srcTable: `表_${index}`, dataColumn: columns }));
  const content = JSON.stringify({ steps: [{ parameter: { tables } }] });
  assert.ok(percentEncode(content).length > 4_000_000);
  for (const [, client] of clients) {
    shared.calls.length = 0;
    const answer = await client('UpdateDISyncTask', { ...goodParameters('UpdateDISyncTask'), TaskContent: content });
    assert.deepEqual(answer['Data'], { Status: 'success', Message: null });
    assert.deepEqual(shared.calls, [
      {
        method: 'update',
        args: [
          { project: PROJECT, user: USER },
          { taskType: 'DI_REALTIME', task: 100n, taskContent: content, taskParam: null },
        ],
      },
    ]);
  }
});

test('Data has its keys on success and on failure, null where there is nothing to say', async () => {
  shared.failure = new TaskError('not-found', 'Task.NotFound', 'fileId:[100] is invalid.');
  const failed = await send(shared.port, query('GetDISyncTask'));
  assert.equal(failed.status, 200);
  assert.deepEqual(failed.body['Data'], {
    Status: 'fail',
    Message: 'fileId:[100] is invalid.',
    Code: null,
    SolutionDetail: null,
    AlarmList: null,
  });
  shared.process = { kind: 'running' };
  const running = await send(shared.port, query('QueryDISyncTaskConfigProcessResult'));
  assert.deepEqual(running.body['Data'], { Status: 'running', Message: null, TaskContent: null, Plan: null });
  shared.process = { kind: 'success', taskContent: '{}', plan: '{"a":1}', message: null };
  const ready = await send(shared.port, query('QueryDISyncTaskConfigProcessResult'));
  assert.deepEqual(ready.body['Data'], { Status: 'success', Message: null, TaskContent: '{}', Plan: '{"a":1}' });
});

test('a run shows its tables', async () => {
  const answer = await send(shared.port, query('GetDISyncInstanceInfo'));
  const { Extend, ...data } = answer.body['Data'] as JsonObject;
  assert.deepEqual(data, { Status: 'RUN', Message: null, Name: 'rt', SolutionInfo: null });
  assert.deepEqual(parseJson(textOf(Extend)), {
    appliedVersion: 1,
    deployedVersion: 2,
    lagMs: 12,
    heldMs: null,
    watermarkAt: null,
    dirtyRows: 0,
    offset: 'binlog.000001:4',
    failovers: 1,
    nextTryAt: null,
    tables: [
      {
        database: 'shop',
        table: 'a.b"c',
        state: 'FAILED',
        chunksDone: 1,
        chunksAll: 2,
        rows: 3,
        code: 'Table.SchemaChanged',
        message: 'changed',
        remedy: 'stop and start',
      },
    ],
  });
});

test('a solution is described in the shape that typed clients decode', async () => {
  shared.calls.length = 0;
  const answer = await send(shared.port, query('GetDISyncTask', { TaskType: 'DI_SOLUTION' }));
  assert.deepEqual(answer.body['Data'], {
    Status: 'success',
    Message: null,
    Code: null,
    SolutionDetail: {
      Id: BIG_ID,
      Name: 'whole shop',
      CreatorName: USER,
      ProjectId: 10000,
      SourceType: 'mysql',
      Type: 'holo',
      Status: '2',
      SubmitTime: '2021-12-07 14:40:51',
      StartTime: null,
      ProcessContent: '{"srcType":"mysql"}',
      ProcessExtra: '{"processType":"new","tableNum":1}',
    },
    AlarmList: [],
  });
  assert.deepEqual(shared.calls, [{ method: 'solution', args: [{ project: PROJECT, user: USER }, 100n] }]);
});

test('a solution shows its steps, each with a table for a page', async () => {
  const { info } = shared;
  shared.info = {
    ...info,
    message: 'Version 2 is being applied.',
    solution: {
      id: BIG_ID as TaskId,
      creator: null,
      status: 'run',
      steps: [
        { kind: 'structure', status: 'success', tables: [{ name: 'bi.a', status: 'success', rows: null }] },
        { kind: 'load', status: 'run', tables: [{ name: 'shop.a', status: 'run', rows: 7 }] },
        { kind: 'stream', status: 'wait', tables: [] },
      ],
    },
  };
  const answer = await send(shared.port, query('GetDISyncInstanceInfo', { TaskType: 'DI_SOLUTION' }));
  shared.info = info;
  const { Extend, SolutionInfo, ...data } = answer.body['Data'] as JsonObject;
  assert.deepEqual(data, { Status: 'success', Message: 'Version 2 is being applied.', Name: null });
  assert.equal((parseJson(textOf(Extend)) as JsonObject)['deployedVersion'], 2);
  const { StepDetail, ...facts } = SolutionInfo as JsonObject;
  assert.deepEqual(facts, { Id: BIG_ID, CreatorName: null, Status: 'run' });
  const steps = (StepDetail as JsonObject[]).map(({ Info, ...step }) => ({ ...step, Info: parseJson(textOf(Info)) }));
  const status = { dataIndex: 'status', title: 'Status', width: 0.2 };
  const widget = (dataSource: Json, ...columns: Json[]) => ({
    componentName: 'Table',
    fusionProps: { dataSource },
    customProps: { showSN: true, columns: [...columns, status] },
  });
  const name = (width: number) => ({ dataIndex: 'fileName', title: 'Name', width });
  assert.deepEqual(steps, [
    {
      StepId: 1,
      StepName: 'Create tables',
      Status: 'success',
      Info: widget([{ fileName: 'bi.a', status: 'SUCCESS' }], name(0.8)),
    },
    {
      StepId: 2,
      StepName: 'Full load',
      Status: 'run',
      Info: widget([{ fileName: 'shop.a', rows: 7, status: 'RUN' }], name(0.6), {
        dataIndex: 'rows',
        title: 'Rows',
        width: 0.2,
      }),
    },
    { StepId: 3, StepName: 'Real-time synchronization', Status: 'wait', Info: widget([], name(0.8)) },
  ]);
});

test('what a project says of DDL is read and replaced for a destination, with or without a source', async () => {
  shared.calls.length = 0;
  const read = await send(shared.port, query('ListDIProjectConfig', { SourceType: 'mysql' }));
  const Config =
    '{"CREATETABLE":"WARNING","DROPTABLE":"WARNING","RENAMETABLE":"WARNING","TRUNCATETABLE":"WARNING","ADDCOLUMN":"NORMAL","DROPCOLUMN":"WARNING","RENAMECOLUMN":"WARNING","MODIFYCOLUMN":"WARNING"}';
  assert.deepEqual(read.body['Data'], { Config });
  const replaced = await send(shared.port, query('UpdateDIProjectConfig', { DestinationType: 'kafka' }));
  assert.deepEqual(replaced.body['Data'], { Status: 'success' });
  const caller = { project: PROJECT, user: USER };
  assert.deepEqual(shared.calls, [
    { method: 'ddlPolicies', args: [caller, { sinkType: 'holo', sourceType: 'mysql' }] },
    {
      method: 'replaceDdlPolicies',
      args: [caller, { sinkType: 'kafka', sourceType: null }, '{"ADDCOLUMN":"IGNORE"}'],
    },
  ]);
  shared.failure = new TaskError('invalid', 'Task.Invalid', 'ProjectConfig: X is unknown');
  const refused = await send(shared.port, query('UpdateDIProjectConfig'));
  assert.deepEqual([refused.status, refused.body['Code']], [400, 'Invalid.DI.Parameter']);
  assert.match(textOf(refused.body['Message']), /ProjectConfig: X is unknown\.$/);
});

const taskErrors: [kind: TaskError['kind'], action: string, status: number, code: string | null][] = [
  ['invalid', 'CreateDISyncTask', 400, 'Invalid.DI.Parameter'],
  ['not-built', 'CreateDISyncTask', 400, 'Invalid.DI.Parameter'],
  ['name-taken', 'CreateDISyncTask', 400, 'Invalid.DI.Parameter.File.Existed'],
  ['not-found', 'StartDISyncInstance', 200, null],
  ['wrong-state', 'StartDISyncInstance', 200, null],
  ['stale', 'UpdateDISyncTask', 200, null],
  ['invalid', 'CreateDataSource', 400, 'Invalid.DI.Parameter'],
  ['not-built', 'CreateDataSource', 400, 'Invalid.DI.Parameter'],
  ['name-taken', 'CreateDataSource', 400, 'ConnectionAlreadyExist'],
  ['not-found', 'DeleteDataSource', 400, 'Invalid.Tenant.ConnectionNotExists'],
  ['wrong-state', 'DeleteDataSource', 400, 'Invalid.Operation'],
  ['invalid', 'CreateDIJob', 400, 'Invalid.DI.Parameter'],
  ['not-built', 'CreateDIJob', 400, 'Invalid.DI.Parameter'],
  ['name-taken', 'CreateDIJob', 400, 'Invalid.DI.Parameter.File.Existed'],
  ['not-found', 'GetDIJob', 400, 'Invalid.DI.Parameter'],
  ['wrong-state', 'DeleteDIJob', 400, 'Invalid.Operation'],
];
for (const [kind, action, status, code] of taskErrors) {
  test(`${action} answers a TaskError of kind ${kind} with ${code ?? 'Status fail'}`, async () => {
    shared.failure = new TaskError(kind, 'Test.Code', 'what is wrong', { hint: 'What to do.' });
    const answer = await send(shared.port, query(action));
    assert.equal(answer.status, status);
    assert.equal(answer.body['Code'] ?? null, code);
    const said = code === null ? (answer.body['Data'] as JsonObject)['Message'] : answer.body['Message'];
    assert.match(textOf(said), /what is wrong\. What to do\.$/);
  });
}

test('a defect of ours is answered without details', async () => {
  shared.failure = new Error('secret internals');
  const answer = await send(shared.port, query('DeployDISyncTask'));
  assert.equal(answer.status, 500);
  assert.equal(answer.body['Code'], 'InternalError.DI.Parameter');
  assert.doesNotMatch(JSON.stringify(answer.body), /internals/);
});

for (const operation of operations) {
  for (const [name, parameter] of Object.entries(operation.parameters)) {
    if (parameter.required) {
      test(`${operation.name} without ${name} is Missing${name}`, async () => {
        for (const text of [ABSENT, '']) {
          const answer = await send(shared.port, query(operation.name, { [name]: text }));
          assert.deepEqual([answer.status, answer.body['Code']], [400, `Missing${name}`]);
          assert.match(textOf(answer.body['Message']), new RegExp(name));
        }
      });
    }
    const wrong = wrongTexts(name, parameter.type);
    test(`${operation.name} refuses what ${name} cannot be`, async () => {
      shared.calls.length = 0;
      for (const text of wrong) {
        const answer = await send(shared.port, query(operation.name, { [name]: text }), { method: 'POST' });
        assert.deepEqual([answer.status, answer.body['Code']], [400, 'Invalid.DI.Parameter'], text.slice(0, 50));
        assert.match(textOf(answer.body['Message']), new RegExp(`\\b${name}\\b`));
      }
      assert.deepEqual(shared.calls, []);
    });
  }
}

function wrongTexts(name: string, type: string): string[] {
  const tooLong = 'x'.repeat(70_000);
  if (type === 'boolean') return ['yes', '1', 'trueish'];
  if (type === 'object' || type === 'list') return ['{', '"x"', '['.repeat(5000), type === 'list' ? '{}' : '[]', '7'];
  if (type !== 'string')
    return ['abc', '1.5', '0x10', '1e3', '+1', ' 1', '9223372036854775808', '99999999999999999999'];
  if (['TaskParam', 'TaskContent', 'StartParam', 'Content', 'ProjectConfig'].includes(name)) {
    return ['{', '[]', '"x"', '['.repeat(5000), '{"a":1,"a":2}', '{"__proto__":1}'];
  }
  if (name === 'ClientToken') return ['x'.repeat(65), 'é', 'a\nb'];
  if (CHOICES.includes(name)) return ['di_realtime', 'x', tooLong];
  if (['FileTypes', 'FileIdIn'].includes(name)) return ['x', '1,', '1;2', '9223372036854775808', '1,'.repeat(2000)];
  return name === 'Description' ? [tooLong, 'a\0b'] : [tooLong, 'a\nb', 'a\0b'];
}

test('a foreign project and one that does not exist are refused alike', async () => {
  shared.calls.length = 0;
  const answers = new Set<string>();
  for (const operation of operations.filter(({ parameters }) => 'ProjectId' in parameters)) {
    for (const project of [FOREIGN_PROJECT, 999n, -1n]) {
      const answer = await send(shared.port, query(operation.name, { ProjectId: String(project) }));
      assert.deepEqual([answer.status, answer.body['Code']], [403, 'Forbidden.DI.NoPrivilege']);
      answers.add(textOf(answer.body['Message']));
    }
  }
  assert.equal(answers.size, 1);
  assert.deepEqual(shared.calls, []);
});

test('deleting a data source reaches only the projects of the key', async () => {
  shared.calls.length = 0;
  const answer = await send(shared.port, query('DeleteDataSource'));
  assert.deepEqual(shared.calls, [{ method: 'deleteDataSource', args: [{ user: USER, projects: [PROJECT] }, 7n] }]);
  const { RequestId: _, ...body } = answer.body;
  assert.deepEqual(body, { Success: true, HttpStatusCode: '200', Data: true });
});

test('lists data sources in the shape that typed clients decode', async () => {
  const at = Date.UTC(2021, 2, 17, 16, 9, 32);
  shared.dataSources = [
    {
      id: 7n as never,
      project: PROJECT,
      name: 'shop',
      type: 'mysql',
      subType: null,
      env: 1,
      description: 'd',
      maskedContent: '{"password":"***"}',
      enabled: true,
      shared: false,
      createdAt: at,
      modifiedAt: at,
      operator: USER,
    },
  ];
  shared.calls.length = 0;
  const answer = await send(shared.port, query('ListDataSources', { PageNumber: '2', PageSize: '5', EnvType: '0' }));
  const { RequestId: _, ...body } = answer.body;
  assert.deepEqual(body, {
    Success: true,
    HttpStatusCode: 200,
    Data: {
      DataSources: [
        {
          Id: 7,
          ProjectId: 10000,
          Name: 'shop',
          DataSourceType: 'mysql',
          SubType: null,
          EnvType: 1,
          Description: 'd',
          Content: '{"password":"***"}',
          Status: 1,
          ConnectStatus: 1,
          Sequence: 7,
          Shared: false,
          DefaultEngine: false,
          BindingCalcEngineId: null,
          TenantId: null,
          Operator: USER,
          GmtCreate: 'Mar 17, 2021 4:09:32 PM',
          GmtModified: 'Mar 17, 2021 4:09:32 PM',
        },
      ],
      PageNumber: 2,
      PageSize: 5,
      TotalCount: 12,
    },
  });
  const filter = { name: null, type: null, subType: null, env: 0, enabled: null, pageNumber: 2, pageSize: 5 };
  assert.deepEqual(shared.calls[0]?.args[1], filter);
});

test('batch tasks are refused where tasks are planned, with the operation to use', async () => {
  for (const [action, use] of [
    ['GenerateDISyncTaskConfigForUpdating', 'batch tasks are updated with UpdateDISyncTask'],
    ['GenerateDISyncTaskConfigForCreating', 'batch tasks are made with CreateDISyncTask'],
  ] as const) {
    const answer = await send(shared.port, query(action, { TaskType: 'DI_OFFLINE' }));
    assert.equal(answer.body['Code'], 'Invalid.DI.Parameter');
    assert.match(textOf(answer.body['Message']), new RegExp(use));
  }
});

test('calls that differ in spelling only have equal parameters for their token', async () => {
  shared.calls.length = 0;
  const action = 'GenerateDISyncTaskConfigForCreating';
  await send(shared.port, query(action, { ClientToken: 't', TaskParam: '{"b":1, "a":[2]}' }));
  await send(shared.port, query(action, { ClientToken: 't', TaskParam: '{"a":[2],"b":1}', RegionId: 'x' }));
  await send(shared.port, query(action, { ClientToken: '' }));
  const given = shared.calls.map(({ args }) => (args[1] as { idempotence: unknown }).idempotence);
  const parameters = '{"ProjectId":"10000","TaskParam":{"a":[2],"b":1},"TaskType":"DI_REALTIME"}';
  const expected = { token: 't', operation: action, parameters };
  assert.deepEqual(given, [expected, expected, null]);
});
