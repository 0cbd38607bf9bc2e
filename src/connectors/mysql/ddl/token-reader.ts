import type { Token } from './tokens.ts';

/** What is in a statement cannot be told: its tables are in doubt. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** A reading position in tokens. Words are compared without regard to case. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Unreadable('the statement ends early');
    this.#at += 1;
    return token;
  }

  isWord(word: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === 'word' && token.text.toUpperCase() === word;
  }

  isMark(mark: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token?.kind === 'mark' && token.text === mark;
  }

  /** Takes these words if they are the next ones. */
  take(...words: readonly string[]): boolean {
    if (!words.every((word, ahead) => this.isWord(word, ahead))) return false;
    this.#at += words.length;
    return true;
  }

  takeMark(mark: string): boolean {
    if (!this.isMark(mark)) return false;
    this.#at += 1;
    return true;
  }

  /** Takes one of these words; its upper case, or null. */
  takeOne(...words: readonly string[]): string | null {
    return words.find((word) => this.take(word)) ?? null;
  }

  /** A name, quoted or bare. */
  name(): string {
    const token = this.next();
    if (token.kind !== 'name' && token.kind !== 'word') throw new Unreadable('a name is missing');
    return token.text;
  }

  expect(mark: string): void {
    if (!this.takeMark(mark)) throw new Unreadable(`a ${mark} is missing`);
  }

  /** Takes `( … )` with all that is in it, if it is next; what is inside. */
  takeParentheses(): TokenReader | null {
    if (!this.isMark('(')) return null;
    const start = this.#at + 1;
    let depth = 0;
    do {
      const token = this.next();
      if (token.kind === 'mark' && token.text === '(') depth += 1;
      if (token.kind === 'mark' && token.text === ')') depth -= 1;
    } while (depth > 0);
    return new TokenReader(this.#tokens.slice(start, this.#at - 1));
  }

  /** Everything up to a comma outside of parentheses, which is taken, or to the end. */
  untilComma(): TokenReader {
    const start = this.#at;
    while (!this.ended && !this.isMark(',')) if (this.takeParentheses() === null) this.next();
    const part = new TokenReader(this.#tokens.slice(start, this.#at));
    this.takeMark(',');
    return part;
  }
}
