import { inParallel } from '../../lib/in-parallel.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { SinkTable } from '../../pipeline/route.ts';
import type { FailedTables } from '../../pipeline/sink.ts';
import { describeTable, type TableId } from '../../pipeline/table.ts';
import { isRefusal, toPipelineError } from './errors.ts';
import { describeTarget } from './names.ts';
import type { MaxComputeOptions } from './options.ts';
import type { PartitionRule } from './partition.ts';
import { PartitionLimits } from './partition-limits.ts';
import { partitionsOf } from './protocol/project-facts.ts';
import { runSql } from './protocol/sql-instance.ts';
import { type TableFacts, tableFacts } from './protocol/table-facts.ts';
import { type Service, tunnelTarget } from './service.ts';
import { addColumns, createTable, DELTA_DEFAULTS, statementSettings } from './statements.ts';
import { Target } from './target.ts';
import { compareTable, isLog, nameProblems, wantedTable } from './wanted-table.ts';

/** Statements at the same time. */
const PREPARE_LIMIT = 8;

export interface PrepareOptions {
  readonly service: Service;
  readonly options: MaxComputeOptions;
  readonly partitions: PartitionRule;
  readonly tables: readonly SinkTable[];
  /** Columns that a target lacks are left out instead of added: added columns are not forwarded. */
  readonly leavesOut: boolean;
  readonly signal: AbortSignal;
}

export interface Prepared {
  readonly targets: readonly Target[];
  readonly failed: FailedTables;
}

/** Creates the targets that are missing and makes the others fit. Errors: PipelineError. */
export async function prepareTargets(prepare: PrepareOptions): Promise<Prepared> {
  const targets: Target[] = [];
  const failed: { table: TableId; error: PipelineError }[] = [];
  await inParallel(prepare.tables, PREPARE_LIMIT, async (table) => {
    const { id } = table.table;
    try {
      targets.push(await prepareTarget(table, prepare));
    } catch (error) {
      const about = isRefusal(error) ? { table: id } : {};
      const found = toPipelineError(error, `preparing ${describeTarget(table.target)}`, about);
      if (found.kind !== 'table') throw found;
      failed.push({ table: id, error: found });
    }
  });
  return { targets, failed };
}

async function prepareTarget(sinkTable: SinkTable, prepare: PrepareOptions): Promise<Target> {
  const { service, options, partitions, leavesOut, signal } = prepare;
  const { table, target } = sinkTable;
  const { tableType, buckets } = options;
  const name = tunnelTarget(service, target);
  const wanted = wantedTable(table, tableType, partitions.columns);
  if (tableType === 'delta' && table.key.length === 0)
    throw new PipelineError('table', 'Table.NoPrimaryKey', `${describeTable(table.id)} has no primary key`, {
      table: table.id,
      hint: 'Add a primary key, by which a Delta table has its rows; or write a log.',
    });
  const run = (query: string) => runSql(service.rest, { ...name, query, settings: statementSettings(name) }, signal);
  const look = () => tableFacts(service.rest, name, signal);
  let facts = await look();
  if (facts === null) {
    const problems = [...nameProblems(target.table, wanted), ...partitions.problems(table)];
    if (problems.length > 0) throw nameRefused(sinkTable, problems);
    await run(createTable(name, wanted, { ...DELTA_DEFAULTS, buckets }));
    facts = await look();
  }
  const { missing, problems } = compared(facts, sinkTable, prepare);
  const isUnfit = problems.length > 0 || missing.some((column) => wanted.key.includes(column.name));
  if (facts === null || isUnfit)
    throw mismatch(sinkTable, [...problems, ...missing.map((column) => `it has no column "${column.name}"`)]);
  if (missing.length > 0 && !leavesOut) {
    await run(addColumns(name, missing));
    facts = (await look()) ?? facts;
  }
  const known = partitions.columns.length === 0 ? [] : await partitionsOf(service.rest, name, signal);
  // Whoever made a table with the columns of a log wants all that happens, not the new values alone.
  const form = tableType === 'append' && isLog(facts) ? 'log' : tableType;
  return new Target(sinkTable, form, { facts, limits: new PartitionLimits(table.id, known) });
}

function compared(facts: TableFacts | null, { table }: SinkTable, { options, partitions }: PrepareOptions) {
  if (facts === null) return { missing: [], problems: ['it is missing'] };
  const { missing, problems } = compareTable(facts, table, options.tableType, partitions.columns);
  return { missing, problems: [...problems, ...partitions.problems(table)] };
}

function mismatch({ table, target }: SinkTable, problems: readonly string[]): PipelineError {
  return new PipelineError('table', 'Sink.TargetMismatch', `${describeTarget(target)}: ${problems.join('; ')}`, {
    table: table.id,
    hint: 'Give the target the columns, the key and the partitions of the plan, or drop it so that it is created; then deploy again.',
  });
}

function nameRefused({ table }: SinkTable, problems: readonly string[]): PipelineError {
  return new PipelineError('table', 'Sink.NameRefused', problems.join('; '), {
    table: table.id,
    hint: 'Name the target by the writer options schema and table, or leave this table out.',
  });
}
