import type { TargetId } from '../../pipeline/route.ts';

/** PostgreSQL silently cuts longer names, so that two of them may become one. */
const NAME_BYTES_MAX = 63;

/** A pattern of the server's own schemas, and those of sessions; Hologres has some more. */
export const SYSTEM_SCHEMAS = '^(pg_|hg_|hologres|information_schema$)';

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
