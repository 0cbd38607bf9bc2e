import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JobStart, readJob, jobStartParam } from './job-reader.ts';
import type { JobSettings, JobSpec, SelectionRule, TransformationRule } from './job-spec.ts';
import { pickTables } from './table-selection.ts';
import { TaskError } from './task-error.ts';

const RENAME_SCHEMA: TransformationRule = {
  RuleName: 'to_ods',
  RuleActionType: 'Rename',
  RuleTargetType: 'Schema',
  RuleExpression: '{"expression":"ods"}',
};
const RENAME_TABLE: TransformationRule = {
  RuleName: 'prefix',
  RuleActionType: 'Rename',
  RuleTargetType: 'Table',
  RuleExpression: '{"expression":"ods_${srcTableName}"}',
};
const SETTINGS: JobSettings = {
  ChannelSettings: null,
  ColumnDataTypeSettings: null,
  CycleScheduleSettings: null,
  DdlHandlingSettings: null,
  ImportRuleSettings: null,
  RuntimeSettings: null,
};

function rule(ObjectType: SelectionRule['ObjectType'], text: string): SelectionRule {
  const [, exclude, regex, Expression = ''] = /^(-?)(~?)(.*)$/s.exec(text) ?? [];
  return {
    ObjectType,
    Expression,
    Action: exclude === '-' ? 'Exclude' : null,
    ExpressionType: regex === '~' ? 'Regex' : null,
  };
}

/** `-` excludes, `~` is a pattern: `['shop'], ['orders', '-~tmp_.*']`. */
function mapping(databases: string[], tables: string[], rules: readonly TransformationRule[] = []) {
  return {
    SourceObjectSelectionRules: [
      ...databases.map((text) => rule('Database', text)),
      ...tables.map((text) => rule('Table', text)),
    ],
    TransformationRules: rules.map(({ RuleName, RuleActionType, RuleTargetType }) => {
      return { RuleName, RuleActionType, RuleTargetType };
    }),
  };
}

function spec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    Description: 'd',
    MigrationType: 'FullAndRealtimeIncremental',
    SourceDataSourceType: 'MySQL',
    DestinationDataSourceType: 'Hologres',
    SourceDataSourceSettings: [{ DataSourceName: 'shop_mysql', DataSourceProperties: { Encoding: 'UTF-8' } }],
    DestinationDataSourceSettings: [{ DataSourceName: 'bi_holo', DataSourceProperties: null }],
    TableMappings: [mapping(['shop'], ['orders'])],
    TransformationRules: null,
    JobSettings: null,
    ResourceSettings: null,
    ...changes,
  };
}

function refusal(changes: Partial<JobSpec>): string {
  try {
    readJob('n', spec(changes));
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    return `${error.kind}: ${error.message}`;
  }
  return 'read';
}

test('a job to Hologres is a task whose writer names targets as the renames say', () => {
  const rules = [RENAME_SCHEMA, RENAME_TABLE];
  const group = { ResourceGroupIdentifier: 'g', RequestedCu: 2 };
  const { task } = readJob(
    'job',
    spec({
      TableMappings: [mapping(['shop'], ['orders'], rules), mapping(['crm'], ['items'], rules)],
      TransformationRules: rules,
      ResourceSettings: {
        OfflineResourceSettings: null,
        RealtimeResourceSettings: group,
        ScheduleResourceSettings: null,
        RequestedCu: null,
      },
    }),
  );
  assert.deepEqual(task, {
    name: 'job',
    resourceGroup: 'g',
    route: 'oneclick_to_holo',
    sourceName: 'shop_mysql',
    sinkName: 'bi_holo',
    form: 'selectedTables',
    initialLoad: 'all',
    reader: {},
    writer: { schema: 'ods', table: 'ods_${srcTableName}' },
    targets: {},
  });
});

test('a job to Kafka names its topics by the rename of Table, and its channel settings are options of both ends', () => {
  const channels = {
    sourceChannelSettings: { loadParallelism: 2 },
    destinationChannelSettings: { writeMode: 'canal', keyColumns: ['id'] },
  };
  const { task } = readJob(
    'job',
    spec({
      MigrationType: 'RealtimeIncremental',
      DestinationDataSourceType: 'Kafka',
      TableMappings: [mapping(['shop'], ['orders'], [RENAME_TABLE])],
      TransformationRules: [RENAME_TABLE],
      JobSettings: { ...SETTINGS, ChannelSettings: JSON.stringify(channels) },
    }),
  );
  assert.deepEqual(
    [task.route, task.initialLoad, task.reader, task.writer],
    [
      'oneclick_to_kafka',
      'none',
      { loadParallelism: 2 },
      { writeMode: 'canal', keyColumns: ['id'], topic: 'ods_${srcTableName}' },
    ],
  );
});

test('what changes nothing is taken: settings of the newer samples, policies that are Normal, rules that nobody uses', () => {
  const normal: TransformationRule = {
    RuleName: 'dml',
    RuleActionType: 'HandleDml',
    RuleTargetType: 'Table',
    RuleExpression: '{"dmlPolicies":[{"dmlType":"Delete","dmlAction":"Normal"}]}',
  };
  const unused = {
    ...normal,
    RuleName: 'pk',
    RuleActionType: 'DefinePrimaryKey',
    RuleExpression: '{"columns":["id"]}',
  };
  const { task } = readJob(
    'job',
    spec({
      TableMappings: [mapping(['shop'], ['orders'], [normal])],
      TransformationRules: [normal, unused],
      JobSettings: {
        ...SETTINGS,
        ColumnDataTypeSettings: [],
        CycleScheduleSettings: { CycleMigrationType: null, ScheduleParameters: null },
        ChannelSettings:
          '{"destinationChannelSettings":{"writeMode":"replay","conflictMode":"replace","dynamicColumnAction":"replay"}}',
        RuntimeSettings: [
          { Name: 'runtime.realtime.concurrent', Value: '2' },
          { Name: 'dst.offline.truncate', Value: 'false' },
        ],
      },
    }),
  );
  assert.deepEqual(task.writer, {});
});

const one = (expression: string) => [mapping(['shop'], [expression])];
const using = (rule: Partial<TransformationRule>): Partial<JobSpec> => {
  const used = { ...RENAME_TABLE, ...rule };
  return { TableMappings: [mapping(['shop'], ['a'], [used])], TransformationRules: [used] };
};
const settings = (changes: Partial<JobSettings>) => ({ JobSettings: { ...SETTINGS, ...changes } });
for (const [changes, message] of [
  [
    { MigrationType: 'OfflineIncremental' },
    'not-built: MigrationType OfflineIncremental is not there yet: increments are followed in the log, and not read by condition; FullAndRealtimeIncremental, RealtimeIncremental, Full are',
  ],
  [{ SourceDataSourceType: 'Oracle' }, 'not-built: SourceDataSourceType Oracle is not there yet; MySQL is'],
  [
    { DestinationDataSourceType: 'Hive' },
    'not-built: DestinationDataSourceType Hive is not there yet; Hologres and Kafka and MaxCompute are',
  ],
  [
    { TableMappings: one('~a(?=b)') },
    'invalid: TableMappings[1].SourceObjectSelectionRules[2].Expression is no regular expression that can be used: look-around, which is not served at character 2',
  ],
  [
    { TableMappings: one('x'.repeat(65)) },
    'invalid: TableMappings[1].SourceObjectSelectionRules[2].Expression is a name, and names have at most 64 characters',
  ],
  [
    { TableMappings: [mapping(['-a'], ['b'])] },
    'invalid: TableMappings[1] excludes databases and includes none: include what is to be picked from, such as Regex .*',
  ],
  [
    { TableMappings: [mapping(['a'], ['b'], [RENAME_TABLE])] },
    'invalid: TableMappings[1].TransformationRules[1]: there is no rule prefix (Rename of Table) in TransformationRules',
  ],
  [
    { TransformationRules: [RENAME_TABLE, RENAME_TABLE] },
    'invalid: TransformationRules[2]: there are two rules prefix (Rename of Table)',
  ],
  [
    using({ RuleExpression: '{' }),
    'invalid: TransformationRules[1].RuleExpression must be a JSON object: expected a key in double quotes at character 2 | TransformationRules[1].RuleExpression must be {"expression":"..."} with the new name',
  ],
  [
    using({ RuleTargetType: 'Database' }),
    'not-built: TransformationRules[1]: a Rename of Database cannot be done for Hologres; of Schema and Table it can',
  ],
  [
    { ...using({ RuleTargetType: 'Schema' }), DestinationDataSourceType: 'Kafka' },
    'not-built: TransformationRules[1]: a Rename of Schema cannot be done for Kafka; of Table it can',
  ],
  [
    {
      TableMappings: [mapping(['a'], ['b'], [RENAME_TABLE, { ...RENAME_TABLE, RuleName: 'other' }])],
      TransformationRules: [RENAME_TABLE, { ...RENAME_TABLE, RuleName: 'other', RuleExpression: '{"expression":"x"}' }],
    },
    'invalid: TableMappings[1].TransformationRules[2]: another Rename of Table is used in this mapping',
  ],
  [
    settings({ ColumnDataTypeSettings: [{ SourceDataType: 'decimal', DestinationDataType: 'text' }] }),
    'not-built: JobSettings.ColumnDataTypeSettings: types of target columns cannot be chosen yet',
  ],
  [
    settings({ ImportRuleSettings: { FileId: '1', Source: 'Datastudio' } }),
    'not-built: JobSettings.ImportRuleSettings: taking over an existing task is not there yet',
  ],
  [
    settings({ RuntimeSettings: [{ Name: 'dst.offline.truncate', Value: 'TRUE' }] }),
    'not-built: JobSettings.RuntimeSettings: dst.offline.truncate is not there yet; a target with rows of others is kept and written over by key',
  ],
  [
    settings({ RuntimeSettings: [{ Name: 'runtime.realtime.failover.times.dataxcdc', Value: 'x' }] }),
    'invalid: JobSettings.RuntimeSettings: runtime.realtime.failover.times.dataxcdc must be a whole number',
  ],
  [
    settings({
      DdlHandlingSettings: [
        { Type: 'AddColumn', Action: 'Normal' },
        { Type: 'AddColumn', Action: 'Ignore' },
      ],
    }),
    'invalid: JobSettings.DdlHandlingSettings: AddColumn is given twice, with different actions',
  ],
  [
    settings({ ChannelSettings: '[]' }),
    'invalid: JobSettings.ChannelSettings must be a JSON object: expected an object at character 1',
  ],
  [
    settings({ ChannelSettings: '{"structInfo":1}' }),
    'not-built: JobSettings.ChannelSettings.structInfo is not there yet; sourceChannelSettings and destinationChannelSettings are',
  ],
  [
    settings({ ChannelSettings: '{"destinationChannelSettings":{"conflictMode":"ignore"}}' }),
    'not-built: JobSettings.ChannelSettings.destinationChannelSettings.conflictMode: only replace is there yet',
  ],
  [
    settings({ ChannelSettings: '{"destinationChannelSettings":{"schema":"x"}}' }),
    'invalid: JobSettings.ChannelSettings.destinationChannelSettings.schema: names of targets are given by a Rename rule',
  ],
  [
    { MigrationType: 'FullAndOfflineIncremental', TableMappings: one('~(') },
    'not-built: MigrationType FullAndOfflineIncremental is not there yet: increments are followed in the log, and not read by condition; FullAndRealtimeIncremental, RealtimeIncremental, Full are | TableMappings[1].SourceObjectSelectionRules[2].Expression is no regular expression that can be used: a ( without its ) at character 1',
  ],
] as const satisfies readonly (readonly [Partial<JobSpec>, string])[]) {
  test(`refuses: ${message.slice(0, 110)}`, () => assert.equal(refusal(changes), message));
}

const LIST = [
  'crm.orders',
  'shop_a.items',
  'shop_a.orders',
  'shop_a.tmp_1',
  'shop_b.orders',
  'shop_b.tmp',
  'shop_c.orders',
];

async function picked(
  mappings: JobSpec['TableMappings'],
  { ignoresCase = false, own = 'crm' as string | null }: { ignoresCase?: boolean; own?: string | null } = {},
) {
  const tables = LIST.map((name) => name.split('.')).map(([database = '', table = '']) => ({ database, table }));
  const problems: string[] = [];
  const { selections } = readJob('n', spec({ TableMappings: mappings }));
  const found = await pickTables(selections, { list: { tables, ignoresCase }, ownDatabase: own, problems });
  return { tables: found.map(({ database, table }) => `${database ?? ''}.${table}`), problems };
}

test('rules of a mapping pick tables of databases: included first, then excluded', async () => {
  const { tables } = await picked([mapping(['~shop_[ab]'], ['~.*', '-~tmp_.*'])]);
  assert.deepEqual(tables, ['shop_a.items', 'shop_a.orders', 'shop_b.orders', 'shop_b.tmp']);
});

for (const [what, mappings, tables] of [
  ['a name', [mapping(['shop_a'], ['orders'])], ['shop_a.orders']],
  ['a name that is not there, for the plan to say so', [mapping(['shop_a'], ['nothing'])], ['shop_a.nothing']],
  ['names of the data source’s own database', [mapping([], ['orders', 'more'])], ['.orders', '.more', 'crm.orders']],
  ['patterns of it', [mapping([], ['~or.*'])], ['crm.orders']],
  ['whole names only', [mapping(['~shop'], ['~orders']), mapping(['shop_a'], ['items'])], ['shop_a.items']],
  ['a whole database', [mapping(['shop_a'], [])], ['shop_a.items', 'shop_a.orders', 'shop_a.tmp_1']],
  [
    'what a database is left with',
    [mapping(['~shop_.', '-shop_b'], ['~o.*', '-items'])],
    ['shop_a.orders', 'shop_c.orders'],
  ],
  ['a name in databases of a pattern', [mapping(['~shop_[ac]'], ['orders'])], ['shop_a.orders', 'shop_c.orders']],
  [
    'a name that another rule excludes: none',
    [mapping(['crm', 'shop_a'], ['orders', '-~o.*', 'items'])],
    ['crm.items', 'shop_a.items'],
  ],
  ['two mappings together', [mapping(['crm'], ['orders']), mapping(['~c.*'], ['~.*'])], ['crm.orders']],
] as const) {
  test(`picks ${what}`, async () => {
    const found = await picked([...mappings]);
    assert.deepEqual(found.tables, tables);
  });
}

test('names and patterns are compared as the server compares names', async () => {
  const mappings = [mapping(['SHOP_A'], ['~O[a-z]+', '-ITEMS'])];
  assert.deepEqual(await picked(mappings), {
    tables: [],
    problems: ['TableMappings[1] picks no table: check its names and patterns'],
  });
  assert.deepEqual(await picked(mappings, { ignoresCase: true }), { tables: ['shop_a.orders'], problems: [] });
});

test('a mapping that picks nothing is named, and so is one without a database', async () => {
  const found = await picked([mapping(['~nowhere'], ['~.*']), mapping([], ['orders']), mapping(['crm'], ['orders'])], {
    own: null,
  });
  assert.deepEqual(found, {
    tables: ['crm.orders'],
    problems: [
      'TableMappings[1] picks no table: check its names and patterns',
      'TableMappings[2] includes no database, and the data source has none of its own',
    ],
  });
});

test('patterns that would take long over all tables are given up, and others have their turn meanwhile', async () => {
  const { selections } = readJob('n', spec({ TableMappings: [mapping(['crm'], [`~${'(a|aa|b)*'.repeat(60)}c`])] }));
  const tables = Array.from({ length: 5000 }, (_, index) => ({ database: 'crm', table: `${'a'.repeat(60)}${index}` }));
  const problems: string[] = [];
  const started = performance.now();
  let longest = 0;
  let last = started;
  const others = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  const found = await pickTables(selections, { list: { tables, ignoresCase: false }, ownDatabase: null, problems });
  assert.deepEqual(found, []);
  assert.match(problems.join(), /TableMappings\[1\]: the patterns of the job take too long/);
  clearInterval(others);
  assert.ok(performance.now() - started < 10_000);
  assert.ok(longest < 250, `${Math.round(longest)} ms without a turn of others`);
});

const AS_IS: JobStart = { startTime: null, failover: null };
test('settings of a job become the StartParam of its run, and those of the start come first', () => {
  assert.equal(jobStartParam(null, AS_IS), null);
  assert.equal(jobStartParam(SETTINGS, AS_IS), null);
  const given: JobSettings = {
    ...SETTINGS,
    DdlHandlingSettings: [{ Type: 'DropTable', Action: 'Critical' }],
    RuntimeSettings: [
      { Name: 'runtime.realtime.failover.times.dataxcdc', Value: '10' },
      { Name: 'runtime.realtime.failover.minute.dataxcdc', Value: '30' },
    ],
  };
  assert.equal(
    jobStartParam(given, AS_IS),
    '{"ddlMarkMap":{"DROPTABLE":"CRITICAL"},"failoverLimit":{"count":10,"interval":30}}',
  );
  assert.equal(
    jobStartParam(given, { startTime: 5, failover: { count: 2, intervalMinutes: null } }),
    '{"ddlMarkMap":{"DROPTABLE":"CRITICAL"},"failoverLimit":{"count":2,"interval":30},"startTime":5}',
  );
});

test('patterns that come to too many steps together are refused before they are all read', () => {
  const many = mapping(['crm'], Array<string>(30).fill('~(x{70}){70}'));
  const started = performance.now();
  assert.equal(
    refusal({ TableMappings: Array<typeof many>(2000).fill(many) }),
    'invalid: TableMappings[1].SourceObjectSelectionRules[22].Expression is too much: the patterns of the job come to more than 100000 steps, their counts written out; make jobs of them',
  );
  assert.ok(performance.now() - started < 2000);
});

test('a job that is wrong in thousands of places tells the first of them', () => {
  const wrong = mapping(['crm'], Array<string>(5000).fill('~('));
  const message = refusal({ TableMappings: [wrong] });
  assert.ok(message.length < 20_000, `${message.length} characters`);
  assert.match(message, /\[101\]\.Expression [^|]*\| and 4900 more$/);
});
