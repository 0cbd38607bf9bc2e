import type { TableId } from '../../../pipeline/table.ts';
import { firstWord } from './first-word.ts';
import { TokenReader, Unreadable } from './token-reader.ts';
import { tokenize } from './tokens.ts';
import type { Statement } from '../protocol/group-events.ts';

const CHANGES_ROWS: ReadonlySet<string> = new Set([
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'LOAD',
  'WITH',
  'SELECT',
  'DO',
  'CALL',
]);
const SELECTS = /\bSELECT\b/i;

/** Long statements are lists of rows: what they change stands in their first part. */
const HEADS = [500, 20_000, Infinity];

/** The tables whose rows a statement changes; `unknown` when that cannot be told. */
export type StatementTargets = readonly TableId[] | 'unknown';

/**
 * Reads which tables' rows are changed by a statement that the log holds as text, instead of the rows. Null for a statement
 * that changes no rows, or whose rows the log has. Views and triggers cannot be seen from here.
 */
export function statementTargets({ sql, database, ansiQuotes }: Statement): StatementTargets | null {
  const word = firstWord(sql);
  const creates = word === 'CREATE' && SELECTS.test(sql);
  if (!creates && !CHANGES_ROWS.has(word)) return null;
  for (const length of HEADS) {
    const isWhole = sql.length <= length;
    const tokens = tokenize(isWhole ? sql : sql.slice(0, length), ansiQuotes);
    try {
      if (tokens !== null) {
        const reader = new TokenReader(tokens);
        while (reader.takeMark('('));
        const targets = creates ? readCreate(reader, database) : readChange(reader, database);
        // A name at the end of a part may go on.
        if (isWhole || !reader.ended) return isReadable(targets) ? targets : 'unknown';
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
    if (isWhole) break;
  }
  return 'unknown';
}

/** Names in another character set than ours show as what is not one. */
function isReadable(targets: StatementTargets | null): boolean {
  return !Array.isArray(targets) || !targets.some(({ table }: TableId) => table.includes('\ufffd'));
}

function readChange(tokens: TokenReader, database: string): StatementTargets {
  const shadows = tokens.take('WITH') ? readCommonTables(tokens) : [];
  if (tokens.takeOne('INSERT', 'REPLACE') !== null) {
    while (tokens.takeOne('LOW_PRIORITY', 'HIGH_PRIORITY', 'DELAYED', 'IGNORE') !== null);
    tokens.take('INTO');
    return [tableName(tokens, database)];
  }
  if (tokens.take('LOAD')) {
    while (!tokens.take('INTO', 'TABLE')) tokens.next();
    return [tableName(tokens, database)];
  }
  if (tokens.take('UPDATE')) {
    while (tokens.takeOne('LOW_PRIORITY', 'IGNORE') !== null);
    return readUpdate(tokens, database, shadows);
  }
  if (tokens.take('DELETE')) {
    while (tokens.takeOne('LOW_PRIORITY', 'QUICK', 'IGNORE', 'HISTORY') !== null);
    return readDelete(tokens, database, shadows);
  }
  // A function that changes rows was called.
  return 'unknown';
}

/** CREATE TABLE … SELECT; null for what has its rows in the log, or none. */
function readCreate(tokens: TokenReader, database: string): StatementTargets | null {
  tokens.take('CREATE');
  tokens.take('OR', 'REPLACE');
  if (!tokens.take('TABLE')) return null;
  tokens.take('IF', 'NOT', 'EXISTS');
  const table = tableName(tokens, database);
  while (!tokens.ended) {
    if (tokens.isWord('SELECT')) return [table];
    const inside = tokens.takeParentheses();
    if (inside === null) tokens.next();
    else if (inside.isWord('SELECT')) return [table];
  }
  return null;
}

function readCommonTables(tokens: TokenReader): string[] {
  const names: string[] = [];
  tokens.take('RECURSIVE');
  do {
    names.push(tokens.name().toLowerCase());
    tokens.takeParentheses();
    if (!tokens.take('AS') || tokens.takeParentheses() === null)
      throw new Unreadable('a common table without its text');
  } while (tokens.takeMark(','));
  return names;
}

function tableName(tokens: TokenReader, database: string): TableId {
  const first = tokens.name();
  return tokens.takeMark('.') ? { database: first, table: tokens.name() } : { database, table: first };
}

/** A table that a statement reads or changes, and how it calls it. */
interface Reference {
  readonly id: TableId;
  readonly alias: string;
}

/** UPDATE references SET [alias.]column = … */
function readUpdate(tokens: TokenReader, database: string, shadows: readonly string[]): StatementTargets {
  const references = readReferences(tokens, database, shadows, ['SET']);
  if (!tokens.take('SET')) throw new Unreadable('an UPDATE without SET');
  if (references.length === 1) return ids(references);
  const changed: Reference[] = [];
  for (;;) {
    const names = [tokens.name()];
    while (tokens.takeMark('.')) names.push(tokens.name());
    // A column without its table may be of any of them.
    const table = names.at(-2);
    if (table === undefined) return ids(references);
    changed.push(...called(references, table, names.at(-3)));
    while (!tokens.ended && !tokens.isMark(',') && !ENDS_OF_SET.some((word) => tokens.isWord(word)))
      if (tokens.takeParentheses() === null) tokens.next();
    if (!tokens.takeMark(',')) return ids(changed);
  }
}

const ENDS_OF_SET = ['WHERE', 'ORDER', 'LIMIT', 'RETURNING'];

/** DELETE FROM t …, DELETE t, u FROM references, or DELETE FROM t, u USING references. */
function readDelete(tokens: TokenReader, database: string, shadows: readonly string[]): StatementTargets {
  const isFrom = tokens.take('FROM');
  const named: TableId[] = [];
  do {
    named.push(readDeleted(tokens));
  } while (tokens.takeMark(','));
  if (!tokens.take(isFrom ? 'USING' : 'FROM')) return named.map((id) => inDatabase(id, database));
  const references = readReferences(tokens, database, shadows, ['WHERE', 'ORDER', 'LIMIT', 'RETURNING']);
  return named.flatMap((id) => {
    const found = called(references, id.table, id.database === '' ? undefined : id.database);
    return found.length > 0 ? ids(found) : [inDatabase(id, database)];
  });
}

/** t, d.t, t.* or d.t.* */
function readDeleted(tokens: TokenReader): TableId {
  let database = '';
  let table = tokens.name();
  while (tokens.takeMark('.') && !tokens.takeMark('*')) [database, table] = [table, tokens.name()];
  return { database, table };
}

function inDatabase({ database, table }: TableId, session: string): TableId {
  return { database: database === '' ? session : database, table };
}

function ids(references: readonly Reference[]): TableId[] {
  return references.map(({ id }) => id);
}

function called(references: readonly Reference[], name: string, database: string | undefined): Reference[] {
  const isIt = ({ alias, id }: Reference) =>
    alias.toLowerCase() === name.toLowerCase() && (database === undefined || database === id.database);
  return references.filter(isIt);
}

const NO_ALIAS = new Set(
  'PARTITION USE IGNORE FORCE ON USING LEFT RIGHT INNER CROSS JOIN STRAIGHT_JOIN NATURAL SET FOR WHERE ORDER LIMIT RETURNING'.split(
    ' ',
  ),
);

/** Every permanent table of `t1 AS a JOIN (t2, t3) ON …, (SELECT …) b`, up to one of the words `until`. */
function readReferences(
  tokens: TokenReader,
  database: string,
  shadows: readonly string[],
  until: readonly string[],
): Reference[] {
  const found: Reference[] = [];
  let isDue = true;
  while (!tokens.ended && !until.some((word) => tokens.isWord(word))) {
    if (isDue && tokens.takeMark('{')) {
      tokens.take('OJ');
      continue;
    }
    const inside = tokens.takeParentheses();
    if (inside !== null) {
      while (inside.isMark('(') && inside.peek(1)?.kind === 'mark') inside.next();
      const isQuery = ['SELECT', 'WITH', 'VALUES', 'TABLE'].some((word) => inside.isWord(word));
      if (isDue && !isQuery) found.push(...readReferences(inside, database, shadows, []));
      isDue = false;
    } else if (tokens.takeMark(',') || tokens.takeOne('JOIN', 'STRAIGHT_JOIN') !== null) isDue = true;
    else if (isDue && !tokens.take('LATERAL')) {
      const isCommon = !tokens.isMark('.', 1) && shadows.includes((tokens.peek()?.text ?? '').toLowerCase());
      const id = tableName(tokens, database);
      // JSON_TABLE( … ) is no table.
      const isFunction = tokens.isMark('(');
      const reference = { id, alias: readAlias(tokens) ?? id.table };
      if (!isCommon && !isFunction) found.push(reference);
      isDue = false;
    } else if (!isDue) tokens.next();
  }
  return found;
}

function readAlias(tokens: TokenReader): string | null {
  if (tokens.take('PARTITION')) tokens.takeParentheses();
  if (tokens.take('AS')) return tokens.next().text;
  const token = tokens.peek();
  if (token?.kind === 'name') return tokens.next().text;
  return token?.kind === 'word' && !NO_ALIAS.has(token.text.toUpperCase()) ? tokens.next().text : null;
}
