import type { TableId } from '../../pipeline/table.ts';

/** An identifier in a statement: backticks, doubled inside. Errors: Error on NUL, which no name can hold. */
export function quoteName(name: string): string {
  if (name.includes('\0')) throw new Error('a name cannot hold NUL');
  return `\`${name.replaceAll('`', '``')}\``;
}

export function quoteTable({ database, table }: TableId): string {
  return `${quoteName(database)}.${quoteName(table)}`;
}

/** A text as a literal that no SQL mode or character set can read otherwise. */
export function quoteText(text: string): string {
  return text === '' ? "''" : `_utf8mb4 X'${Buffer.from(text, 'utf8').toString('hex')}'`;
}
