import assert from 'node:assert/strict';
import { parseJson } from '../../src/lib/json.ts';
import type { Json, JsonObject } from '../../src/lib/json-value.ts';
import { textOf } from './api-clients.ts';

/** What a life of every operation has made so far, by the name that later steps use. */
export interface Made {
  /** Of the data sources and tasks that are made. */
  readonly name: string;
  /** `Content` of the source and of the sink. */
  readonly source: string;
  readonly sink: string;
  /** Of the source. */
  readonly database: string;
  /** `TaskParam` of a task of these tables. */
  taskParam(tables: readonly string[]): string;
  readonly ids: Map<string, string>;
}

/** One call, in the order of the life. ProjectId and TaskType are added where the operation takes them and none is given. */
export interface Step {
  readonly action: string;
  readonly query: (made: Made) => Record<string, string>;
  readonly form?: (made: Made) => Record<string, string>;
  /** The call is repeated until this holds of its answer. */
  readonly until?: (answer: JsonObject) => boolean;
  /** Holds the answer to what it should be, and keeps of it what later steps name. */
  readonly check?: (answer: JsonObject, made: Made) => void;
}

/**
 * Every operation of the catalogue, at least once, in an order in which each succeeds. A new operation needs a line here;
 * test/e2e/every-operation.test.ts names the ones that have none.
 */
export const STEPS: readonly Step[] = [
  // Data sources, and the same by their older name.
  step('CreateDataSource', (made) => dataSource(made, 'mysql', 'mysql', made.source), {
    check: keep('source', ['Data']),
  }),
  step('CreateDataSource', (made) => dataSource(made, 'sink', 'holo', made.sink), { check: keep('sink', ['Data']) }),
  step('ListDataSources', ({ name }) => ({ Name: `${name}_mysql` }), { check: says(['Data', 'TotalCount'], 1) }),
  step('UpdateDataSource', id('DataSourceId', 'source', { Description: '商店' }), { check: says(['Data'], true) }),
  step('TestNetworkConnection', (made) => ({ ...named(made), EnvType: '1', ResourceGroup: 'S_res_group_1_1' }), {
    check: says(['TaskList', 'ConnectStatus'], true),
  }),
  step('GetDataSourceMeta', (made) => ({ ...named(made), EnvType: '1' }), {
    // Which tables are on the first page is up to all who use the server; of databases there are no pages.
    check: (answer, made) => names(['Data', 'Meta'], `"dbName":"${made.database}"`)(answer),
  }),
  step('SetDataSourceShare', (made) => ({ ...named(made), EnvType: '1', ProjectPermissions: '[]' }), {
    check: succeeds,
  }),
  step('ExportDataSources', ({ name }) => ({ Name: `${name}_sink` }), { check: says(['Data', 'TotalCount'], 1) }),
  step('ImportDataSources', imported, { check: says(['Data'], { Status: true, Message: null }) }),
  step('ListDataSources', ({ name }) => ({ Name: `${name}_more` }), {
    check: keep('imported', ['Data', 'DataSources', 0, 'Id']),
  }),
  step('CreateConnection', connection, { check: keep('connection', ['Data']) }),
  step('ListConnections', ({ name }) => ({ Name: `${name}_older` }), { check: says(['Data', 'TotalCount'], 1) }),
  step('UpdateConnection', id('ConnectionId', 'connection', { Description: 'older' }), { check: says(['Data'], true) }),
  step('DeleteConnection', id('ConnectionId', 'connection'), { check: says(['Data'], true) }),

  // What a project does about DDL.
  step('UpdateDIProjectConfig', () => ({ DestinationType: 'holo', ProjectConfig: '{"ADDCOLUMN":"IGNORE"}' }), {
    check: succeeds,
  }),
  step('ListDIProjectConfig', () => ({ DestinationType: 'holo' }), { check: names(['Data', 'Config'], 'IGNORE') }),

  // A task's life.
  ...created('file'),
  step('GetDISyncTask', id('FileId', 'file'), { check: names(['Data', 'Code'], 'orders') }),
  step('DeployDISyncTask', id('FileId', 'file'), { check: succeeds }),
  step('StartDISyncInstance', id('FileId', 'file', { StartParam: '{"errorLimit":{"record":"0"}}' }), {
    check: succeeds,
  }),
  step('GetDISyncInstanceInfo', id('FileId', 'file'), { until: streams(1), check: says(['Data', 'Status'], 'RUN') }),
  step(
    'GenerateDISyncTaskConfigForUpdating',
    ({ ids, taskParam }) => ({ TaskId: textAt(ids, 'file'), TaskParam: taskParam(['orders', 'customers']) }),
    { check: keep('process', ['Data', 'ProcessId']) },
  ),
  planned(),
  step('UpdateDISyncTask', ({ ids }) => ({ FileId: textAt(ids, 'file'), TaskContent: textAt(ids, 'content') }), {
    check: succeeds,
  }),
  step('DeployDISyncTask', id('FileId', 'file'), { check: succeeds }),
  step('GetDISyncInstanceInfo', id('FileId', 'file'), { until: streams(2) }),
  step('ListRefDISyncTasks', (made) => ({ ...named(made), RefType: 'from' }), {
    check: (answer, { ids }) => says(['Data', 'DISyncTasks', 0, 'NodeId'], Number(textAt(ids, 'file')))(answer),
  }),
  step('ListFiles', ({ name }) => ({ ExactFileName: name }), { check: says(['Data', 'TotalCount'], 1) }),
  step('GetFile', id('FileId', 'file'), { check: names(['Data', 'File', 'Content'], 'customers') }),
  step('StopDISyncInstance', id('FileId', 'file'), { check: succeeds }),
  step('TerminateDISyncInstance', id('FileId', 'file'), { check: succeeds }),
  step('DeleteDISyncTask', id('FileId', 'file'), { check: succeeds }),
  ...created('another'),
  step('DeleteFile', id('FileId', 'another'), { check: says(['Success'], true) }),

  // The same through the newer model.
  step('CreateDIJob', jobNames, { form: job, check: keep('job', ['DIJobId']) }),
  step('ListDIJobs', ({ name }) => ({ JobName: name }), { check: says(['DIJobPaging', 'TotalCount'], 1) }),
  step('StartDIJob', id('DIJobId', 'job')),
  step('GetDIJob', id('DIJobId', 'job'), { until: (answer) => at(answer, ['Data', 'JobStatus']) === 'Running' }),
  step('CreateDIAlarmRule', id('DIJobId', 'job', alarmRule('60')), { check: keep('rule', ['DIAlarmRuleId']) }),
  step('ListDIAlarmRules', id('DIJobId', 'job'), { check: says(['DIAlarmRulePaging', 'TotalCount'], 1) }),
  step('UpdateDIAlarmRule', id('DIAlarmRuleId', 'rule', alarmRule('90'))),
  step('GetDIAlarmRule', id('DIAlarmRuleId', 'rule'), {
    check: says(['DIAlarmRule', 'TriggerConditions', 0, 'Threshold'], 90),
  }),
  step('DeleteDIAlarmRule', id('DIAlarmRuleId', 'rule')),
  step('UpdateDIJob', id('DIJobId', 'job', { Description: 'orders, as they come' })),
  step('StopDIJob', id('DIJobId', 'job')),
  step('GetDIJob', id('DIJobId', 'job'), { check: says(['Data', 'JobStatus'], 'Stopped') }),
  step('DeleteDIJob', id('DIJobId', 'job')),

  ...['source', 'sink', 'imported'].map((one) =>
    step('DeleteDataSource', id('DataSourceId', one), { check: says(['Data'], true) }),
  ),
];

function step(action: string, query: Step['query'], more: Omit<Step, 'action' | 'query'> = {}): Step {
  return { action, query, ...more };
}

/** A new task, which later steps call `kept`. */
function created(kept: string): Step[] {
  return [
    step('GenerateDISyncTaskConfigForCreating', ({ taskParam }) => ({ TaskParam: taskParam(['orders']) }), {
      check: keep('process', ['Data', 'ProcessId']),
    }),
    planned(),
    step('CreateDISyncTask', ({ name }) => ({ TaskName: name, TaskParam: '{"ResourceGroup":"S_res_group_1_1"}' }), {
      form: ({ ids }) => ({ TaskContent: textAt(ids, 'content') }),
      check: keep(kept, ['Data', 'FileId']),
    }),
  ];
}

function planned(): Step {
  return step('QueryDISyncTaskConfigProcessResult', id('AsyncProcessId', 'process'), {
    until: (answer) => at(answer, ['Data', 'Status']) !== 'running',
    check: keep('content', ['Data', 'TaskContent']),
  });
}

function dataSource({ name }: Made, end: string, type: string, content: string): Record<string, string> {
  return { Name: `${name}_${end}`, DataSourceType: type, EnvType: '1', Content: content };
}

function connection({ name, source }: Made): Record<string, string> {
  return { Name: `${name}_older`, ConnectionType: 'mysql', EnvType: '1', Content: source };
}

function imported({ name, source }: Made): Record<string, string> {
  const one = {
    Name: `${name}_more`,
    DataSourceType: 'mysql',
    SubType: '',
    Description: '',
    Content: source,
    EnvType: 1,
  };
  return { DataSources: JSON.stringify([one]) };
}

function jobNames({ name }: Made): Record<string, string> {
  return { JobName: name, MigrationType: 'FullAndRealtimeIncremental' };
}

/** Everything that GetDIJob shows as it was given. */
function job({ name }: Made): Record<string, string> {
  const rule = { ObjectType: 'Table', Action: 'Include', ExpressionType: 'Exact', Expression: 'orders' };
  return {
    SourceDataSourceType: 'MySQL',
    DestinationDataSourceType: 'Hologres',
    SourceDataSourceSettings: JSON.stringify([{ DataSourceName: `${name}_mysql`, DataSourceProperties: {} }]),
    DestinationDataSourceSettings: JSON.stringify([{ DataSourceName: `${name}_sink`, DataSourceProperties: {} }]),
    TableMappings: JSON.stringify([{ SourceObjectSelectionRules: [rule], TransformationRules: [] }]),
  };
}

/** Everything that GetDIAlarmRule shows as it was given. */
function alarmRule(seconds: string): Record<string, string> {
  const severity = { Severity: 'Warning' };
  return {
    Description: 'late',
    Enabled: 'true',
    MetricType: 'Delay',
    TriggerConditions: JSON.stringify([
      { ...severity, Duration: 5, Threshold: Number(seconds), DdlTypes: ['AddColumn'] },
    ]),
    NotificationSettings: JSON.stringify({
      InhibitionInterval: 5,
      NotificationChannels: [{ ...severity, Channels: ['Mail'] }],
      NotificationReceivers: [{ ReceiverType: 'AliyunUid', ReceiverValues: ['1'] }],
    }),
  };
}

function named({ name }: Made): Record<string, string> {
  return { DatasourceName: `${name}_mysql` };
}

function id(parameter: string, kept: string, more: Record<string, string> = {}): Step['query'] {
  return ({ ids }) => ({ [parameter]: textAt(ids, kept), ...more });
}

function textAt(ids: Made['ids'], kept: string): string {
  const text = ids.get(kept);
  assert.ok(text !== undefined, `no step before has made ${kept}`);
  return text;
}

type Path = readonly (string | number)[];

function at(answer: Json | undefined, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((value, key) => (value as Record<string, Json> | undefined)?.[key], answer);
}

function keep(kept: string, path: Path) {
  return (answer: JsonObject, { ids }: Made): void => {
    const value = at(answer, path);
    if (typeof value !== 'number' && typeof value !== 'string') assert.fail(`the answer has no ${path.join('.')}`);
    ids.set(kept, String(value));
  };
}

function says(path: Path, expected: Json) {
  return (answer: JsonObject): void => assert.deepEqual(at(answer, path), expected);
}

function names(path: Path, word: string) {
  return (answer: JsonObject): void => assert.ok(textOf(at(answer, path)).includes(word), `${path.join('.')}: ${word}`);
}

function succeeds(answer: JsonObject): void {
  assert.equal(at(answer, ['Data', 'Status']), 'success');
}

/** Whether the deployed version is applied, and so many tables stream. */
function streams(count: number) {
  return (answer: JsonObject): boolean => {
    const extend = parseJson(textOf(at(answer, ['Data', 'Extend'])));
    const tables = at(extend, ['tables']) as { state: string }[];
    return (
      at(extend, ['appliedVersion']) === at(extend, ['deployedVersion']) &&
      tables.filter(({ state }) => state === 'STREAMING').length === count
    );
  };
}
