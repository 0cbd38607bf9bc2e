import type { Client } from 'pg';
import type { PlanTargetsOptions, SinkPlan } from '../../pipeline/connector.ts';
import { fillPattern } from '../../pipeline/name-pattern.ts';
import type { Problem } from '../../pipeline/problem.ts';
import type { TargetId, TargetPlan } from '../../pipeline/route.ts';
import type { Column, TableVersion } from '../../pipeline/table.ts';
import { CHECKPOINT_SCHEMA } from './checkpoint-table.ts';
import { describeTarget, targetKey } from './names.ts';
import { asHologresSettings, parseHologresOptions, type HologresOptions } from './options.ts';
import type { Server } from './server.ts';
import { estimateRows, missingSchemas, readTargets, type ExistingTarget } from './target-catalogue.ts';
import { createStatements, keyNames, mismatches, nameProblems, planColumns, sharedTargets } from './target-plan.ts';
import { withClient } from './with-client.ts';

/** Where a source table goes. */
export function targetOf(table: TableVersion['id'], sourceName: string, options: HologresOptions): TargetId {
  return {
    schema: fillPattern(options.schema, { table, sourceName }),
    table: fillPattern(options.table, { table, sourceName }),
  };
}

/** What the sink would make of these tables; reads the target's catalogue, changes nothing. */
export async function planTargets({
  settings,
  options,
  sourceName,
  tables,
  named = [],
  signal,
}: PlanTargetsOptions): Promise<SinkPlan> {
  const parsed = parseHologresOptions(options);
  const targets = tables.map(({ id }, index) => ({ ...targetOf(id, sourceName, parsed), ...named[index] }));
  const doing = 'reading the target’s catalogue';
  return withClient(asHologresSettings(settings), { signal, doing }, ({ client, server }) =>
    plan(client, server, parsed, tables, targets),
  );
}

async function plan(
  client: Client,
  server: Server,
  options: HologresOptions,
  tables: readonly TableVersion[],
  targets: readonly TargetId[],
): Promise<SinkPlan> {
  const existing = await readTargets(client, targets);
  const rows = await estimateRows(client, [...existing.values()]);
  const missing = new Set(await missingSchemas(client, [...new Set(targets.map(({ schema }) => schema))]));
  const shared = sharedTargets(targets);
  const exact = server.kind === 'postgresql' && (await canHoldCheckpoint(client));
  const plans = tables.map((table, index) => {
    const target = targets[index] ?? { schema: '', table: '' };
    const found = existing.get(targetKey(target)) ?? null;
    return planTarget({
      table,
      target,
      server,
      found,
      rows: rows.get(targetKey(target)) ?? 0,
      properties: options.tableProperties,
      createSchema: missing.has(target.schema) && targets.findIndex(({ schema }) => schema === target.schema) === index,
      shared: shared.has(targetKey(target)),
    });
  });
  return {
    server: server.name,
    tables: plans,
    guarantee: exact ? 'exact' : 'converges',
    sharesTargets: false,
    problems: [],
    warnings: [...checkpointWarnings(server, exact), ...pathWarnings(server, options)],
  };
}

interface PlanTargetOptions {
  readonly table: TableVersion;
  readonly target: TargetId;
  readonly server: Server;
  readonly found: ExistingTarget | null;
  readonly rows: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly createSchema: boolean;
  readonly shared: boolean;
}

function planTarget(options: PlanTargetOptions): TargetPlan {
  const { table, target, server, found, rows } = options;
  const names = nameProblems(table, target).map((problem) => asProblem('Sink.NameTooLong', problem));
  const all = found === null ? [] : mismatches(table, found);
  const shape = new Set(found === null ? [] : mismatches(table, found, true));
  const mismatch = (problem: string) => asProblem('Sink.TargetMismatch', problem);
  const twice = options.shared
    ? [asProblem('Sink.TargetShared', `another table goes to ${describeTarget(target)} too`)]
    : [];
  return {
    target,
    columns: found === null ? planColumns(table, server) : existingColumns(table, found),
    key: keyNames(table),
    createSql: createStatements(options)
      .map((sql) => `${sql};`)
      .join('\n'),
    exists: found !== null,
    rows,
    warnings: found === null ? typeWarnings(table, server) : [],
    ifForeign:
      rows > 0
        ? `${describeTarget(target)} holds about ${rows} rows that this task did not write: they are kept and written over by key, and rows beyond the source’s stay`
        : null,
    problems: [...names, ...Array.from(shape, mismatch), ...twice],
    lacking: all.filter((problem) => !shape.has(problem)).map(mismatch),
  };
}

function asProblem(code: string, message: string): Problem {
  return { code, message, remedy: 'Change the target or the table’s place in the task.' };
}

function existingColumns(table: TableVersion, found: ExistingTarget) {
  const wanted = new Set(table.columns.map(({ name }) => name));
  return found.columns
    .filter(({ name }) => wanted.has(name))
    .map(({ name, sql, nullable }) => ({ name, type: sql, nullable }));
}

function typeWarnings(table: TableVersion, server: Server): readonly string[] {
  return table.columns.flatMap((column, index) => columnWarning(column, table.key.includes(index), server) ?? []);
}

function columnWarning({ name, type, sourceType }: Column, isKey: boolean, server: Server): string | null {
  if (
    server.kind === 'hologres' &&
    isKey &&
    (type.kind === 'decimal' || type.kind === 'float' || type.kind === 'double')
  ) {
    return `key column "${name}" (${sourceType}) becomes text: Hologres takes no such type in a primary key`;
  }
  if (type.kind === 'integer' && type.bytes === 8 && type.unsigned) {
    return server.kind === 'hologres' && isKey
      ? `key column "${name}" (${sourceType}) becomes text: Hologres takes no numeric in a primary key`
      : `column "${name}" (${sourceType}) becomes numeric(20,0), the smallest type that holds all its values`;
  }
  if (type.kind === 'decimal' && type.precision > 38)
    return `column "${name}" (${sourceType}) becomes text: it has more than 38 digits`;
  if (type.kind === 'time')
    return `column "${name}" (${sourceType}) becomes text: the source's values can be negative or longer than a day`;
  if (type.kind === 'instant' && type.fraction > 3 && server.kind === 'hologres') {
    return `column "${name}" (${sourceType}) keeps milliseconds only`;
  }
  return null;
}

function checkpointWarnings(server: Server, exact: boolean): readonly string[] {
  if (exact || server.kind === 'hologres') return [];
  return [
    `the account may not create the schema "${CHECKPOINT_SCHEMA}" in the target, so that the checkpoint is kept apart from the rows: a restart repeats changes, and converges`,
  ];
}

function pathWarnings(server: Server, options: HologresOptions): readonly string[] {
  if (server.kind === 'hologres' && options.writePath === 'staging') {
    return ['writePath staging needs PostgreSQL; fixed is used on Hologres'];
  }
  return [];
}

async function canHoldCheckpoint(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ can: boolean }>(
    `SELECT CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
       WHEN to_regclass($1 || '.checkpoint') IS NULL OR to_regclass($1 || '.checkpoint_table') IS NULL
         THEN has_schema_privilege($1, 'CREATE')
       ELSE has_schema_privilege($1, 'USAGE') AND has_table_privilege($1 || '.checkpoint', 'SELECT, INSERT, UPDATE, DELETE')
         AND has_table_privilege($1 || '.checkpoint_table', 'SELECT, INSERT, UPDATE, DELETE') END AS can`,
    [CHECKPOINT_SCHEMA],
  );
  return rows[0]?.can === true;
}
