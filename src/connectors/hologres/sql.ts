import type { LayoutColumn, RowLayout } from './encode/row-layout.ts';
import { quoteName } from './names.ts';

/** The texts of the statements that write rows. Quoted names only; values are never in them. */

/** One array per column, in lockstep: what Hologres' fixed plans take. */
export function upsertUnnest(target: string, layout: RowLayout): string {
  const values = layout.columns.map(({ baseType }, index) => `unnest($${index + 1}::${baseType}[])`);
  return `INSERT INTO ${target} (${names(layout.columns)}) SELECT ${values.join(', ')} ${onConflict(layout)}`;
}

/** Full keys, any number of them: the only form of DELETE that is a fixed plan. */
export function deleteByKeys(target: string, keys: readonly LayoutColumn[], count: number): string {
  const one = (row: number) =>
    `(${keys.map(({ name }, index) => `${quoteName(name)} = $${row * keys.length + index + 1}`).join(' AND ')})`;
  return `DELETE FROM ${target} WHERE ${Array.from({ length: count }, (_, row) => one(row)).join(' OR ')}`;
}

/** PostgreSQL only: one array per key column, looked up by the key's index. */
export function deleteUnnest(target: string, keys: readonly LayoutColumn[]): string {
  const values = keys.map(({ baseType }, index) => `unnest($${index + 1}::${baseType}[]) AS k${index}`);
  const equal = keys.map(({ name }, index) => `t.${quoteName(name)} = gone.k${index}`);
  return `DELETE FROM ${target} AS t USING (SELECT ${values.join(', ')}) AS gone WHERE ${equal.join(' AND ')}`;
}

export function copyFrom(target: string, columns: readonly LayoutColumn[]): string {
  return `COPY ${target} (${names(columns)}) FROM STDIN (FORMAT binary)`;
}

/** A staging table's definition: the layout's columns by position, so that odd names need no thought. */
export function createStaging(name: string, columns: readonly LayoutColumn[]): string {
  const definitions = columns.map(({ baseType }, index) => `c${index} ${baseType}`);
  return `CREATE TEMP TABLE ${name} (${definitions.join(', ')}) ON COMMIT DELETE ROWS`;
}

export function copyStaging(name: string): string {
  return `COPY ${name} FROM STDIN (FORMAT binary)`;
}

/** Ordered by key, so that the index is walked once, and concurrent writers meet in the same order. */
export function mergeStaging(target: string, name: string, layout: RowLayout): string {
  const values = layout.columns.map((_, index) => `c${index}`);
  const order = values.slice(0, layout.keyCount).join(', ');
  return `INSERT INTO ${target} (${names(layout.columns)}) SELECT ${values.join(', ')} FROM ${name} ORDER BY ${order} ${onConflict(layout)}`;
}

function onConflict({ columns, keyCount }: RowLayout): string {
  const key = names(columns.slice(0, keyCount));
  const others = columns.slice(keyCount).map(({ name }) => `${quoteName(name)} = excluded.${quoteName(name)}`);
  return `ON CONFLICT (${key}) ${others.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${others.join(', ')}`}`;
}

function names(columns: readonly LayoutColumn[]): string {
  return columns.map(({ name }) => quoteName(name)).join(', ');
}
