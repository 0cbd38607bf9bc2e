import type { Json, JsonObject } from '../lib/json-value.ts';
import { MIGRATION_TYPES } from '../tasks/job-spec.ts';
import type { Field } from './operation.ts';
import { choice, type Parameter, structure } from './parameter.ts';
import { decimal, line, listOf, maybe, type Members, objectOf, oneOf, required, type Shape, textMap } from './shape.ts';

const TEXT_LENGTH_MAX = 4_000_000;
const NAME = line({ maxLength: 255 });
const RULE_ACTIONS = [
  'DefinePrimaryKey',
  'Rename',
  'AddColumn',
  'HandleDml',
  'DefineIncrementalCondition',
  'DefineCycleScheduleSettings',
  'DefineRuntimeSettings',
  'DefinePartitionKey',
] as const;
const DDL_TYPES = [
  'RenameColumn',
  'ModifyColumn',
  'CreateTable',
  'TruncateTable',
  'DropTable',
  'DropColumn',
  'AddColumn',
] as const;

const RULE_KEY = {
  RuleName: required(line({ maxLength: 50 }), 'name of the rule, unique among those of its action and target'),
  RuleActionType: required(
    oneOf(RULE_ACTIONS),
    'what the rule does',
    'served: Rename; HandleDml with Normal and Ignore; DefinePrimaryKey of Kafka; others are refused when used',
  ),
  RuleTargetType: required(oneOf(['Table', 'Schema', 'Database']), 'what it acts on', 'see docs/jobs.md'),
};

const DATA_SOURCES = listOf(
  objectOf({
    DataSourceName: required(NAME, 'name of the data source'),
    DataSourceProperties: maybe(textMap({ max: 50, maxLength: 1000 }), 'properties', 'accepted and shown, ignored'),
  }),
  { min: 1, max: 1 },
);

const TABLE_MAPPINGS = listOf(
  objectOf({
    SourceObjectSelectionRules: required(
      listOf(
        objectOf({
          ObjectType: required(oneOf(['Table', 'Schema', 'Database']), 'level; of MySQL, Schema is Database'),
          Expression: required(line({ maxLength: 4000 }), 'a name, or a pattern of the whole name'),
          Action: maybe(oneOf(['Include', 'Exclude']), 'of the newer version; default Include'),
          ExpressionType: maybe(oneOf(['Exact', 'Regex']), 'of the newer version; default Exact'),
        }),
        { min: 1, max: 10_000 },
      ),
      'rules that together pick tables',
    ),
    TransformationRules: maybe(listOf(objectOf(RULE_KEY), { max: 100 }), 'rules to apply, of TransformationRules'),
  }),
  { min: 1, max: 10_000 },
);

const TRANSFORMATION_RULES = listOf(
  objectOf({
    ...RULE_KEY,
    RuleExpression: maybe(line({ maxLength: 65_536, lines: true }), 'JSON text; its form depends on the action'),
  }),
  { max: 1000 },
);

const JOB_SETTINGS = objectOf({
  ChannelSettings: maybe(
    line({ maxLength: 65_536, lines: true }),
    'JSON text: sourceChannelSettings and destinationChannelSettings, the options of the reader and the writer',
  ),
  ColumnDataTypeSettings: maybe(
    listOf(objectOf({ SourceDataType: required(NAME, 'type'), DestinationDataType: required(NAME, 'type') }), {
      max: 1000,
    }),
    'types of target columns',
    'refused unless empty: not there yet',
  ),
  CycleScheduleSettings: maybe(
    objectOf({
      CycleMigrationType: maybe(NAME, 'phase'),
      ScheduleParameters: maybe(line({ maxLength: 4000 }), 'text'),
    }),
    'periodic runs',
    'accepted and shown, ignored: nothing of a real-time job is scheduled',
  ),
  DdlHandlingSettings: maybe(
    listOf(
      objectOf({
        Type: required(oneOf(DDL_TYPES), 'kind of change'),
        Action: required(oneOf(['Ignore', 'Critical', 'Normal']), 'what is done with it'),
      }),
      { max: 100 },
    ),
    'DDL policies, from the next start on',
  ),
  ImportRuleSettings: maybe(
    objectOf({ FileId: maybe(NAME, 'a task'), Source: maybe(NAME, 'where it comes from') }),
    'take an existing task as template',
    'refused: not there yet',
  ),
  RuntimeSettings: maybe(
    listOf(objectOf({ Name: required(NAME, 'option'), Value: maybe(line({ maxLength: 1000 }), 'its value') }), {
      max: 100,
    }),
    'runtime options',
    'served: runtime.realtime.failover.*; dst.offline.truncate true is refused; others are accepted and shown, ignored',
  ),
});

const GROUP = {
  ResourceGroupIdentifier: maybe(NAME, 'resource group'),
  RequestedCu: maybe(decimal({ min: 0, max: 1_000_000 }), 'compute units'),
};
const RESOURCE_SETTINGS = objectOf({
  OfflineResourceSettings: maybe(objectOf(GROUP), 'of the batch phase'),
  RealtimeResourceSettings: maybe(objectOf(GROUP), 'of the real-time phase'),
  ScheduleResourceSettings: maybe(objectOf(GROUP), 'of the schedule'),
  RequestedCu: maybe(decimal({ min: 0, max: 1_000_000 }), 'compute units'),
});

const whole = <T>(shape: Shape<T>, meaning: string, note = ''): Parameter<T> =>
  structure({ meaning, note, shape, maxLength: TEXT_LENGTH_MAX });

export const sourceDataSourceSettings = whole(DATA_SOURCES, 'the source: one data source');
export const destinationDataSourceSettings = whole(DATA_SOURCES, 'the destination: one data source');
export const tableMappings = whole(TABLE_MAPPINGS, 'which tables, and which rules apply to them', 'see docs/jobs.md');
export const transformationRules = whole(TRANSFORMATION_RULES, 'definitions of rules');
export const jobSettings = whole(JOB_SETTINGS, 'options of the job');
export const resourceSettings = whole(RESOURCE_SETTINGS, 'where it runs', 'accepted and shown, ignored');
export const migrationType = choice({
  meaning: 'what is loaded and what is followed',
  values: MIGRATION_TYPES,
  note: 'FullAndRealtimeIncremental, RealtimeIncremental and Full are served; others are refused: see docs/jobs.md',
});
export const sourceDataSourceType = choice({
  meaning: 'kind of source',
  values: [
    'MySQL',
    'PolarDB',
    'Kafka',
    'LogHub',
    'Hologres',
    'Oracle',
    'OceanBase',
    'MongoDB',
    'RedShift',
    'Hive',
    'SQLServer',
  ],
  note: 'MySQL; others are refused, or filter to nothing',
});
export const destinationDataSourceType = choice({
  meaning: 'kind of destination',
  values: ['Hologres', 'Kafka', 'MaxCompute', 'Hive', 'OSS', 'LogHub', 'StarRocks', 'DataHub', 'AnalyticDB_For_MySQL'],
  note: 'Hologres, and Kafka of the newer version; others are refused, or filter to nothing',
});

/** What GetDIJob shows as it was given. */
export const SPEC_FIELDS: readonly Field[] = [
  listField('SourceDataSourceSettings', DATA_SOURCES),
  listField('DestinationDataSourceSettings', DATA_SOURCES),
  listField('TableMappings', TABLE_MAPPINGS),
  listField('TransformationRules', TRANSFORMATION_RULES),
  { name: 'JobSettings', type: 'object', meaning: 'as given', fields: fieldsOf(JOB_SETTINGS.members) },
  { name: 'ResourceSettings', type: 'object', meaning: 'as given', fields: fieldsOf(RESOURCE_SETTINGS.members) },
];

function listField(name: string, shape: Shape<unknown>): Field {
  return { name, type: 'list', meaning: 'as given', fields: fieldsOf(shape.members) };
}

function fieldsOf(members: Members): Field[] {
  return Object.entries(members).map(([name, { shape, meaning }]) => {
    const fields = fieldsOf(shape.members);
    return { name, type: shape.type, meaning, ...(fields.length === 0 ? {} : { fields }) };
  });
}

/** As it was given: without the keys that were not. */
export function given(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => given(item));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value as JsonObject).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([name, inner]) => [name, given(inner)]));
}
