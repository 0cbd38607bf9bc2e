const BLANK = /[\s(]+|(?:--|#)[^\n]*(?:\n|$)|\/\*M?!\d*/y;
const WORD = /[a-z]+/iy;

/**
 * The first word of a statement, in upper case, behind blanks, comments, parentheses and what opens an executable comment; empty
 * when there is none. Takes time in proportion to what is before it.
 */
export function firstWord(sql: string): string {
  for (let at = 0; at < sql.length; ) {
    BLANK.lastIndex = at;
    if (BLANK.test(sql)) at = BLANK.lastIndex;
    else if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2);
      if (end < 0) return '';
      at = end + 2;
    } else {
      WORD.lastIndex = at;
      return WORD.exec(sql)?.[0].toUpperCase() ?? '';
    }
  }
  return '';
}
