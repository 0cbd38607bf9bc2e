import { stringifyJson } from '../lib/json.ts';
import type { RouteName, TaskDefinition } from './task-definition.ts';

/*
 * A job is a task as the newer model describes it. The description is a document with the API's own keys, as scripts are,
 * and is kept and shown as it came. Null: not given.
 */
export interface JobSpec {
  readonly Description: string | null;
  readonly MigrationType: MigrationType;
  readonly SourceDataSourceType: string;
  readonly DestinationDataSourceType: string;
  readonly SourceDataSourceSettings: readonly JobDataSource[];
  readonly DestinationDataSourceSettings: readonly JobDataSource[];
  readonly TableMappings: readonly TableMapping[];
  readonly TransformationRules: readonly TransformationRule[] | null;
  readonly JobSettings: JobSettings | null;
  readonly ResourceSettings: ResourceSettings | null;
}

/** What an update of a job may give; what it gives replaces all of what was there. */
export type JobChange = Partial<
  Pick<JobSpec, 'Description' | 'TableMappings' | 'TransformationRules' | 'JobSettings' | 'ResourceSettings'>
>;

export const MIGRATION_TYPES = [
  'FullAndRealtimeIncremental',
  'RealtimeIncremental',
  'Full',
  'OfflineIncremental',
  'FullAndOfflineIncremental',
] as const;
export type MigrationType = (typeof MIGRATION_TYPES)[number];

export interface JobDataSource {
  readonly DataSourceName: string;
  readonly DataSourceProperties: Readonly<Record<string, string>> | null;
}

export interface TableMapping {
  readonly SourceObjectSelectionRules: readonly SelectionRule[];
  readonly TransformationRules: readonly RuleKey[] | null;
}

export interface SelectionRule {
  readonly ObjectType: 'Table' | 'Schema' | 'Database';
  readonly Expression: string;
  readonly Action: 'Include' | 'Exclude' | null;
  readonly ExpressionType: 'Exact' | 'Regex' | null;
}

/** What a mapping names a rule by. */
export interface RuleKey {
  readonly RuleName: string;
  readonly RuleActionType: string;
  readonly RuleTargetType: string;
}

export interface TransformationRule extends RuleKey {
  /** JSON text whose form depends on the action. */
  readonly RuleExpression: string | null;
}

export interface JobSettings {
  /** JSON text. */
  readonly ChannelSettings: string | null;
  readonly ColumnDataTypeSettings:
    | readonly { readonly SourceDataType: string; readonly DestinationDataType: string }[]
    | null;
  readonly CycleScheduleSettings: {
    readonly CycleMigrationType: string | null;
    readonly ScheduleParameters: string | null;
  } | null;
  readonly DdlHandlingSettings: readonly { readonly Type: string; readonly Action: string }[] | null;
  readonly ImportRuleSettings: { readonly FileId: string | null; readonly Source: string | null } | null;
  readonly RuntimeSettings: readonly { readonly Name: string; readonly Value: string | null }[] | null;
}

interface ResourceGroup {
  readonly ResourceGroupIdentifier: string | null;
  readonly RequestedCu: number | null;
}

export interface ResourceSettings {
  readonly OfflineResourceSettings: ResourceGroup | null;
  readonly RealtimeResourceSettings: ResourceGroup | null;
  readonly ScheduleResourceSettings: ResourceGroup | null;
  readonly RequestedCu: number | null;
}

/** The API's words for the far end of each route. */
export const SINK_TYPES: Readonly<Record<RouteName, string>> = {
  oneclick_to_holo: 'Hologres',
  oneclick_to_kafka: 'Kafka',
  oneclick_to_odps: 'MaxCompute',
};

/** Null when no route leads there. */
export function routeTo(sinkType: string): RouteName | null {
  const found = Object.entries(SINK_TYPES).find(([, type]) => type === sinkType);
  return found === undefined ? null : (found[0] as RouteName); // a key of SINK_TYPES
}

/** The job that a task made or changed in another way is: its tables by name, its targets as its options say. */
export function specOfTask(task: TaskDefinition, job: JobSpec | null): JobSpec {
  const rules = renames(task);
  const keys = rules.map(({ RuleName, RuleActionType, RuleTargetType }) => ({
    RuleName,
    RuleActionType,
    RuleTargetType,
  }));
  const settings = { ...NO_SETTINGS, ...job?.JobSettings, ChannelSettings: channels(task) };
  const databases = Map.groupBy(task.tables, ({ table }) => table.database);
  const group = task.resourceGroup === '' ? null : { ResourceGroupIdentifier: task.resourceGroup, RequestedCu: null };
  return {
    Description: null,
    MigrationType: migrationTypeOf(task.initialLoad),
    SourceDataSourceType: 'MySQL',
    DestinationDataSourceType: SINK_TYPES[task.route],
    SourceDataSourceSettings: [{ DataSourceName: task.sourceName, DataSourceProperties: null }],
    DestinationDataSourceSettings: [{ DataSourceName: task.sinkName, DataSourceProperties: null }],
    ResourceSettings:
      group === null
        ? null
        : {
            OfflineResourceSettings: null,
            RealtimeResourceSettings: group,
            ScheduleResourceSettings: null,
            RequestedCu: null,
          },
    ...job,
    JobSettings: settings,
    TableMappings: [...databases].map(([database, tables]) => ({
      SourceObjectSelectionRules: [
        exactly('Database', database),
        ...tables.map(({ table }) => exactly('Table', table.table)),
      ],
      TransformationRules: keys,
    })),
    TransformationRules: rules,
  };
}

const NO_SETTINGS: JobSettings = {
  ChannelSettings: null,
  ColumnDataTypeSettings: null,
  CycleScheduleSettings: null,
  DdlHandlingSettings: null,
  ImportRuleSettings: null,
  RuntimeSettings: null,
};

export function migrationTypeOf(initialLoad: TaskDefinition['initialLoad']): MigrationType {
  if (initialLoad === 'only') return 'Full';
  return initialLoad === 'none' ? 'RealtimeIncremental' : 'FullAndRealtimeIncremental';
}

function exactly(ObjectType: 'Table' | 'Database', Expression: string): SelectionRule {
  return { ObjectType, Expression, Action: 'Include', ExpressionType: 'Exact' };
}

/** Which writer option a Rename of each target sets, by route. */
export const RENAMED: Readonly<Record<RouteName, Readonly<Record<string, string>>>> = {
  oneclick_to_holo: { Schema: 'schema', Table: 'table' },
  oneclick_to_odps: { Table: 'table' },
  oneclick_to_kafka: { Table: 'topic' },
};

/** The options of both ends, but for those that renames say. */
function channels({ route, reader, writer }: TaskDefinition): string | null {
  const renamed = Object.values(RENAMED[route]);
  const others = Object.fromEntries(Object.entries(writer).filter(([name]) => !renamed.includes(name)));
  const given = Object.entries({ sourceChannelSettings: reader, destinationChannelSettings: others }).filter(
    ([, options]) => Object.keys(options).length > 0,
  );
  return given.length === 0 ? null : stringifyJson(Object.fromEntries(given));
}

function renames({ route, writer }: TaskDefinition): TransformationRule[] {
  return Object.entries(RENAMED[route]).flatMap(([RuleTargetType, option]) => {
    const expression = writer[option];
    if (typeof expression !== 'string') return [];
    return [
      {
        RuleName: `${option}_of_task`,
        RuleActionType: 'Rename',
        RuleTargetType,
        RuleExpression: JSON.stringify({ expression }),
      },
    ];
  });
}
