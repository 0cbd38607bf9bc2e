import { isSameName, type MysqlColumn, mysqlColumn } from '../types.ts';
import { charsetName, charsetOfCollation, readColumnType, type TableDefaults } from './column-type.ts';
import type { AlterAction, ColumnPlace } from './statement.ts';
import { TokenReader, Unreadable } from './token-reader.ts';
import type { Token } from './tokens.ts';

/** The columns of a table as they lie in the log, and what new ones take from it. */
export interface SourceShape extends TableDefaults {
  readonly columns: readonly MysqlColumn[];
}

/** What became of the columns: `origins[i]` is the former name of column i, null of a new one. */
export interface AlteredShape {
  readonly columns: readonly MysqlColumn[];
  readonly origins: readonly (string | null)[];
  /** Of new text columns from here on. */
  readonly charset: string | null;
  /** The primary key was dropped, or another one added. */
  readonly keyChanged: boolean;
}

/** TINYBLOB to LONGBLOB and the texts, in the log (MYSQL_TYPE_BLOB). */
const BLOB = 252;

interface Entry {
  readonly column: MysqlColumn;
  readonly origin: string | null;
}

/**
 * What an ALTER TABLE makes of a table, as the servers do it: first the columns that were there, with their changes, then new
 * and moved ones, each at its place among the new names. Null when that cannot be told.
 */
export function applyAlter(shape: SourceShape, actions: readonly AlterAction[]): AlteredShape | null {
  try {
    return apply(shape, actions);
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

function apply(shape: SourceShape, actions: readonly AlterAction[]): AlteredShape {
  let { charset } = shape;
  for (const action of actions) {
    if (action.does === 'charset') charset = readCharset(action.charset) ?? charset;
    if (action.does === 'convert') charset = readCharset(action.charset);
  }
  const converts = actions.some(({ does }) => does === 'convert');
  if (converts && actions.filter(({ does }) => does === 'convert' || does === 'charset').length > 1)
    throw new Unreadable('more than one character set');
  const defaults = { family: shape.family, charset };
  const entries: Entry[] = [];
  const added: Entry[] = [];
  const known = new Set(shape.columns.map(({ column }) => column.name.toLowerCase()));
  for (const column of shape.columns) {
    const kept = keep(column, actions, defaults);
    if (kept === null) continue;
    entries.push({ column: converts ? converted(kept, charset, column) : kept, origin: column.column.name });
  }
  for (const action of actions) {
    if (action.does === 'add') {
      // Missing among the former names, and among those that are new.
      if (action.ifMissing && (known.has(action.name.toLowerCase()) || indexOf(added, action.name) >= 0)) continue;
      const { column, place } = define(action.name, action.definition, defaults);
      const entry = { column: converts ? converted(column, charset) : column, origin: null };
      added.push(entry);
      insert(entries, entry, place ?? 'last');
    } else if (action.does === 'change') {
      const index = indexOf(entries, action.to);
      const { place } = define(action.to, action.definition, defaults);
      const entry = entries[index];
      if (place === null || entry === undefined) continue;
      entries.splice(index, 1);
      insert(entries, entry, place);
    }
  }
  checkOnce(actions.flatMap((action) => ('name' in action && action.does !== 'add' ? [action.name] : [])));
  checkOnce(entries.map(({ column }) => column.column.name));
  return {
    columns: entries.map(({ column }) => column),
    origins: entries.map(({ origin }) => origin),
    charset,
    keyChanged: actions.some(({ does }) => does === 'key'),
  };
}

/** MariaDB takes statements that change a column twice, and makes of them what it will. */
function checkOnce(names: readonly string[]): void {
  if (new Set(names.map((name) => name.toLowerCase())).size !== names.length)
    throw new Unreadable('a column is named twice');
}

/** What is left of a column, in its old place; null when it was dropped. */
function keep(column: MysqlColumn, actions: readonly AlterAction[], defaults: TableDefaults): MysqlColumn | null {
  const { name } = column.column;
  for (const action of actions) {
    if (!('name' in action) || !isSameName(action.name, name)) continue;
    if (action.does === 'drop') return null;
    if (action.does === 'change') return define(action.to, action.definition, defaults).column;
    if (action.does === 'rename') return { ...column, column: { ...column.column, name: action.to } };
  }
  return column;
}

function define(
  name: string,
  definition: readonly Token[],
  defaults: TableDefaults,
): { column: MysqlColumn; place: ColumnPlace } {
  const tokens = new TokenReader(definition);
  const column = mysqlColumn(readColumnType(name, tokens, defaults));
  if (column === undefined) throw new Unreadable('a type that is not known');
  if (tokens.take('FIRST')) return { column, place: 'first' };
  if (tokens.take('AFTER')) return { column, place: { after: tokens.name() } };
  return { column, place: null };
}

function insert(entries: Entry[], entry: Entry, place: Exclude<ColumnPlace, null> | 'last'): void {
  if (place === 'last') entries.push(entry);
  else if (place === 'first') entries.unshift(entry);
  else {
    const index = indexOf(entries, place.after);
    if (index < 0) throw new Unreadable('a place behind no column');
    entries.splice(index + 1, 0, entry);
  }
}

function indexOf(entries: readonly Entry[], name: string): number {
  return entries.findIndex(({ column }) => isSameName(column.column.name, name));
}

function readCharset(tokens: readonly Token[]): string | null {
  const reader = new TokenReader(tokens);
  if (reader.take('CHARACTER', 'SET') || reader.take('CHARSET')) return charsetName(reader);
  if (!reader.take('COLLATE')) return charsetName(reader);
  reader.takeMark('=');
  return charsetOfCollation(reader.next().text);
}

/**
 * CONVERT TO makes longer columns of texts where characters take more bytes: that is the server's to say. So is what becomes of a
 * blob that the same statement changes: MySQL 9.7 gave a MEDIUMBLOB the length bytes of what the column was before.
 */
function converted(column: MysqlColumn, charset: string | null, before = column): MysqlColumn {
  if (column !== before && column.log.code === BLOB)
    throw new Unreadable('a blob is changed where texts are converted');
  if (column.charset === null || column.charset === charset) return column;
  throw new Unreadable('texts are converted');
}
