/**
 * One token of a statement: a bare word, a quoted name, a string, a number, or a mark (one character).
 * `text` is what it stands for: names and strings without quotes; words as they were written.
 */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'mark';
  readonly text: string;
}

const SPACE = /\s+/y;
const LINE_COMMENT = /(?:--(?=\s|$)|#)[^\n]*/y;
const WORD = /[\p{L}\p{N}_$\u0080-\uffff]+/uy;
const NUMBER = /\d+(?:\.\d*)?(?:e[+-]?\d+)?(?![\p{L}\p{N}_$])/iuy;
const EXECUTABLE = /\/\*(?:M!|!)\d*/y;

/**
 * Splits a statement of the log. Executable comments are code, as the server that logged them ran them; others are blanks.
 * `ansiQuotes` makes "x" a name. Null for a text that ends within a quote or comment: nothing is guessed of it.
 */
export function tokenize(sql: string, ansiQuotes: boolean): readonly Token[] | null {
  const tokens: Token[] = [];
  let executable = 0;
  let at = 0;
  const eat = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(sql) ?? [];
    if (found === undefined) return null;
    at += found.length;
    return found;
  };
  while (at < sql.length) {
    if (eat(SPACE) !== null || eat(LINE_COMMENT) !== null) continue;
    if (eat(EXECUTABLE) !== null) {
      executable += 1;
      continue;
    }
    if (executable > 0 && sql.startsWith('*/', at)) {
      executable -= 1;
      at += 2;
      continue;
    }
    if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2);
      if (end < 0) return null;
      at = end + 2;
      continue;
    }
    const quote = sql[at] ?? '';
    if (quote === '`' || quote === '"' || quote === "'") {
      const isName = quote === '`' || (quote === '"' && ansiQuotes);
      const quoted = readQuoted(sql, at, quote, isName);
      if (quoted === null) return null;
      tokens.push({ kind: isName ? 'name' : 'string', text: quoted.text });
      at = quoted.end;
      continue;
    }
    const number = eat(NUMBER);
    if (number !== null) {
      tokens.push({ kind: 'number', text: number });
      continue;
    }
    const word = eat(WORD);
    if (word !== null) tokens.push({ kind: 'word', text: word });
    else {
      tokens.push({ kind: 'mark', text: quote });
      at += 1;
    }
  }
  return executable === 0 ? tokens : null;
}

/** A quote is doubled inside; in strings a backslash hides what follows. */
function readQuoted(sql: string, start: number, quote: string, isName: boolean): { text: string; end: number } | null {
  let text = '';
  for (let at = start + 1; at < sql.length; at += 1) {
    const char = sql[at] ?? '';
    if (char === '\\' && !isName) {
      at += 1;
      text += sql[at] ?? '';
    } else if (char !== quote) text += char;
    else if (sql[at + 1] === quote) {
      text += quote;
      at += 1;
    } else return { text, end: at + 1 };
  }
  return null;
}
