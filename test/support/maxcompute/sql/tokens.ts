import { SqlFailure } from './sql-failure.ts';

/** A piece of a statement. `text` of a word is as it was written, of a text without its quotes, of a hint what is in it. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'sign' | 'hint' | 'end';
  readonly text: string;
  /** Where it stands in the statement. */
  readonly start: number;
  readonly end: number;
}

const SPACE = /(?:\s|--[^\n]*(?:\n|$)|\/\*(?!\+)[\s\S]*?\*\/)+/y;
const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['quoted', /`((?:[^`]|``)+)`/y],
  ['text', /'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)"/y],
  ['number', /\d+(?:\.\d+)?(?:BD|[LSY])?/iy],
  ['word', /[a-z_]\w*/iy],
  ['hint', /\/\*\+([\s\S]*?)\*\//y],
  ['sign', /<=|>=|<>|!=|\|\||[(),.;=<>*:+-]/y],
];
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', b: '\b' };

/** Takes a statement apart. Errors: SqlFailure for what is no token. */
export function tokensOf(statement: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    SPACE.lastIndex = at;
    at += SPACE.exec(statement)?.[0].length ?? 0;
    if (at === statement.length) return [...tokens, { kind: 'end', text: '', start: at, end: at }];
    const token = tokenAt(statement, at);
    tokens.push(token);
    at = token.end;
  }
}

function tokenAt(statement: string, start: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = start;
    const found = pattern.exec(statement);
    if (found === null) continue;
    const inner = found[1] ?? found[2] ?? found[0];
    const end = start + found[0].length;
    if (kind === 'text') return { kind, text: unescape(inner), start, end };
    return { kind, text: kind === 'quoted' ? inner.replaceAll('``', '`') : inner, start, end };
  }
  throw SqlFailure.parse(`invalid character ${JSON.stringify(statement.slice(start, start + 1))}`);
}

function unescape(text: string): string {
  return text.replace(/\\([\s\S])/g, (_whole, sign: string) => ESCAPES[sign] ?? sign);
}
