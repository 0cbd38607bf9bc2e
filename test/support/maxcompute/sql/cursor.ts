import { type ColumnType, parseColumnType } from '../../../../src/connectors/maxcompute/protocol/column-type.ts';
import { SqlFailure } from './sql-failure.ts';
import { type Token, tokensOf } from './tokens.ts';

/** A table as a statement names it: one to three names. */
export type TableName = readonly string[];

/** Words that are names only in quotes. */
const RESERVED: ReadonlySet<string> = new Set(
  `AND AS BETWEEN BY CASE CAST CLUSTER CREATE CROSS DISTINCT DISTRIBUTE DROP ELSE END EXCEPT FROM FULL GROUP HAVING IN INNER INSERT
INTERSECT INTO IS JOIN LATERAL LEFT LIKE LIMIT MINUS NOT NULL ON OR ORDER OUTER OVERWRITE PARTITION PIVOT QUALIFY RIGHT SELECT
SORT TABLE TABLESAMPLE THEN UNION USING WHEN WHERE WINDOW WITH`.split(/\s+/),
);

/** Goes through the tokens of a statement. Errors of all methods: SqlFailure ODPS-0130161. */
export class Cursor {
  readonly #statement: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(statement: string) {
    this.#statement = statement;
    this.#tokens = tokensOf(statement);
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? this.fail();
  }

  /** Whether these words or signs come next. */
  sees(...words: readonly string[]): boolean {
    return words.every((word, index) => {
      const token = this.#tokens[this.#at + index];
      return token !== undefined && isPlain(token) && token.text.toUpperCase() === word;
    });
  }

  /** Takes them if they come next. */
  takes(...words: readonly string[]): boolean {
    const sees = this.sees(...words);
    if (sees) this.#at += words.length;
    return sees;
  }

  expect(...words: readonly string[]): void {
    if (!this.takes(...words)) this.fail(words.join(' '));
  }

  seesName(): boolean {
    const { kind, text } = this.next;
    return kind === 'quoted' || (kind === 'word' && !RESERVED.has(text.toUpperCase()));
  }

  name(): string {
    if (!this.seesName()) this.fail('a name');
    const { text } = this.next;
    this.#at += 1;
    return text.toLowerCase();
  }

  text(): string {
    const token = this.next;
    if (token.kind !== 'text') this.fail('a text');
    this.#at += 1;
    return token.text;
  }

  /** What is in a hint, if one comes next. */
  hint(): string | null {
    const { kind, text } = this.next;
    if (kind !== 'hint') return null;
    this.#at += 1;
    return text;
  }

  /** Digits as they were written, without a suffix such as BD. */
  number(): string {
    const token = this.next;
    if (token.kind !== 'number') this.fail('a number');
    this.#at += 1;
    return token.text.replace(/[A-Z]+$/i, '');
  }

  tableName(): TableName {
    const names = [this.name()];
    while (this.takes('.')) names.push(this.name());
    if (names.length > 3) this.fail();
    return names;
  }

  /** What `read` takes, between parentheses, divided by commas. */
  list<T>(read: () => T): T[] {
    this.expect('(');
    const found = [read()];
    while (this.takes(',')) found.push(read());
    this.expect(')');
    return found;
  }

  type(): ColumnType {
    const { start } = this.next;
    let depth = 0;
    do {
      if (this.sees('(') || this.sees('<')) depth += 1;
      if (this.sees(')') || this.sees('>')) depth -= 1;
      this.#at += 1;
    } while (this.next.kind !== 'end' && (depth > 0 || this.sees('(') || this.sees('<')));
    const { end } = this.#tokens[this.#at - 1] ?? this.next;
    try {
      return parseColumnType(this.#statement.slice(start, end));
    } catch {
      throw SqlFailure.parse(`${this.#statement.slice(start, end)} is no type`);
    }
  }

  end(): void {
    this.expect(';');
    if (this.next.kind !== 'end') this.fail('the end of the statement');
  }

  fail(wanted = ''): never {
    const { kind, text } = this.#tokens[this.#at] ?? { kind: 'end', text: '' };
    const what = kind === 'end' ? 'the statement ends' : `invalid token '${text}'`;
    throw SqlFailure.parse(what + (wanted === '' ? '' : `, expected ${wanted}`));
  }
}

function isPlain({ kind }: Token): boolean {
  return kind === 'word' || kind === 'sign';
}
