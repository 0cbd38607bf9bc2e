import { isJsonObject, JsonError, parseJsonObject } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import type { TargetId } from '../pipeline/route.ts';
import { tableKey } from '../pipeline/table.ts';
import {
  INITIAL_LOADS,
  type InitialLoad,
  ROUTES,
  type RouteName,
  type TaskDefinition,
  type WantedTask,
} from './task-definition.ts';
import { TaskError } from './task-error.ts';

const TABLE_KEYS = ['table', 'tables', 'Tables'];
const SELECTED_KEYS = ['selectedTables', 'SelectedTables'];
/** What we write into the parameters ourselves; the rest are the user's options. */
const GENERATED: Readonly<Record<'mysql' | RouteName, ReadonlySet<string>>> = {
  mysql: new Set(['connection']),
  oneclick_to_holo: new Set(['datasource', 'tableMappingRule', 'writeMode']),
  oneclick_to_kafka: new Set(['datasource', 'tableMappingRule']),
  oneclick_to_odps: new Set(['datasource', 'tableMappingRule', 'writeMode']),
};
const MODES: Readonly<Record<string, RouteName>> = {
  migration_holo: 'oneclick_to_holo',
  migration_kafka: 'oneclick_to_kafka',
  migration_odps: 'oneclick_to_odps',
};

/** The script of GenerateDISyncTaskConfigForCreating. Errors: TaskError `invalid` or `not-built`, naming the place. */
export function readCreateParam(text: string): WantedTask {
  const script = readScript(text, 'TaskParam');
  const setting = objectAt(script, 'setting', 'TaskParam.setting');
  const route = readRoute(setting['taskType'], 'TaskParam.setting.taskType');
  return readWhole(script, 'TaskParam', {
    route,
    name: textOrNull(setting['name']),
    resourceGroup: textOrNull(setting['resourceGroup']) ?? '',
    load: setting['initialLoad'],
  });
}

/**
 * The script of GenerateDISyncTaskConfigForUpdating: the reader alone, or a whole script whose type, route and data sources
 * are those of the task. What it leaves out stays. Errors: TaskError `invalid`.
 */
export function readUpdateParam(text: string, task: TaskDefinition): WantedTask {
  const script = readScript(text, 'TaskParam');
  const setting = script['setting'] === undefined ? {} : objectAt(script, 'setting', 'TaskParam.setting');
  if (setting['taskType'] !== undefined && setting['taskType'] !== task.route)
    throw fixed('TaskParam.setting.taskType', task.route);
  const steps = readSteps(script, 'TaskParam');
  const connection = onlyConnection(steps.reader, 'TaskParam');
  const sourceName = textOrNull(connection['datasource']) ?? task.sourceName;
  if (sourceName !== task.sourceName) throw fixed('the data source of the reader', task.sourceName);
  const writer = steps.writer === null ? {} : objectAt(steps.writer, 'parameter', 'the parameter of the writer');
  const sinkName = textOrNull(writer['datasource']) ?? task.sinkName;
  if (sinkName !== task.sinkName) throw fixed('the data source of the writer', task.sinkName);
  const reader = optionsOf('mysql', objectAt(steps.reader, 'parameter', 'the parameter of the reader'));
  const options = optionsOf(task.route, writer);
  return {
    name: task.name,
    resourceGroup: textOrNull(setting['resourceGroup']) ?? task.resourceGroup,
    route: task.route,
    sourceName,
    sinkName,
    ...readTables(connection, 'TaskParam'),
    initialLoad:
      setting['initialLoad'] === undefined
        ? task.initialLoad
        : readLoad(setting['initialLoad'], 'TaskParam.setting.initialLoad'),
    reader: Object.keys(reader).length === 0 ? task.reader : reader,
    writer: Object.keys(options).length === 0 ? task.writer : options,
    targets: {},
  };
}

/** A TaskContent that was edited by hand or made elsewhere. Errors: TaskError `invalid` or `not-built`. */
export function readContent(text: string): WantedTask {
  const script = readScript(text, 'TaskContent');
  const extend = objectAt(script, 'extend', 'TaskContent.extend');
  const mode = textOrNull(extend['mode']) ?? '';
  const route = readRoute(MODES[mode], `TaskContent.extend.mode (${mode})`);
  return readWhole(script, 'TaskContent', {
    route,
    name: textOrNull(extend['name']),
    resourceGroup: textOrNull(extend['resourceGroup']) ?? '',
    load: extend['initialLoad'],
  });
}

/** `extend.disync` of a TaskContent: which plan it is of; null when it has none. Errors: TaskError `invalid` for broken JSON. */
export function readPlanMark(text: string): { readonly processId: bigint; readonly planHash: string } | null {
  const extend = readScript(text, 'TaskContent')['extend'];
  const mark = isJsonObject(extend) ? extend['disync'] : undefined;
  if (!isJsonObject(mark)) return null;
  const { processId, planHash } = mark;
  if (
    (typeof processId !== 'number' && typeof processId !== 'bigint') ||
    !Number.isInteger(Number(processId)) ||
    typeof planHash !== 'string'
  )
    return null;
  return { processId: BigInt(processId), planHash };
}

interface Outer {
  readonly route: RouteName;
  readonly name: string | null;
  readonly resourceGroup: string;
  readonly load: Json | undefined;
}

function readWhole(
  script: JsonObject,
  name: string,
  { route, name: taskName, resourceGroup, load }: Outer,
): WantedTask {
  const { reader, writer } = readSteps(script, name);
  if (writer === null) throw invalid(`${name}.steps has no writer: give a step with "category":"writer"`);
  const source = textOrNull(reader['stepType']);
  if (source !== null && source !== 'mysql')
    throw notBuilt(`${name}: a reader of stepType ${source} is not served; mysql is`);
  const sink = textOrNull(writer['stepType']);
  if (sink !== null && sink !== ROUTES[route])
    throw invalid(`${name}: the writer's stepType is ${sink}, and the route ${route} needs ${ROUTES[route]}`);
  const connection = onlyConnection(reader, name);
  const parameter = objectAt(writer, 'parameter', `the parameter of the writer in ${name}`);
  return {
    name: taskName,
    resourceGroup,
    route,
    sourceName: requiredText(connection['datasource'], `${name}: parameter.connection[0].datasource of the reader`),
    sinkName: requiredText(parameter['datasource'], `${name}: parameter.datasource of the writer`),
    ...readTables(connection, name),
    initialLoad: readLoad(load ?? 'all', `${name}: initialLoad`),
    reader: optionsOf('mysql', objectAt(reader, 'parameter', `the parameter of the reader in ${name}`)),
    writer: optionsOf(route, parameter),
    targets: readTargets(parameter, route !== 'oneclick_to_kafka'),
  };
}

function readScript(text: string, name: string): JsonObject {
  try {
    return parseJsonObject(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw invalid(`${name} is not a JSON object: ${error.message}`);
  }
}

function readRoute(value: Json | undefined, where: string): RouteName {
  if (typeof value !== 'string' || !isRoute(value))
    throw invalid(`${where} must be one of ${Object.keys(ROUTES).join(', ')}`);
  return value;
}

function isRoute(value: string): value is RouteName {
  return Object.hasOwn(ROUTES, value);
}

function readSteps(script: JsonObject, name: string): { reader: JsonObject; writer: JsonObject | null } {
  const steps = script['steps'];
  if (!Array.isArray(steps)) throw invalid(`${name}.steps is missing: give a list with the reader and the writer`);
  const of = (category: string) =>
    steps.filter(
      (step: Json): step is JsonObject =>
        isJsonObject(step) && textOrNull(step['category'])?.toLowerCase() === category,
    );
  const [reader, secondReader] = of('reader');
  const [writer, secondWriter] = of('writer');
  if (reader === undefined) throw invalid(`${name}.steps has no reader: give a step with "category":"reader"`);
  if (secondReader !== undefined || secondWriter !== undefined)
    throw invalid(`${name}.steps has more than one reader or writer`);
  return { reader, writer: writer ?? null };
}

function onlyConnection(reader: JsonObject, name: string): JsonObject {
  const parameter = objectAt(reader, 'parameter', `the parameter of the reader in ${name}`);
  const list = parameter['connection'];
  if (!Array.isArray(list) || list.length === 0)
    throw invalid(`${name}: parameter.connection of the reader must be a list with one entry`);
  if (list.length > 1)
    throw invalid(
      `${name}: one source data source per task is served; parameter.connection has ${list.length}. Make a task for each.`,
    );
  const [connection] = list as Json[];
  if (!isJsonObject(connection)) throw invalid(`${name}: parameter.connection[0] must be an object`);
  const type = textOrNull(connection['datasourceType']);
  if (type !== null && type !== 'mysql')
    throw notBuilt(`${name}: a source of datasourceType ${type} is not served; mysql is`);
  return connection;
}

/** Both forms, in any spelling; together they are one list. A table named twice is named once. */
function readTables(connection: JsonObject, name: string): Pick<WantedTask, 'form' | 'tables'> {
  const bare = TABLE_KEYS.flatMap((key) => readBare(connection[key], `${name}: ${key}`));
  const selected = SELECTED_KEYS.flatMap((key) => readSelected(connection[key], `${name}: ${key}`));
  const tables = [
    ...new Map([...bare, ...selected].map((table) => [`${table.database ?? ''}\0${table.table}`, table])).values(),
  ];
  if (tables.length === 0)
    throw invalid(
      `${name}: the list of tables is empty; name at least one in table or selectedTables (it is the wanted state, not a change)`,
    );
  return { form: selected.length > 0 ? 'selectedTables' : 'table', tables };
}

function readBare(value: Json | undefined, where: string): WantedTask['tables'] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${where} must be a list of table names`);
  return value.map((item: Json) => ({ database: null, table: tableName(item, where) }));
}

function readSelected(value: Json | undefined, where: string): WantedTask['tables'] {
  if (value === undefined || value === null) return [];
  const list = (json: Json | undefined, what: string): readonly Json[] => {
    if (!Array.isArray(json)) throw invalid(`${where}: ${what} must be a list`);
    return json as readonly Json[];
  };
  const fields = (json: Json, what: string): JsonObject => {
    if (!isJsonObject(json)) throw invalid(`${where}: ${what} must be an object`);
    return json;
  };
  return list(value, 'it').flatMap((entry) => {
    const database = fields(entry, 'an entry');
    const name = tableName(database['dbName'], `${where}: dbName`);
    return list(database['schema'], 'schema').flatMap((schema) =>
      list(fields(schema, 'an entry of schema')['tableInfos'], 'tableInfos').flatMap((info) => {
        const table = fields(info, 'an entry of tableInfos');
        if (table['enable'] === false) return [];
        return [{ database: name, table: tableName(table['table'] ?? table['tableName'], `${where}: table`) }];
      }),
    );
  });
}

/** Names of targets in a content: taken from where they stand apart, or as the one name there is; `dstTable` is never split. */
function readTargets(parameter: JsonObject, hasSchemas: boolean): Readonly<Record<string, TargetId>> {
  const rule = parameter['tableMappingRule'];
  const sources = isJsonObject(rule) && Array.isArray(rule['datasource']) ? (rule['datasource'] as Json[]) : [];
  const targets: Record<string, TargetId> = {};
  for (const source of sources) {
    const rules = isJsonObject(source) && Array.isArray(source['tableRule']) ? (source['tableRule'] as Json[]) : [];
    for (const entry of rules) {
      if (!isJsonObject(entry)) continue;
      const { srcDbName, srcTable } = entry;
      const target = readTarget(entry, hasSchemas);
      if (target === null || typeof srcDbName !== 'string' || typeof srcTable !== 'string') continue;
      targets[tableKey({ database: srcDbName, table: srcTable })] = target;
    }
  }
  return targets;
}

function readTarget(rule: JsonObject, hasSchemas: boolean): TargetId | null {
  const { dstTable, dstCreateTableInfo } = rule;
  if (!hasSchemas) return typeof dstTable === 'string' ? { schema: '', table: dstTable } : null;
  if (!isJsonObject(dstCreateTableInfo)) return null;
  const { schemaName, tableName: name } = dstCreateTableInfo;
  return typeof schemaName === 'string' && typeof name === 'string' ? { schema: schemaName, table: name } : null;
}

function optionsOf(end: 'mysql' | RouteName, parameter: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(parameter).filter(([name]) => !GENERATED[end].has(name)));
}

function readLoad(value: Json, where: string): InitialLoad {
  const load = INITIAL_LOADS.find((known) => known === value);
  if (load === undefined) throw invalid(`${where} must be one of ${INITIAL_LOADS.join(', ')}`);
  return load;
}

function tableName(value: Json | undefined, where: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(`${where} must hold names: texts that are not empty`);
  if (value.length > 64 || value.includes('\0'))
    throw invalid(`${where}: a name has at most 64 characters, and no NUL`);
  return value;
}

function objectAt(object: JsonObject, key: string, where: string): JsonObject {
  const value = object[key];
  if (!isJsonObject(value)) throw invalid(`${where} is missing, or is not an object`);
  return value;
}

function requiredText(value: Json | undefined, where: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(`${where} is missing: give a name`);
  return value;
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function fixed(what: string, now: string): TaskError {
  return invalid(`${what} cannot be changed: it is ${now}. Make a new task for another one.`);
}

export function invalid(message: string): TaskError {
  return new TaskError('invalid', 'Task.Invalid', message);
}

function notBuilt(message: string): TaskError {
  return new TaskError('not-built', 'Task.NotBuilt', message);
}
