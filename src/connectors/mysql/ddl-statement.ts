import type { DdlKind } from '../../pipeline/policies.ts';
import type { TableId } from '../../pipeline/table.ts';

/** What a statement in the log does to tables, as far as this source must know. */
export interface DdlStatement {
  readonly kind: DdlKind | 'ALTERTABLE';
  readonly tables: readonly TableId[];
}

const NAME = '(?:`((?:[^`]|``)+)`|([\\p{L}\\p{N}_$]+))';
const QUALIFIED = new RegExp(`^\\s*${NAME}(?:\\s*\\.\\s*${NAME})?`, 'u');

const STATEMENTS: readonly (readonly [RegExp, DdlStatement['kind']])[] = [
  [/^ALTER\s+(?:ONLINE\s+|OFFLINE\s+|IGNORE\s+)*TABLE\s+(?:IF\s+EXISTS\s+)?/iu, 'ALTERTABLE'],
  [/^DROP\s+TABLES?\s+(?:IF\s+EXISTS\s+)?/iu, 'DROPTABLE'],
  [/^TRUNCATE\s+(?:TABLE\s+)?/iu, 'TRUNCATETABLE'],
  [/^RENAME\s+TABLES?\s+(?:IF\s+EXISTS\s+)?/iu, 'RENAMETABLE'],
  [/^CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?/iu, 'CREATETABLE'],
];

/**
 * Recognises a statement that concerns tables; null for any other, and for temporary tables.
 * `ansiQuotes` makes "x" an identifier. Nothing is guessed of what an ALTER does: the shape is compared afterwards.
 */
export function readDdl(sql: string, database: string, ansiQuotes = false): DdlStatement | null {
  const text = plainText(sql, ansiQuotes);
  for (const [pattern, kind] of STATEMENTS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    return { kind, tables: readNames(text.slice(match[0].length), database, kind) };
  }
  return null;
}

/** Executable comments become code, other comments a blank; strings stay, as no name is read behind one. */
function plainText(sql: string, ansiQuotes: boolean): string {
  const text = sql
    .replace(/\/\*M?!\d*/g, ' ')
    .replace(/\/\*(?!M?!)[\s\S]*?\*\//g, ' ')
    .replace(/\*\//g, ' ')
    .replace(/^\s*(?:--\s.*|#.*)$/gm, ' ')
    .trim();
  return ansiQuotes
    ? text.replace(/"((?:[^"]|"")*)"/g, (_, name: string) => `\`${name.replaceAll('""', '"').replaceAll('`', '``')}\``)
    : text;
}

function readNames(text: string, database: string, kind: DdlStatement['kind']): TableId[] {
  const tables: TableId[] = [];
  let rest = text;
  for (;;) {
    const match = QUALIFIED.exec(rest);
    if (match === null) break;
    const first = match[1]?.replaceAll('``', '`') ?? match[2] ?? '';
    const second = match[3]?.replaceAll('``', '`') ?? match[4];
    tables.push(second === undefined ? { database, table: first } : { database: first, table: second });
    rest = rest.slice(match[0].length);
    const next =
      kind === 'RENAMETABLE' ? /^\s*(?:TO\b|,)/iu.exec(rest) : kind === 'DROPTABLE' ? /^\s*,/u.exec(rest) : null;
    if (next === null) break;
    rest = rest.slice(next[0].length);
  }
  return tables;
}
