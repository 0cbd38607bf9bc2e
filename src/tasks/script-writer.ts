import { stringifyJson } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import { type DefinedTable, type RouteName, ROUTES, type TaskDefinition } from './task-definition.ts';

/** Which plan a content is of. */
export interface PlanMark {
  readonly processId: number;
  readonly baseVersion: number;
  readonly planHash: string;
}

/** The names that the vendor's scripts use for target types. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  bigint: 'int8',
  integer: 'int4',
  int: 'int4',
  smallint: 'int2',
  real: 'float4',
  'double precision': 'float8',
  boolean: 'bool',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
};

/** TaskContent: the whole script of a task, as QueryDISyncTaskConfigProcessResult hands it out. */
export function writeContent(task: TaskDefinition, mark: PlanMark | null): string {
  return stringifyJson({
    type: 'job',
    version: '2.0',
    extend: {
      mode: `migration_${ROUTES[task.route]}`,
      resourceGroup: task.resourceGroup,
      ...(task.name === null ? {} : { name: task.name }),
      initialLoad: task.initialLoad,
      ...(mark === null ? {} : { disync: { ...mark } }),
    },
    order: ORDER,
    steps: [readerStep(task), writerStep(task)],
  });
}

/** The number that the vendor's solutions from MySQL have. */
const PROCESS_RULE_ID = 1007;
/** What the vendor writes; here the source decides by itself how it reads. */
const READER_CONCURRENT = 10;

/** ProcessContent: a solution's configuration, as GetDISyncTask hands it out. */
export function writeSolution(name: string, task: TaskDefinition): string {
  const route = ROUTES[task.route];
  const { resourceGroup } = task;
  return stringifyJson({
    srcType: 'mysql',
    [`${route}Datasource`]: task.sinkName,
    processRuleId: PROCESS_RULE_ID,
    readerConcurrent: READER_CONCURRENT,
    offlineSyncConfig: { resourceGroup, nodeNameRule: '${db_table_name_src}_to_${db_table_name_dest}' },
    realtimeSyncConfig: {
      extend: { mode: `migration_${route}`, resourceGroup },
      content: {
        order: ORDER,
        setting: { speed: { readerConcurrent: READER_CONCURRENT } },
        steps: [readerStep(task), writerStep(task)],
      },
    },
    setting: { autoCreateWorkflow: true, userDefinedFileNameExpression: name },
    tableMappingRuleFromRealtimeSyncConfig: { datasource: [mappingOf(task)] },
  });
}

const ORDER: Json = { hops: [{ from: 'reader', to: 'writer' }] };

function readerStep(task: TaskDefinition): Json {
  return {
    stepType: 'mysql',
    name: 'reader',
    category: 'reader',
    parameter: {
      ...task.reader,
      connection: [{ datasourceType: 'mysql', datasource: task.sourceName, ...tableList(task) }],
    },
  };
}

function writerStep(task: TaskDefinition): Json {
  return {
    stepType: ROUTES[task.route],
    name: 'writer',
    category: 'writer',
    parameter: {
      ...task.writer,
      datasource: task.sinkName,
      tableMappingRule: { datasource: [mappingOf(task)], totalTableMapping: task.tables.length },
      ...(task.route === 'oneclick_to_kafka' ? {} : { writeMode: 'replay' }),
    },
  };
}

function mappingOf({ sourceName, tables, route, writer }: TaskDefinition): Json {
  return { srcDatasourceName: sourceName, tableRule: tables.map((table) => RULES[route](table, writer)) };
}

function tableList({ form, tables }: TaskDefinition): JsonObject {
  if (form === 'table') return { table: tables.map(({ table }) => table.table) };
  const databases = Map.groupBy(tables, ({ table }) => table.database);
  return {
    selectedTables: [...databases].map(([dbName, own]) => ({
      dbName,
      schema: [{ tableInfos: own.map(({ table }) => ({ enable: true, table: table.table, tableName: table.table })) }],
    })),
  };
}

const RULES: Readonly<Record<RouteName, (table: DefinedTable, writer: JsonObject) => Json>> = {
  oneclick_to_holo: tableRule,
  oneclick_to_odps: tableRule,
  oneclick_to_kafka: topicRule,
};

function topicRule({ table, target, key }: DefinedTable): Json {
  return {
    srcDbName: table.database,
    srcTable: table.table,
    dstTable: target.table,
    primaryKeyInfo: { type: 'pk', column: key },
  };
}

function tableRule({ table, target, key, columns }: DefinedTable, writer: JsonObject): Json {
  return {
    srcDbName: table.database,
    srcTable: table.table,
    dstTable: target.schema === '' ? target.table : `${target.schema}.${target.table}`,
    primaryKeyInfo: { type: 'pk', column: key },
    dstCreateTableInfo: {
      schemaName: target.schema,
      tableName: target.table,
      indexType: target.table,
      dataColumn: columns.map(({ name, type, comment }, index) => {
        const match = /^([^(]+?)\s*(?:\((\d+)(?:,\s*(\d+))?\))?$/.exec(type);
        const base = match?.[1] ?? type;
        return {
          name,
          index,
          type: TYPE_NAMES[base] ?? base,
          comment,
          columnSize: 0,
          digit: Number(match?.[3] ?? 0),
          newDigit: 0,
          primaryKey: key.includes(name),
        };
      }),
    },
    mergeIntoCycleType: writer['mergeIntoCycleType'] ?? 'DEFAULT',
    dayDeltaEnable: writer['dayDeltaEnable'] ?? false,
    hourDeltaEnable: writer['hourDeltaEnable'] ?? false,
  };
}
