import { hash } from 'node:crypto';
import { canonicalJson, stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import {
  SettingsError,
  type SinkConnector,
  type SinkPlan,
  type SourceConnector,
  type SourceDescription,
  type TableDescription,
} from '../pipeline/connector.ts';
import { PipelineError } from '../pipeline/pipeline-error.ts';
import type { Problem } from '../pipeline/problem.ts';
import type { TargetId } from '../pipeline/route.ts';
import { type Column, describeTable, type TableId, tableKey, type TableVersion } from '../pipeline/table.ts';
import { optionChanges } from './option-changes.ts';
import { writeContent } from './script-writer.ts';
import type { DefinedTable, TaskDefinition, WantedTask } from './task-definition.ts';
import { namedOf } from './target-names.ts';
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
 * servers must be told. Changes nothing. Errors: PlanFailure with all problems, of both ends.
 */
export async function planTask(options: PlanOptions): Promise<ProcessResult> {
  const { wanted, base } = options;
  const before = new Map((base?.definition.tables ?? []).map((table) => [tableKey(table.table), table]));
  const load = loadOfNew(wanted, base !== null);
  const problems: Problem[] = [];
  const looked = await look(options, load === 'full', problems);
  if (looked === null) throw new PlanFailure(problems);
  const { found, described, plan } = looked;
  problems.push(...plan.problems, ...targetProblems(described, plan, before));
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
  const { tables: _, targets: __, names: ___, ...rest } = wanted;
  const definition: TaskDefinition = { ...rest, tables };
  return write(options, definition, described, found, plan);
}

/** Asks both ends. What stands in the way is added to `problems`; null when one of them cannot be asked. */
async function look(
  { wanted, ends: { source, sink }, signal }: PlanOptions,
  load: boolean,
  problems: Problem[],
): Promise<{ found: SourceDescription; described: readonly TableDescription[]; plan: SinkPlan } | null> {
  const ids = resolveTables(wanted, source);
  readOptions('reader', source.connector, wanted.reader, problems);
  const writer = readOptions('writer', sink.connector, wanted.writer, problems);
  // While the writer's options are wrong, nobody knows what it takes.
  const withoutKey = writer === null || sink.connector.takesTablesWithoutKey(writer);
  const found = await orProblem(
    source.connector.describe({ settings: source.settings, tables: ids, load, withoutKey, signal }),
    problems,
  );
  problems.push(...(found?.problems ?? []));
  const refused = new Set(found?.problems.flatMap(({ table }) => (table === undefined ? [] : [tableKey(table)])));
  const described = unique(found?.tables ?? []).filter(({ table }) => !refused.has(tableKey(table.id)));
  if (writer === null) return null;
  const planning = sink.connector.planTargets({
    settings: sink.settings,
    options: wanted.writer,
    sourceName: wanted.sourceName,
    tables: described.map(({ table }) => table),
    named: namedOf(
      described.map(({ table }) => table.id),
      wanted.names ?? [],
    ),
    signal,
  });
  const plan = await orProblem(planning, problems);
  return found === null || plan === null ? null : { found, described, plan };
}

/** Null, and the reason in `problems`, when a server cannot be asked. */
async function orProblem<T>(question: Promise<T>, problems: Problem[]): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    problems.push(problemOf(error));
    return null;
  }
}

/** An error of an end, as a plan tells it. */
export function problemOf({ kind, code, message, hint }: PipelineError): Problem {
  const remedy =
    kind === 'transient'
      ? 'Check its address and that it is up, then plan again.'
      : (hint ?? 'Correct it, then plan again.');
  return { code, message, remedy };
}

function write(
  options: PlanOptions,
  definition: TaskDefinition,
  described: readonly TableDescription[],
  found: SourceDescription,
  plan: SinkPlan,
): ProcessResult {
  const { base, ends, filled, processId } = options;
  const before = new Map((base?.definition.tables ?? []).map((table) => [tableKey(table.table), table]));
  const after = new Set(definition.tables.map(({ table }) => tableKey(table)));
  const removed = [...before.values()].filter(({ table }) => !after.has(tableKey(table)));
  const entries = definition.tables.map((table, index) => {
    const isNew = !before.has(tableKey(table.table));
    return { isNew, json: planEntry(table, described[index], plan.tables[index], { isNew, filled }) };
  });
  const warnings = [
    ...found.warnings,
    ...plan.warnings,
    ...(base === null
      ? []
      : optionChanges(base.definition, definition, { reader: ends.source.connector, writer: ends.sink.connector })),
  ];
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
  const planHash = hash('sha256', canonicalJson(definition as unknown as Json) + text).slice(0, 32);
  const mark = processId === null ? null : { processId: Number(processId), baseVersion: base?.version ?? 0, planHash };
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
  { isNew, filled }: { readonly isNew: boolean; readonly filled: readonly TargetId[] },
): Json {
  const rows = target?.rows ?? 0;
  const isOurs = filled.some(({ schema, table }) => schema === defined.target.schema && table === defined.target.table);
  const foreign = isNew && !isOurs ? (target?.ifForeign ?? null) : null;
  // Of a kept table: a new one is refused for it.
  const pending = (target?.lacking ?? []).map(
    ({ message }) => `${message} yet: it is added with the next change, or left out, as the policy ADDCOLUMN says`,
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
    warnings: [
      ...(described?.warnings ?? []),
      ...(target?.warnings ?? []),
      ...(foreign === null ? [] : [foreign]),
      ...pending,
    ],
  };
}

/** A target that exists has its columns in an order of its own. */
function columnNamed(table: TableVersion | undefined, name: string): Column | undefined {
  return table?.columns.find((column) => column.name === name);
}

function resolveTables({ tables }: WantedTask, source: PlanEnds['source']): TableId[] {
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
  return initialLoad === 'all' || initialLoad === 'only' || (initialLoad === 'added' && isUpdate) ? 'full' : 'none';
}

/** Null, and the reason in `problems`, when they are wrong. */
function readOptions(
  step: 'reader' | 'writer',
  connector: Pick<SourceConnector | SinkConnector, 'parseOptions'>,
  parameter: Json,
  problems: Problem[],
): Json | null {
  try {
    return connector.parseOptions(parameter);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push({
      code: step === 'reader' ? 'Task.ReaderOption' : 'Task.WriterOption',
      message: error.message,
      remedy: `Correct ${error.parameter} in the ${step}'s parameter.`,
    });
    return null;
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
    return [...target.problems, ...(isKept ? [] : target.lacking)].map(({ message, ...rest }) => ({
      ...rest,
      message: id === undefined ? message : `${describeTable(id)}: ${message}`,
    }));
  });
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
