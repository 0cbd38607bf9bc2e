import { fillPattern } from '../pipeline/name-pattern.ts';
import type { TargetId } from '../pipeline/route.ts';
import { type TableId, tableKey } from '../pipeline/table.ts';

/** How one part of a target is named. */
export interface NameRule {
  /** With variables. */
  readonly expression: string;
  /** What becomes of the value of a variable before it is filled in, in this order: each place of `from` becomes `to`. */
  readonly changes: readonly { readonly variable: string; readonly from: string; readonly to: string }[];
}

/** How targets are named. Null: as the writer's options say. */
export interface NameRules {
  readonly schema: NameRule | null;
  readonly table: NameRule | null;
}

/** A table whose target a task names itself. */
export interface NamedTable {
  readonly table: TableId;
  readonly target: Partial<TargetId>;
}

export function nameTarget(
  { schema, table }: NameRules,
  of: { readonly table: TableId; readonly sourceName: string },
): Partial<TargetId> {
  return {
    ...(schema === null ? {} : { schema: fill(schema, of) }),
    ...(table === null ? {} : { table: fill(table, of) }),
  };
}

function fill({ expression, changes }: NameRule, of: { readonly table: TableId; readonly sourceName: string }): string {
  return fillPattern(expression, of, (value, variable) =>
    changes.reduce(
      (text, change) => (change.variable === variable ? text.replaceAll(change.from, () => change.to) : text),
      value,
    ),
  );
}

/**
 * What is named of the targets of these tables; null of each where nothing is. A server that ignores case may spell a table in
 * another way than it was asked for.
 */
export function namedOf(tables: readonly TableId[], names: readonly NamedTable[]): (Partial<TargetId> | null)[] {
  if (names.length === 0) return tables.map(() => null);
  const exact = new Map(names.map(({ table, target }) => [tableKey(table), target]));
  const anyCase = new Map(names.map(({ table, target }) => [tableKey(table).toLowerCase(), target]));
  return tables.map((table) => {
    const found = exact.get(tableKey(table)) ?? anyCase.get(tableKey(table).toLowerCase());
    if (found === undefined) throw new Error(`nothing names the target of ${table.database}.${table.table}`);
    return found;
  });
}
