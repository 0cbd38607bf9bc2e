import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiClient, popCoreClient, query, send, textOf } from '../../test/support/api-clients.ts';
import { BIG_ID, USER, openGateway, PROJECT } from '../../test/support/gateway-under-test.ts';

const shared = await openGateway();
const REACH = { projects: [PROJECT], user: USER };

const CREATE = {
  ProjectId: String(PROJECT),
  JobName: 'shops',
  Description: 'all shops',
  MigrationType: 'FullAndRealtimeIncremental',
  SourceDataSourceType: 'MySQL',
  DestinationDataSourceType: 'Hologres',
};
const RULE = { RuleName: 'r', RuleActionType: 'Rename', RuleTargetType: 'Schema' };
const STRUCTURES = {
  SourceDataSourceSettings: [{ DataSourceName: 'shop_mysql', DataSourceProperties: { TimeZone: 'GMT+8' } }],
  DestinationDataSourceSettings: [{ DataSourceName: 'bi_holo' }],
  TableMappings: [
    {
      SourceObjectSelectionRules: [
        { ObjectType: 'Database', Expression: 'shop_[ab]', ExpressionType: 'Regex' },
        { ObjectType: 'Table', Expression: 'orders' },
      ],
      TransformationRules: [RULE],
    },
  ],
  TransformationRules: [{ ...RULE, RuleExpression: '{"expression":"ods"}' }],
  JobSettings: { DdlHandlingSettings: [{ Type: 'AddColumn', Action: 'Normal' }] },
  ResourceSettings: { RequestedCu: 2, RealtimeResourceSettings: { ResourceGroupIdentifier: 'g' } },
};
/** The same with null for what was not given, as the jobs get it. */
const SPEC = {
  Description: 'all shops',
  MigrationType: 'FullAndRealtimeIncremental',
  SourceDataSourceType: 'MySQL',
  DestinationDataSourceType: 'Hologres',
  SourceDataSourceSettings: STRUCTURES.SourceDataSourceSettings,
  DestinationDataSourceSettings: [{ DataSourceName: 'bi_holo', DataSourceProperties: null }],
  TableMappings: [
    {
      SourceObjectSelectionRules: [
        { ObjectType: 'Database', Expression: 'shop_[ab]', Action: null, ExpressionType: 'Regex' },
        { ObjectType: 'Table', Expression: 'orders', Action: null, ExpressionType: null },
      ],
      TransformationRules: [RULE],
    },
  ],
  TransformationRules: STRUCTURES.TransformationRules,
  JobSettings: {
    ChannelSettings: null,
    ColumnDataTypeSettings: null,
    CycleScheduleSettings: null,
    DdlHandlingSettings: [{ Type: 'AddColumn', Action: 'Normal' }],
    ImportRuleSettings: null,
    RuntimeSettings: null,
  },
  ResourceSettings: {
    OfflineResourceSettings: null,
    RealtimeResourceSettings: { ResourceGroupIdentifier: 'g', RequestedCu: null },
    ScheduleResourceSettings: null,
    RequestedCu: 2,
  },
};

/** As the current clients send it: one JSON text for each. */
function shrunk(): Record<string, string> {
  return Object.fromEntries(Object.entries(STRUCTURES).map(([name, value]) => [name, JSON.stringify(value)]));
}

/** As older generations send it: a parameter for each value. */
function flattened(value: unknown, name: string): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, `${name}.${Array.isArray(value) ? Number(key) + 1 : key}`),
  );
}

test('a job reaches the tasks as it was given, from every client, in either form', async () => {
  const flat = Object.fromEntries(Object.entries(STRUCTURES).flatMap(([name, value]) => flattened(value, name)));
  const clients = [
    openApiClient(shared.port, 'v3'),
    openApiClient(shared.port, 'v1'),
    popCoreClient(shared.port, 'POST'),
  ];
  for (const client of clients) {
    for (const form of [shrunk(), flat]) {
      shared.calls.length = 0;
      const { DIJobId } = await client('CreateDIJob', CREATE, form);
      assert.equal(String(DIJobId as bigint), String(BIG_ID));
      assert.deepEqual(shared.calls, [
        {
          method: 'createJob',
          args: [
            { project: PROJECT, user: USER },
            { name: 'shops', spec: SPEC },
          ],
        },
      ]);
    }
  }
});

test('an update hands on what is given and nothing else', async () => {
  shared.calls.length = 0;
  await send(shared.port, query('UpdateDIJob', { TableMappings: shrunk()['TableMappings'] ?? '', Description: 'd' }));
  await send(shared.port, query('UpdateDIJob', { DIJobId: String(BIG_ID) }));
  assert.deepEqual(shared.calls, [
    {
      method: 'updateJob',
      args: [REACH, { job: 100n, change: { Description: 'd', TableMappings: SPEC.TableMappings } }],
    },
    { method: 'updateJob', args: [REACH, { job: BIG_ID, change: {} }] },
  ]);
});

test('a job is shown with all that is known of it, and as it was given', async () => {
  const answer = await send(shared.port, query('GetDIJob'));
  const { RequestId: _, ...body } = answer.body;
  const shown = {
    DIJobId: BIG_ID,
    ProjectId: 10000,
    JobName: 'rt',
    Description: null,
    JobStatus: 'Running',
    ErrorMessage: null,
    RunStats: {
      appliedVersion: '1',
      deployedVersion: '2',
      rowsRead: '0',
      rowsWritten: '0',
      lagMs: '12',
      dirtyRows: '0',
      failovers: '1',
      warnings: 'w | x',
      'tables.FAILED': '1',
    },
    MigrationType: 'FullAndRealtimeIncremental',
    SourceDataSourceType: 'MySQL',
    DestinationDataSourceType: 'Hologres',
    SourceDataSourceSettings: [{ DataSourceName: 'shop_mysql', DataSourceProperties: { Encoding: 'UTF-8' } }],
    DestinationDataSourceSettings: [{ DataSourceName: 'bi_holo' }],
    TableMappings: [
      {
        SourceObjectSelectionRules: [
          { ObjectType: 'Database', Expression: 'shop' },
          { ObjectType: 'Table', Expression: 'o.*', Action: 'Include', ExpressionType: 'Regex' },
        ],
      },
    ],
    TransformationRules: null,
    JobSettings: null,
    ResourceSettings: null,
    CreatedTime: 1_671_516_776,
    CreatedUid: USER,
    UpdatedTime: 1_673_859_985,
    UpdatedUid: USER,
    StartedTime: null,
    StartedUid: null,
  };
  assert.deepEqual(body, { Data: shown });
  const brief = await send(shared.port, query('GetDIJob', { WithDetails: 'False' }));
  assert.deepEqual(brief.body['Data'], { ...shown, TableMappings: null });
});

test('jobs are listed in pages', async () => {
  shared.calls.length = 0;
  const given = { JobName: 'r', SourceDataSourceType: 'MySQL', DestinationDataSourceType: 'Kafka', PageNumber: '2' };
  const answer = await send(shared.port, query('ListDIJobs', given));
  const { RequestId: _, ...body } = answer.body;
  assert.deepEqual(body, {
    DIJobPaging: {
      DIJobs: [
        {
          DIJobId: BIG_ID,
          ProjectId: 10000,
          JobName: 'rt',
          JobStatus: 'Running',
          MigrationType: 'FullAndRealtimeIncremental',
          SourceDataSourceType: 'MySQL',
          DestinationDataSourceType: 'Hologres',
        },
      ],
      PageNumber: 2,
      PageSize: 10,
      TotalCount: 12,
    },
  });
  assert.deepEqual(shared.calls[0]?.args[1], {
    name: 'r',
    sourceType: 'MySQL',
    sinkType: 'Kafka',
    pageNumber: 2,
    pageSize: 10,
  });
});

test('a start says where to begin, and how many failovers are allowed', async () => {
  shared.calls.length = 0;
  const settings = { StartTime: 1_671_516_776, FailoverSettings: { UpperLimit: 30, Interval: '10' } };
  const given = { ForceToRerun: 'TRUE', RealtimeStartSettings: JSON.stringify(settings) };
  const { body } = await send(shared.port, query('StartDIJob', given));
  assert.deepEqual(Object.keys(body), ['RequestId']);
  await send(shared.port, query('StartDIJob', { 'RealtimeStartSettings.StartTime': '5' }));
  await send(shared.port, query('StartDIJob'));
  const start = { startTime: 1_671_516_776, failover: { count: 30, intervalMinutes: 10 } };
  assert.deepEqual(
    shared.calls.map(({ args }) => args[1]),
    [
      { job: 100n, again: true, start },
      { job: 100n, again: false, start: { startTime: 5, failover: null } },
      { job: 100n, again: false, start: { startTime: null, failover: null } },
    ],
  );
  const late = await send(shared.port, query('StartDIJob', { 'RealtimeStartSettings.StartTime': '1671516776000' }));
  assert.match(
    textOf(late.body['Message']),
    /RealtimeStartSettings\.StartTime must be a whole number from 0 to 4294967295/,
  );
});

test('what is wrong inside a structured parameter is named by its place', async () => {
  const mappings = JSON.stringify([{ SourceObjectSelectionRules: [{ ObjectType: 'View', Expression: 'x' }] }]);
  const answer = await send(shared.port, query('CreateDIJob', { TableMappings: mappings }));
  assert.deepEqual([answer.status, answer.body['Code']], [400, 'Invalid.DI.Parameter']);
  assert.equal(
    answer.body['Message'],
    'The parameter is invalid. TableMappings[1].SourceObjectSelectionRules[1].ObjectType must be one of Table, Schema, Database.',
  );
});

test('secrets inside of settings inside of a parameter stay out of the audit trail', async () => {
  const properties = [{ key: 'sasl.jaas.config', value: 'password="hidden"' }];
  const ChannelSettings = JSON.stringify({ destinationChannelSettings: { kafkaClientProperties: properties } });
  shared.audited.length = 0;
  await send(shared.port, query('UpdateDIJob', { JobSettings: JSON.stringify({ ChannelSettings }) }));
  const [entry] = shared.audited;
  assert.doesNotMatch(textOf(entry?.parameters?.['JobSettings']), /hidden/);
});
