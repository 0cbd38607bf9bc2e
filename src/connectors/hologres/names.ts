import type { TableId } from '../../pipeline/table.ts';
import type { TargetId } from '../../pipeline/route.ts';

/** PostgreSQL silently cuts longer names, so that two of them may become one. */
const NAME_BYTES_MAX = 63;

/** A name as SQL says it, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTarget({ schema, table }: TargetId): string {
  return `${quoteName(schema)}.${quoteName(table)}`;
}

/** A text as SQL says it; standard_conforming_strings is on. */
export function quoteText(text: string): string {
  return text.includes('\\')
    ? `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;
}

/** For messages only. */
export function describeTarget({ schema, table }: TargetId): string {
  return `"${schema}"."${table}"`;
}

/** A text that is equal for equal targets and for no others. */
export function targetKey({ schema, table }: TargetId): string {
  return `${schema}\0${table}`;
}

/** What is wrong with a name; null when nothing is. */
export function nameProblem(what: string, name: string): string | null {
  if (name === '') return `${what} is empty`;
  if (name.includes('\0')) return `${what} holds a NUL character`;
  const bytes = Buffer.byteLength(name);
  if (bytes <= NAME_BYTES_MAX) return null;
  return `${what} "${name}" has ${bytes} bytes; the target cuts names after ${NAME_BYTES_MAX}`;
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
