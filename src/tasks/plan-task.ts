import { createHash } from 'node:crypto';
import { canonicalJson, stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import {
  type Problem,
  SettingsError,
  type SinkConnector,
  type SinkPlan,
  type SourceConnector,
  type SourceDescription,
  type TableDescription,
} from '../pipeline/connector.ts';
import type { TargetId } from '../pipeline/route.ts';
import { type Column, describeTable, type TableId, tableKey, type TableVersion } from '../pipeline/table.ts';
import { writeContent } from './script-writer.ts';
import type { DefinedTable, TaskDefinition, WantedTask } from './task-definition.ts';
import type { ProcessResult } from './task-store.ts';

/** How the two ends of a plan are reached. */
export interface PlanEnds {
  readonly source: { readonly connector: SourceConnector; readonly settings: Json };
  readonly sink: { readonly connector: SinkConnector; readonly settings: Json };
}

export interface PlanOptions {
  readonly wanted: WantedTask;
  readonly ends: PlanEnds;
  /** The saved version that the plan is against; null for a new task. */
  readonly base: { readonly version: number; readonly definition: TaskDefinition } | null;
  /** Targets that this task filled before. */
  readonly filled: readonly TargetId[];
  /** The process that plans; null when a call plans by itself. */
  readonly processId: bigint | null;
  readonly signal: AbortSignal;
}

/** What stands in the way of a plan: everything at once. */
export class PlanFailure extends Error {
  override readonly name = 'PlanFailure';

  constructor(problems: readonly Pick<Problem, 'code' | 'message' | 'remedy'>[]) {
    super(problems.map(({ code, message, remedy }) => `${code}: ${message.replace(/\.$/, '')}. ${remedy}`).join(' | '));
  }
}

/**
 * Looks at both servers and makes the wanted version: which tables join, leave and stay, where they go, and what the
 * servers must be told. Changes nothing. Errors: PlanFailure with all problems; PipelineError when a server cannot be asked.
 */
export async function planTask(options: PlanOptions): Promise<ProcessResult> {
  const { wanted, ends, base, signal } = options;
  const ids = resolveTables(wanted, ends);
  const before = new Map((base?.definition.tables ?? []).map((table) => [tableKey(table.table), table]));
  const load = loadOfNew(wanted, base !== null);
  readOptions('Task.ReaderOption', ends.source.connector, wanted.reader);
  const writer = readOptions('Task.WriterOption', ends.sink.connector, wanted.writer);
  const found = await ends.source.connector.describe({
    settings: ends.source.settings,
    tables: ids,
    load: load === 'full',
    withoutKey: ends.sink.connector.takesTablesWithoutKey(writer),
    signal,
  });
  if (found.problems.length > 0) throw new PlanFailure(found.problems);
  const described = unique(found.tables);
  const plan = await ends.sink.connector.planTargets({
    settings: ends.sink.settings,
    options: writer,
    sourceName: wanted.sourceName,
    tables: described.map(({ table }) => table),
    signal,
  });
  const problems = targetProblems(described, plan, before);
  const version = (base?.version ?? 0) + 1;
  const tables = described.map(({ table }, index): DefinedTable => {
    const target = plan.tables[index];
    if (target === undefined) throw new Error('a table without a plan of its target');
    const kept = before.get(tableKey(table.id));
    return {
      table: table.id,
      target: kept?.target ?? target.target,
      key: target.key,
      load: kept?.load ?? load,
      since: kept?.since ?? version,
      columns: target.columns.map((column) => ({ ...column, comment: columnNamed(table, column.name)?.comment ?? '' })),
    };
  });
  problems.push(...(plan.sharesTargets ? [] : collisions(tables)), ...moved(tables, wanted));
  if (problems.length > 0) throw new PlanFailure(problems);
  const { tables: _, targets: __, ...rest } = wanted;
  const definition: TaskDefinition = { ...rest, tables };
  return write(options, definition, described, found, plan);
}

function write(
  options: PlanOptions,
  definition: TaskDefinition,
  described: readonly TableDescription[],
  found: SourceDescription,
  plan: SinkPlan,
): ProcessResult {
  const { base, filled, processId } = options;
  const before = new Map((base?.definition.tables ?? []).map((table) => [tableKey(table.table), table]));
  const after = new Set(definition.tables.map(({ table }) => tableKey(table)));
  const removed = [...before.values()].filter(({ table }) => !after.has(tableKey(table)));
  const entries = definition.tables.map((table, index) => ({
    isNew: !before.has(tableKey(table.table)),
    json: planEntry(table, described[index], plan.tables[index], filled),
  }));
  const warnings = [...found.warnings, ...plan.warnings];
  const message =
    base !== null && removed.length * 2 > before.size
      ? `the plan removes ${removed.length} of ${before.size} tables: the list is the wanted state, not a change`
      : null;
  const text = stringifyJson({
    load: definition.initialLoad,
    guarantee: plan.guarantee,
    server: found.server,
    sinkServer: plan.server,
    tables: {
      added: entries.filter(({ isNew }) => isNew).map(({ json }) => json),
      removed: removed.map(({ table, target }) => ({
        database: table.database,
        table: table.table,
        target: { ...target },
      })),
      kept: entries.filter(({ isNew }) => !isNew).map(({ json }) => json),
    },
    warnings: message === null ? warnings : [message, ...warnings],
  });
  const hash = createHash('sha256')
    .update(canonicalJson(definition as unknown as Json))
    .update(text)
    .digest('hex')
    .slice(0, 32);
  const mark =
    processId === null ? null : { processId: Number(processId), baseVersion: base?.version ?? 0, planHash: hash };
  return {
    content: writeContent(definition, mark),
    plan: text,
    definition,
    shown: {
      added: definition.tables.filter(({ table }) => !before.has(tableKey(table))).map(({ table }) => tableKey(table)),
      removed: removed.map(({ table }) => tableKey(table)),
    },
    message,
  };
}

function planEntry(
  defined: DefinedTable,
  described: TableDescription | undefined,
  target: SinkPlan['tables'][number] | undefined,
  filled: readonly TargetId[],
): Json {
  const rows = target?.rows ?? 0;
  const isOurs = filled.some(({ schema, table }) => schema === defined.target.schema && table === defined.target.table);
  const foreign =
    rows > 0 && !isOurs
      ? [
          `the target has ${rows} rows that this task did not write: they are kept and written over by key, and rows beyond the source's stay`,
        ]
      : [];
  // Of a kept table: a new one is refused for it.
  const pending = (target?.lacking ?? []).map(
    (problem) =>
      `${readProblem(problem).message} yet: it is added with the next change, or left out, as the policy ADDCOLUMN says`,
  );
  return {
    database: defined.table.database,
    table: defined.table.table,
    rowsEstimated: described?.rowsEstimated ?? 0,
    key: [...defined.key],
    target: { ...defined.target },
    createSql: target?.createSql ?? '',
    columns: defined.columns.map(({ name, type, nullable }) => ({
      name,
      sourceType: columnNamed(described?.table, name)?.sourceType ?? '',
      targetType: type,
      nullable,
    })),
    load: defined.load,
    exists: target?.exists ?? false,
    targetRows: rows,
    warnings: [...(described?.warnings ?? []), ...(target?.warnings ?? []), ...foreign, ...pending],
  };
}

/** A target that exists has its columns in an order of its own. */
function columnNamed(table: TableVersion | undefined, name: string): Column | undefined {
  return table?.columns.find((column) => column.name === name);
}

function resolveTables({ tables }: WantedTask, { source }: PlanEnds): TableId[] {
  const fallback = source.connector.defaultDatabase(source.settings);
  return tables.map(({ database, table }) => {
    const name = database ?? fallback;
    if (name === null) {
      throw new PlanFailure([
        {
          code: 'Task.NoDatabase',
          message: `table ${table} is named without a database, and the data source names none either`,
          remedy: 'Use selectedTables with dbName, or give the data source a database.',
        },
      ]);
    }
    return { database: name, table };
  });
}

/** What new tables of this version do with their existing rows. */
function loadOfNew({ initialLoad }: WantedTask, isUpdate: boolean): 'full' | 'none' {
  return initialLoad === 'all' || (initialLoad === 'added' && isUpdate) ? 'full' : 'none';
}

function readOptions(
  code: 'Task.ReaderOption' | 'Task.WriterOption',
  connector: Pick<SourceConnector | SinkConnector, 'parseOptions'>,
  parameter: Json,
): Json {
  try {
    return connector.parseOptions(parameter);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new PlanFailure([
      {
        code,
        message: error.message,
        remedy: `Correct ${error.parameter} in the ${code === 'Task.ReaderOption' ? 'reader' : 'writer'}'s parameter.`,
      },
    ]);
  }
}

/** Two spellings of one table are one table. */
function unique(tables: readonly TableDescription[]): TableDescription[] {
  return [...new Map(tables.map((described) => [tableKey(described.table.id), described])).values()];
}

function targetProblems(
  described: readonly { readonly table: TableVersion }[],
  plan: SinkPlan,
  before: ReadonlyMap<string, DefinedTable>,
): Problem[] {
  return plan.tables.flatMap((target, index) => {
    const id = described[index]?.table.id;
    const isKept = id !== undefined && before.has(tableKey(id));
    return [...target.problems, ...(isKept ? [] : target.lacking)].map((problem): Problem => {
      const { code, message } = readProblem(problem);
      return {
        code,
        message: id === undefined ? message : `${describeTable(id)}: ${message}`,
        remedy: 'Change the target or the table’s place in the task.',
      };
    });
  });
}

function readProblem(problem: string): { code: string; message: string } {
  const [, code = 'Sink.Target', message = problem] = /^([A-Z]\w*\.\w+):\s*(.*)$/s.exec(problem) ?? [];
  return { code, message };
}

/** A target that a script names itself is the planned one, or refused: never silently another. */
function moved(tables: readonly DefinedTable[], { targets }: WantedTask): Problem[] {
  return tables.flatMap(({ table, target }): Problem[] => {
    const named = targets[tableKey(table)];
    if (named === undefined || (named.schema === target.schema && named.table === target.table)) return [];
    return [
      {
        code: 'Task.TargetFixed',
        message: `${describeTable(table)}: the script names the target ${nameOf(named)}, and it goes to ${nameOf(target)}`,
        remedy: 'Leave the target as it was generated, or choose it by the writer’s options.',
      },
    ];
  });
}

function collisions(tables: readonly DefinedTable[]): Problem[] {
  const byTarget = Map.groupBy(tables, ({ target }) => JSON.stringify([target.schema, target.table]));
  return [...byTarget.values()].flatMap((same): Problem[] => {
    const [first] = same;
    if (first === undefined || same.length < 2) return [];
    return [
      {
        code: 'Task.TargetCollision',
        message: `${same.map(({ table }) => describeTable(table)).join(' and ')} would both go to ${nameOf(first.target)}`,
        remedy:
          'Let the writer option that names targets (schema, topic) tell them apart, by ${srcDatabaseName} say, or put them into tasks of their own.',
      },
    ];
  });
}

function nameOf({ schema, table }: TargetId): string {
  return schema === '' ? table : `${schema}.${table}`;
}
