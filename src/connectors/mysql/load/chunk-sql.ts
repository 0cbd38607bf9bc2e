import type { ValueType } from '../../../pipeline/table.ts';
import { quoteName, quoteTable, quoteText } from '../quote.ts';
import type { MysqlColumn, MysqlTable } from '../types.ts';

/** The key of the last row of a chunk, in key order: literals of SQL, made by `keyLiteral`. */
export type ChunkCursor = readonly string[];

/**
 * The next chunk: at most `limit` rows behind `cursor` in the order of the primary key; without one, all rows. Order and comparison are the
 * server's, so that collations stay its business. `locking` waits for rows of transactions that are not shown yet.
 */
export function chunkSql(
  table: MysqlTable,
  cursor: ChunkCursor | null,
  limit: number,
  locking: '' | ' FOR SHARE' | ' LOCK IN SHARE MODE',
): string {
  const columns = table.columns.map(selectExpression).join(', ');
  const keys = keyExpressions(table);
  const where = cursor === null ? '' : ` WHERE ${behind(keys, cursor)}`;
  const order = keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')} LIMIT ${limit}`;
  return `SELECT ${columns} FROM ${quoteTable(table.version.id)}${where}${order}${locking}`;
}

/** `a > x OR (a = x AND b > y) …`: the form that servers turn into ranges of the key. */
function behind(keys: readonly string[], cursor: ChunkCursor): string {
  return keys
    .map((key, index) => {
      const equal = keys.slice(0, index).map((before, at) => `${before} = ${cursor[at]} AND `);
      return `(${equal.join('')}${key} > ${cursor[index]})`;
    })
    .join(' OR ');
}

/** An enum sorts by its ordinal but compares as text with a text: so it is compared as a number. */
function keyExpressions({ version, columns }: MysqlTable): string[] {
  return version.key.flatMap((index) => {
    const column = columns[index];
    if (column === undefined) return [];
    const name = quoteName(column.column.name);
    return [isNumberOnly(column.column.type) ? `${name}+0` : name];
  });
}

function isNumberOnly(type: ValueType): boolean {
  return type.kind === 'label' || type.kind === 'bits';
}

/**
 * FLOAT is printed with six digits, which are not its value; as a double it has all. Of an enum the number is read: an empty
 * text may be a member, or the error value.
 */
function selectExpression({ column: { name, type } }: MysqlColumn): string {
  const quoted = quoteName(name);
  if (type.kind === 'float') return `${quoted}+0e0`;
  return type.kind === 'label' && !type.set ? `${quoted}+0` : quoted;
}

/** How the value of a key column must be fetched to make a literal of it. */
export function keyEncoding(type: ValueType): 'utf8' | 'hex' {
  return type.kind === 'bytes' || type.kind === 'bits' ? 'hex' : 'utf8';
}

/** A key column's value, as the server printed it, as a literal that compares equal to it. */
export function keyLiteral(type: ValueType, text: string): string {
  switch (type.kind) {
    case 'integer':
    case 'decimal':
    case 'year':
      return text;
    case 'float':
    case 'double':
      return /e/i.test(text) ? text : `${text}e0`;
    case 'bytes':
      return `X'${text}'`;
    case 'bits':
      return BigInt(`0x${text}`).toString();
    case 'label':
      return type.set ? setNumber(type.labels, text) : text;
    case 'text':
      return quoteText(text);
    case 'date':
    case 'time':
    case 'datetime':
    case 'instant':
      return `'${text}'`;
    case 'json':
    case 'geometry':
    case 'vector':
      throw new Error(`a key of kind ${type.kind} cannot be`);
  }
}

function setNumber(labels: readonly string[], text: string): string {
  if (text === '') return '0';
  return String(text.split(',').reduce((mask, label) => mask | (1n << BigInt(labels.indexOf(label))), 0n));
}
