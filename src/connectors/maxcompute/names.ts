import type { TargetId } from '../../pipeline/route.ts';
import type { TableId } from '../../pipeline/table.ts';

/** For messages only. */
export function describeTarget({ schema, table }: TargetId): string {
  return schema === '' ? `"${table}"` : `"${schema}"."${table}"`;
}

/** A text that is equal for equal targets and for no others: the service's names ignore case. */
export function targetKey({ schema, table }: TargetId): string {
  return `${schema}\0${table}`.toLowerCase();
}

/** What may stand in patterns of targets; the vendor's samples spell one of them in two ways. */
const VARIABLES: Readonly<Record<string, (table: TableId, sourceName: string) => string>> = {
  srcDatasourceName: (_, sourceName) => sourceName,
  srcDatasoureName: (_, sourceName) => sourceName,
  srcDatabaseName: ({ database }) => database,
  db: ({ database }) => database,
  srcTableName: ({ table }) => table,
  table: ({ table }) => table,
};
const VARIABLE = /\$\{([^}]*)\}/g;

/** Fills the variables of a pattern in. */
export function fillPattern(pattern: string, table: TableId, sourceName: string): string {
  return pattern.replaceAll(VARIABLE, (text, name: string) => VARIABLES[name]?.(table, sourceName) ?? text);
}

/** Variables of a pattern that are not known. */
export function unknownVariables(pattern: string): readonly string[] {
  return Array.from(pattern.matchAll(VARIABLE), ([text, name = '']) =>
    Object.hasOwn(VARIABLES, name) ? [] : [text],
  ).flat();
}
