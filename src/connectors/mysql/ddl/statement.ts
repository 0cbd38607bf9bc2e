import type { TableId } from '../../../pipeline/table.ts';
import { firstWord } from './first-word.ts';
import { TokenReader, Unreadable } from './token-reader.ts';
import { type Token, tokenize } from './tokens.ts';

/** Where a column is put: `null` leaves it, or puts a new one last. */
export type ColumnPlace = { readonly after: string } | 'first' | null;

/** What an ALTER TABLE does to columns; everything that leaves them as they are is left out. */
export type AlterAction =
  | { readonly does: 'add'; readonly name: string; readonly ifMissing: boolean; readonly definition: readonly Token[] }
  | { readonly does: 'drop'; readonly name: string; readonly ifThere: boolean }
  | {
      readonly does: 'change';
      readonly name: string;
      readonly to: string;
      readonly ifThere: boolean;
      readonly definition: readonly Token[];
    }
  | { readonly does: 'rename'; readonly name: string; readonly to: string; readonly ifThere: boolean }
  | { readonly does: 'convert'; readonly charset: readonly Token[] }
  | { readonly does: 'charset'; readonly charset: readonly Token[] }
  /** The primary key is another one. */
  | { readonly does: 'key' };

export interface AlterStatement {
  readonly kind: 'alter';
  readonly table: TableId;
  /** Null when it cannot be told: the table is in doubt. */
  readonly actions: readonly AlterAction[] | null;
  /** The table has this name from here on. */
  readonly renamedTo: TableId | null;
  /** Rows may vanish or appear without events: a partition was dropped, emptied or exchanged. */
  readonly movesRows: boolean;
}

export type DdlStatement =
  | AlterStatement
  | { readonly kind: 'create'; readonly table: TableId }
  | { readonly kind: 'drop'; readonly tables: readonly TableId[] }
  | { readonly kind: 'truncate'; readonly table: TableId }
  | { readonly kind: 'rename'; readonly pairs: readonly { readonly from: TableId; readonly to: TableId }[] }
  | { readonly kind: 'dropDatabase'; readonly database: string };

const CONCERNS_TABLES: ReadonlySet<string> = new Set(['ALTER', 'CREATE', 'DROP', 'RENAME', 'TRUNCATE']);

/**
 * Reads a statement that concerns permanent tables; null for any other. `database` is the session's own.
 * Nothing is guessed: an ALTER that cannot be read has no actions, any other statement of this kind that cannot be read is null.
 */
export function readDdl(sql: string, database: string, ansiQuotes = false): DdlStatement | null {
  if (!CONCERNS_TABLES.has(firstWord(sql))) return null;
  const tokens = tokenize(sql, ansiQuotes);
  if (tokens === null) return null;
  try {
    return readStatement(new TokenReader(tokens), database);
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

function readStatement(tokens: TokenReader, database: string): DdlStatement | null {
  if (tokens.take('ALTER')) return readAlter(tokens, database);
  if (tokens.take('TRUNCATE')) {
    tokens.take('TABLE');
    return { kind: 'truncate', table: tableName(tokens, database) };
  }
  if (tokens.take('RENAME')) {
    if (tokens.takeOne('TABLE', 'TABLES') === null) return null;
    tokens.take('IF', 'EXISTS');
    const pairs: { from: TableId; to: TableId }[] = [];
    do {
      const from = tableName(tokens, database);
      while (!tokens.take('TO')) tokens.next(); // NOWAIT, WAIT n
      pairs.push({ from, to: tableName(tokens, database) });
    } while (tokens.takeMark(','));
    return { kind: 'rename', pairs };
  }
  if (tokens.take('DROP')) {
    if (tokens.takeOne('DATABASE', 'SCHEMA') !== null) {
      tokens.take('IF', 'EXISTS');
      return { kind: 'dropDatabase', database: tokens.name() };
    }
    if (tokens.takeOne('TABLE', 'TABLES') === null) return null;
    tokens.take('IF', 'EXISTS');
    const tables: TableId[] = [];
    do tables.push(tableName(tokens, database));
    while (tokens.takeMark(','));
    return { kind: 'drop', tables };
  }
  if (!tokens.take('CREATE')) return null;
  tokens.take('OR', 'REPLACE');
  if (!tokens.take('TABLE')) return null;
  tokens.take('IF', 'NOT', 'EXISTS');
  return { kind: 'create', table: tableName(tokens, database) };
}

function tableName(tokens: TokenReader, database: string): TableId {
  const first = tokens.name();
  return tokens.takeMark('.') ? { database: first, table: tokens.name() } : { database, table: first };
}

const ALTER_WORDS = ['ONLINE', 'OFFLINE', 'IGNORE'];

function readAlter(tokens: TokenReader, database: string): DdlStatement | null {
  while (tokens.takeOne(...ALTER_WORDS) !== null);
  if (!tokens.take('TABLE')) return null;
  tokens.take('IF', 'EXISTS');
  const table = tableName(tokens, database);
  if (tokens.take('WAIT')) tokens.next();
  else tokens.take('NOWAIT');
  const actions: AlterAction[] = [];
  let renamedTo: TableId | null = null;
  let movesRows = false;
  const sink = {
    add: (action: AlterAction) => actions.push(action),
    rename: (to: TableId) => (renamedTo = to),
    moveRows: () => (movesRows = true),
  };
  let known = true;
  try {
    while (!tokens.ended) readAction(tokens.untilComma(), database, sink);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    known = false;
  }
  return { kind: 'alter', table, actions: known ? actions : null, renamedTo, movesRows };
}

interface ActionSink {
  add(action: AlterAction): void;
  rename(to: TableId): void;
  moveRows(): void;
}

const NO_COLUMN = [
  'INDEX',
  'KEY',
  'UNIQUE',
  'FULLTEXT',
  'SPATIAL',
  'FOREIGN',
  'CHECK',
  'PARTITION',
  'PERIOD',
  'SYSTEM',
];

const CHARSET_WORDS = ['CHARACTER', 'CHARSET', 'COLLATE'];

function readAction(tokens: TokenReader, database: string, sink: ActionSink): void {
  if (tokens.take('ADD')) return readAdd(tokens, sink);
  if (tokens.take('DROP')) return readDrop(tokens, sink);
  if (tokens.take('MODIFY')) {
    tokens.take('COLUMN');
    const ifThere = tokens.take('IF', 'EXISTS');
    const name = tokens.name();
    return sink.add({ does: 'change', name, to: name, ifThere, definition: rest(tokens) });
  }
  if (tokens.take('CHANGE')) {
    tokens.take('COLUMN');
    const ifThere = tokens.take('IF', 'EXISTS');
    return sink.add({ does: 'change', name: tokens.name(), to: tokens.name(), ifThere, definition: rest(tokens) });
  }
  if (tokens.take('RENAME')) return readRename(tokens, database, sink);
  if (tokens.take('CONVERT', 'TO')) return sink.add({ does: 'convert', charset: rest(tokens) });
  if (tokens.takeOne('TRUNCATE', 'EXCHANGE', 'IMPORT', 'DISCARD') !== null) return sink.moveRows();
  // Keys, partitions, defaults, other options: no column lies otherwise for them.
  if (tokens.isWord('ALTER')) return;
  while (!tokens.ended) {
    if (CHARSET_WORDS.some((word) => tokens.isWord(word))) return sink.add({ does: 'charset', charset: rest(tokens) });
    tokens.next();
  }
}

function readAdd(tokens: TokenReader, sink: ActionSink): void {
  if (tokens.take('PRIMARY')) return sink.add({ does: 'key' });
  if (tokens.take('CONSTRAINT')) {
    if (!tokens.isWord('PRIMARY') && !NO_COLUMN.some((word) => tokens.isWord(word))) tokens.name();
    if (tokens.isWord('PRIMARY')) sink.add({ does: 'key' });
    return;
  }
  const isColumn = tokens.take('COLUMN');
  if (!isColumn && NO_COLUMN.some((word) => tokens.isWord(word))) return;
  const ifMissing = tokens.take('IF', 'NOT', 'EXISTS');
  const several = tokens.takeParentheses();
  if (several === null) return sink.add({ does: 'add', name: tokens.name(), ifMissing, definition: rest(tokens) });
  while (!several.ended) {
    const one = several.untilComma();
    if (one.isWord('PRIMARY') || one.isWord('CONSTRAINT') || NO_COLUMN.some((word) => one.isWord(word)))
      throw new Unreadable('keys among columns');
    sink.add({ does: 'add', name: one.name(), ifMissing, definition: rest(one) });
  }
}

function readDrop(tokens: TokenReader, sink: ActionSink): void {
  if (tokens.take('PRIMARY')) return sink.add({ does: 'key' });
  if (tokens.take('PARTITION')) return sink.moveRows();
  const isColumn = tokens.take('COLUMN');
  if (!isColumn && (tokens.isWord('CONSTRAINT') || NO_COLUMN.some((word) => tokens.isWord(word)))) return;
  const ifThere = tokens.take('IF', 'EXISTS');
  sink.add({ does: 'drop', name: tokens.name(), ifThere });
}

function readRename(tokens: TokenReader, database: string, sink: ActionSink): void {
  if (tokens.takeOne('INDEX', 'KEY') !== null) return;
  if (tokens.take('COLUMN')) {
    const ifThere = tokens.take('IF', 'EXISTS');
    const name = tokens.name();
    if (!tokens.take('TO')) throw new Unreadable('a rename without its aim');
    return sink.add({ does: 'rename', name, to: tokens.name(), ifThere });
  }
  if (tokens.takeOne('TO', 'AS') === null) tokens.takeMark('=');
  sink.rename(tableName(tokens, database));
}

function rest(tokens: TokenReader): Token[] {
  const all: Token[] = [];
  while (!tokens.ended) all.push(tokens.next());
  return all;
}
