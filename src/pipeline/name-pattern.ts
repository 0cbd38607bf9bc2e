import type { TableId } from './table.ts';

/** What may stand in patterns of names at the sink; the vendor's samples spell one of them in two ways. */
const VARIABLES: Readonly<Record<string, (table: TableId, sourceName: string) => string>> = {
  srcDatasourceName: (_, sourceName) => sourceName,
  srcDatasoureName: (_, sourceName) => sourceName,
  srcDatabaseName: ({ database }) => database,
  db: ({ database }) => database,
  srcTableName: ({ table }) => table,
  table: ({ table }) => table,
};
const VARIABLE = /\$\{([^}]*)\}/g;

/** Fills the variables of a pattern in; `change` makes of the value of one what is filled in. */
export function fillPattern(
  pattern: string,
  { table, sourceName }: { readonly table: TableId; readonly sourceName: string },
  change: (value: string, variable: string) => string = (value) => value,
): string {
  return pattern.replaceAll(VARIABLE, (text, name: string) => {
    const value = VARIABLES[name]?.(table, sourceName);
    return value === undefined ? text : change(value, name);
  });
}

/** Variables of a pattern that are not known. */
export function unknownVariables(pattern: string): readonly string[] {
  return Array.from(pattern.matchAll(VARIABLE), ([text, name = '']) => (isVariable(name) ? [] : [text])).flat();
}

export function isVariable(name: string): boolean {
  return Object.hasOwn(VARIABLES, name);
}
