import { inParallel } from '../../lib/in-parallel.ts';
import type { PlanTargetsOptions, SinkPlan } from '../../pipeline/connector.ts';
import type { Problem } from '../../pipeline/problem.ts';
import type { TargetId, TargetPlan } from '../../pipeline/route.ts';
import { describeTable, type TableVersion } from '../../pipeline/table.ts';
import { toPipelineError } from './errors.ts';
import { describeTarget, targetKey } from './names.ts';
import { intervalSeconds, type MaxComputeOptions, parseMaxComputeOptions } from './options.ts';
import { PartitionRule } from './partition.ts';
import { columnTypeText } from './protocol/column-type.ts';
import { type TableFacts, tableFacts } from './protocol/table-facts.ts';
import { closeService, openService, type Service, tunnelTarget } from './service.ts';
import { asMaxComputeSettings } from './settings.ts';
import { createTable } from './statements.ts';
import { sharedTargets, targetOf } from './target-names.ts';
import { plannedType } from './types.ts';
import { compareTable, nameProblems, wantedTable } from './wanted-table.ts';

const ASK_LIMIT = 8;
/** Somebody waits for the plan. */
const RETRY_FIRST_MS = 200;
/** The service advises one commit a minute and partition. */
const DELTA_SECONDS_LEAST = 60;

/** What the sink would make of these tables; reads the project's catalogue, changes nothing. */
export async function planTargets({
  settings,
  options,
  sourceName,
  tables,
  named = [],
  signal,
}: PlanTargetsOptions): Promise<SinkPlan> {
  const parsed = parseMaxComputeOptions(options);
  const maxcompute = asMaxComputeSettings(settings);
  const service = await openService(maxcompute, RETRY_FIRST_MS, signal);
  try {
    const targets = tables.map(({ id }, index) => ({ ...targetOf(id, sourceName, parsed), ...named[index] }));
    const found = await readFacts(service, targets, signal);
    const shared = sharedTargets(targets);
    return {
      server: `MaxCompute, project ${service.project}`,
      tables: tables.map((table, index) => {
        const target = targets[index] ?? { schema: '', table: '' };
        const key = targetKey(target);
        return planTarget(table, target, {
          service,
          options: parsed,
          facts: found.get(key) ?? null,
          isShared: shared.has(key),
        });
      }),
      guarantee: parsed.tableType === 'delta' ? 'converges' : 'exact',
      sharesTargets: false,
      problems: [],
      warnings: planWarnings(parsed),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw toPipelineError(error, `asking ${maxcompute.endpoint} for the tables of ${service.project}`);
  } finally {
    closeService(service);
  }
}

async function readFacts(
  service: Service,
  targets: readonly TargetId[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TableFacts | null>> {
  const found = new Map<string, TableFacts | null>();
  await inParallel(targets, ASK_LIMIT, async (target) => {
    found.set(targetKey(target), await tableFacts(service.rest, tunnelTarget(service, target), signal));
  });
  return found;
}

interface PlanTargetOptions {
  readonly service: Service;
  readonly options: MaxComputeOptions;
  readonly facts: TableFacts | null;
  readonly isShared: boolean;
}

function planTarget(table: TableVersion, target: TargetId, options: PlanTargetOptions): TargetPlan {
  const { service, facts, isShared } = options;
  const { tableType, buckets, partition } = options.options;
  const rule = PartitionRule.parse(partition);
  const wanted = wantedTable(table, tableType, rule.columns);
  const comparison = facts === null ? null : compareTable(facts, table, tableType, rule.columns);
  const where = describeTarget(target);
  const problems = [
    ...nameProblems(target.table, wanted).map((message) => asProblem('Sink.NameRefused', message)),
    ...(tableType === 'delta' && table.key.length === 0
      ? [
          asProblem(
            'Table.NoPrimaryKey',
            `${describeTable(table.id)} has no primary key, by which a Delta table has its rows`,
          ),
        ]
      : []),
    ...rule.problems(table).map((message) => asProblem('Sink.TargetMismatch', message)),
    ...(comparison?.problems ?? []).map((message) => asProblem('Sink.TargetMismatch', `${where}: ${message}`)),
    ...(isShared ? [asProblem('Sink.TargetShared', `another table goes to ${where} too`)] : []),
  ];
  const rows = facts?.rows ?? 0;
  return {
    target,
    columns: columnsOf(table, tableType, facts),
    key: wanted.key.length > 0 ? wanted.key : table.key.flatMap((index) => table.columns[index]?.name ?? []),
    createSql: createTable(tunnelTarget(service, target), wanted, { buckets, retainHours: 24 }),
    exists: facts !== null,
    rows,
    warnings: [
      ...(comparison?.warnings ?? []).map((warning) => `${where}: ${warning}`),
      ...(comparison?.missing ?? []).map(
        ({ name }) =>
          `${where} has no column "${name}": it is added at its end, or left out, as the policy ADDCOLUMN says`,
      ),
      ...(facts === null ? typeWarnings(table, tableType === 'delta') : []),
    ],
    ifForeign:
      rows > 0 || (facts !== null && facts.rows === null) ? foreignRows(where, facts?.rows ?? null, tableType) : null,
    problems,
    lacking: [],
  };
}

function foreignRows(where: string, rows: number | null, tableType: MaxComputeOptions['tableType']): string {
  const many = rows === null ? 'may hold rows' : `holds about ${rows} rows`;
  return tableType === 'delta'
    ? `${where} ${many} that this task did not write: they are kept and written over by key, and rows beyond the source’s stay`
    : `${where} ${many} that this task did not write: they are kept, and the task’s are appended`;
}

function asProblem(code: string, message: string): Problem {
  return { code, message, remedy: 'Change the target or the table’s place in the task.' };
}

/** Those of the source, as they are at the target. */
function columnsOf(table: TableVersion, form: MaxComputeOptions['tableType'], facts: TableFacts | null) {
  const there = new Map((facts?.columns ?? []).map((column) => [column.name.toLowerCase(), column]));
  return table.columns.map(({ name, type }, index) => {
    const isKey = form === 'delta' && table.key.includes(index);
    const found = there.get(name.toLowerCase());
    return {
      name: found?.name ?? name,
      type: columnTypeText(found?.type ?? plannedType(type, isKey)),
      nullable: found?.nullable ?? !isKey,
    };
  });
}

function typeWarnings(table: TableVersion, isDelta: boolean): readonly string[] {
  return table.columns.flatMap(({ name, type, sourceType }, index) => {
    const becomes = columnTypeText(plannedType(type, isDelta && table.key.includes(index)));
    if (type.kind === 'decimal' && becomes === 'string')
      return [`column "${name}" (${sourceType}) becomes string: decimal holds 38 digits, 18 of them behind the point`];
    if (type.kind === 'integer' && type.bytes === 8 && type.unsigned)
      return [`column "${name}" (${sourceType}) becomes ${becomes}, the smallest type that holds all its values`];
    if (type.kind === 'time')
      return [
        `column "${name}" (${sourceType}) becomes string: the source's values can be negative or longer than a day`,
      ];
    if (type.kind === 'bytes' && becomes === 'string')
      return [
        `key column "${name}" (${sourceType}) becomes string, in hexadecimal: binary keys have no certain bucket`,
      ];
    return [];
  });
}

function planWarnings(options: MaxComputeOptions): readonly string[] {
  const { tableType, partition } = options;
  const seconds = intervalSeconds(options);
  const rule = PartitionRule.parse(partition);
  return [
    `a change is visible up to ${seconds} s after it was made, and the time of a commit: sooner only where so many changes come that a buffer is full`,
    'this route was proven against a double of MaxCompute, and not yet against the service itself: try it on a project of your own before you rely on it',
    ...(tableType === 'delta' && seconds < DELTA_SECONDS_LEAST
      ? [
          `commitIntervalSeconds is ${seconds}: the service advises at most one commit a minute and partition of a Delta table`,
        ]
      : []),
    ...(tableType === 'delta' && rule.readsTime
      ? [
          'partition is of the time of the change: a row that is updated later is in two partitions of a Delta table, as its key is unique within one only',
        ]
      : []),
    ...(tableType === 'append'
      ? [
          'an append table gets inserted rows and the new values of updated ones; deletes leave nothing, so that it is no copy of its source; a row that changes while its table is loaded may be there twice',
        ]
      : []),
    ...(tableType === 'log'
      ? ['a log table gets every change; disync merge makes a copy of the source out of it']
      : []),
  ];
}
