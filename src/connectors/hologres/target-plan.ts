import type { Column, TableVersion } from '../../pipeline/table.ts';
import type { TargetColumn, TargetId } from '../../pipeline/route.ts';
import { describeTarget, nameProblem, quoteName, quoteTarget, quoteText, targetKey } from './names.ts';
import type { Server } from './server.ts';
import type { ExistingTarget } from './target-catalogue.ts';
import { acceptedTypes, BASE_TYPES, plannedType } from './types.ts';

/** The columns that a missing target gets, in the source's order. */
export function planColumns(table: TableVersion, server: Server): readonly TargetColumn[] {
  return table.columns.map((column, index) => {
    const { sql, nullable } = planColumn(table, column, index, server);
    return { name: column.name, type: sql, nullable };
  });
}

/** What one column of a table becomes. */
export function planColumn(table: TableVersion, column: Column, index: number, server: Server) {
  return plannedType(column, { isKey: table.key.includes(index), keyOfHologres: server.kind === 'hologres' });
}

export interface CreateOptions {
  readonly table: TableVersion;
  readonly target: TargetId;
  readonly server: Server;
  readonly properties: Readonly<Record<string, string>>;
  readonly createSchema: boolean;
}

/** The statements that make a missing target, in order; on Hologres within one DDL transaction. */
export function createStatements({
  table,
  target,
  server,
  properties,
  createSchema,
}: CreateOptions): readonly string[] {
  const columns = planColumns(table, server).map(
    ({ name, type, nullable }) => `  ${quoteName(name)} ${type}${nullable ? '' : ' NOT NULL'}`,
  );
  const key = keyNames(table).map(quoteName).join(', ');
  const create = `CREATE TABLE IF NOT EXISTS ${quoteTarget(target)} (\n${columns.join(',\n')},\n  PRIMARY KEY (${key})\n)`;
  const schema = createSchema ? [`CREATE SCHEMA IF NOT EXISTS ${quoteName(target.schema)}`] : [];
  if (server.kind === 'postgresql') return [...schema, create];
  const calls = Object.entries(properties).map(
    ([name, value]) =>
      `CALL set_table_property(${quoteText(quoteTarget(target))}, ${quoteText(name)}, ${quoteText(value)})`,
  );
  return [...schema, 'BEGIN', create, ...calls, 'COMMIT'];
}

export function keyNames(table: TableVersion): readonly string[] {
  return table.key.map((index) => table.columns[index]?.name ?? '');
}

/** What is wrong with the names of a target that we would create or write. */
export function nameProblems(table: TableVersion, target: TargetId): readonly string[] {
  const problems = [
    nameProblem('the schema name', target.schema),
    nameProblem('the table name', target.table),
    ...table.columns.map(({ name }) => nameProblem('the column name', name)),
  ];
  return problems.flatMap((problem) => problem ?? []);
}

/** Targets that more than one source table would go to, by targetKey. */
export function sharedTargets(targets: readonly TargetId[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(targets.map(targetKey).filter((key) => seen.size === seen.add(key).size));
}

/**
 * Why an existing target cannot take the rows of a table; empty when it can. `leavesOut`: columns that the target lacks
 * are left out, as the policy for added columns says.
 */
export function mismatches(table: TableVersion, existing: ExistingTarget, leavesOut = false): readonly string[] {
  const where = describeTarget(existing.target);
  if (!existing.isTable) return [`${where} is not a table`];
  const byName = new Map(existing.columns.map((column) => [column.name, column]));
  const problems: string[] = [];
  for (const [index, column] of table.columns.entries()) {
    const found = byName.get(column.name);
    if (found === undefined) {
      if (!leavesOut || table.key.includes(index)) problems.push(`${where} has no column "${column.name}"`);
    } else if (found.generated) {
      problems.push(`${where}: column "${column.name}" is generated there and cannot be written`);
    } else if (BASE_TYPES[found.baseType] === undefined || !acceptedTypes(column.type).includes(found.baseType)) {
      problems.push(`${where}: column "${column.name}" is ${found.sql}, which cannot hold ${column.sourceType}`);
    }
    byName.delete(column.name);
  }
  for (const { name, nullable, hasDefault, generated } of byName.values()) {
    if (!nullable && !hasDefault && !generated)
      problems.push(`${where}: column "${name}" is NOT NULL, and the source has no such column`);
  }
  const key = new Set(keyNames(table));
  if (!existing.keys.some((names) => names.length === key.size && names.every((name) => key.has(name)))) {
    problems.push(`${where} has no primary key or unique index over (${keyNames(table).join(', ')})`);
  }
  return problems;
}
