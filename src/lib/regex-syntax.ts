/** What a pattern says, before it is made to match. */
export type RegexNode =
  | { readonly kind: 'chars'; readonly ranges: readonly CharRange[]; readonly negated: boolean }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' }
  | { readonly kind: 'all'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'any'; readonly nodes: readonly RegexNode[] }
  /** `max` null: without end. */
  | { readonly kind: 'repeat'; readonly node: RegexNode; readonly min: number; readonly max: number | null };

/** Code points, both included. */
export type CharRange = readonly [first: number, last: number];

/** A pattern that is not one of ours: what was found, and where. */
export class RegexError extends Error {
  override readonly name = 'RegexError';
  /** Index of the character, from 0. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message} at character ${at + 1}`);
    this.at = at;
  }
}

const LAST = 0x10ffff;
const DIGITS: readonly CharRange[] = [[0x30, 0x39]];
const WORD: readonly CharRange[] = [...DIGITS, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const SPACE: readonly CharRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const CLASSES: Readonly<Record<string, readonly CharRange[]>> = {
  d: DIGITS,
  w: WORD,
  s: SPACE,
  D: others(DIGITS),
  W: others(WORD),
  S: others(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
const PUNCTUATION = /^[\^$\\.*+?()[\]{}|/-]$/;
/** Counts beyond this would be refused by any limit on size. */
const COUNT_MAX = 1000;
const DEPTH_MAX = 50;

/**
 * Reads the syntax of JavaScript's regular expressions with the flags `u` and `s`, but for what cannot be matched in linear
 * time (back references, look-around) and what names do not need (`\b`, `\p{…}`, flags within). A lazy quantifier matches as
 * a greedy one. Errors: RegexError.
 */
export function parseRegex(pattern: string): RegexNode {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#chars = Array.from(pattern);
  }

  parse(): RegexNode {
    const node = this.#alternatives(0);
    if (this.#at < this.#chars.length) throw this.#error('a ) without its (');
    return node;
  }

  #alternatives(depth: number): RegexNode {
    if (depth > DEPTH_MAX) throw this.#error(`groups nested deeper than ${DEPTH_MAX}`);
    const nodes = [this.#sequence(depth)];
    while (this.#takes('|')) nodes.push(this.#sequence(depth));
    const [first] = nodes;
    return nodes.length === 1 && first !== undefined ? first : { kind: 'any', nodes };
  }

  #sequence(depth: number): RegexNode {
    const nodes: RegexNode[] = [];
    for (;;) {
      const next = this.#chars[this.#at];
      if (next === undefined || next === '|' || next === ')') return { kind: 'all', nodes };
      nodes.push(this.#repeated(this.#atom(next, depth)));
    }
  }

  #repeated(node: RegexNode): RegexNode {
    const start = this.#at;
    const count = this.#quantifier();
    if (count === null) return node;
    if (node.kind === 'begin' || node.kind === 'end') throw new RegexError('nothing to repeat', start);
    this.#takes('?');
    const again = this.#at;
    if (this.#quantifier() !== null) throw new RegexError('nothing to repeat', again);
    return { kind: 'repeat', node, ...count };
  }

  #quantifier(): { min: number; max: number | null } | null {
    if (this.#takes('*')) return { min: 0, max: null };
    if (this.#takes('+')) return { min: 1, max: null };
    if (this.#takes('?')) return { min: 0, max: 1 };
    const start = this.#at;
    if (!this.#takes('{')) return null;
    const min = this.#number();
    const max = this.#takes(',') ? (this.#chars[this.#at] === '}' ? null : this.#number()) : min;
    if (min === undefined || max === undefined || !this.#takes('}'))
      throw new RegexError('a { that begins no count, such as {2,5}; write \\{ for the character itself', start);
    if (min > COUNT_MAX || (max ?? 0) > COUNT_MAX) throw new RegexError(`a count of more than ${COUNT_MAX}`, start);
    if (max !== null && max < min) throw new RegexError('a count whose end is before its begin', start);
    return { min, max };
  }

  #number(): number | undefined {
    const start = this.#at;
    while (/^[0-9]$/.test(this.#chars[this.#at] ?? '')) this.#at++;
    return this.#at === start ? undefined : Number(this.#chars.slice(start, this.#at).join(''));
  }

  #atom(char: string, depth: number): RegexNode {
    switch (char) {
      case '(':
        return this.#group(depth);
      case '[':
        return this.#class();
      case '.':
        this.#at++;
        return chars([[0, LAST]]);
      case '^':
        this.#at++;
        return { kind: 'begin' };
      case '$':
        this.#at++;
        return { kind: 'end' };
      case '\\':
        return chars(this.#escape());
      case '*':
      case '+':
      case '?':
        throw this.#error('nothing to repeat');
      case '{':
      case '}':
      case ']':
        throw this.#error(`a ${char} by itself; write \\${char} for the character itself`);
      default:
        this.#at++;
        return chars([one(char)]);
    }
  }

  #group(depth: number): RegexNode {
    const start = this.#at++;
    if (this.#takes('?') && !this.#takes(':')) {
      const sort = this.#chars.slice(this.#at, this.#at + 2).join('');
      if (/^[=!]|^<[=!]/.test(sort)) throw new RegexError('look-around, which is not served', start);
      const name = /^<([A-Za-z_]\w{0,60})>/.exec(this.#chars.slice(this.#at, this.#at + 64).join(''));
      if (name === null) throw new RegexError('a group of a sort that is not served', start);
      this.#at += name[0].length;
    }
    const node = this.#alternatives(depth + 1);
    if (!this.#takes(')')) throw new RegexError('a ( without its )', start);
    return node;
  }

  #class(): RegexNode {
    const start = this.#at++;
    const negated = this.#takes('^');
    const ranges: CharRange[] = [];
    while (!this.#takes(']')) {
      const from = this.#at;
      const first = this.#member(start);
      if (this.#chars[this.#at] !== '-' || this.#chars[this.#at + 1] === ']') {
        ranges.push(...first);
        continue;
      }
      this.#at++;
      const last = this.#member(start);
      const low = single(first);
      const high = single(last);
      if (low === null || high === null || high < low)
        throw new RegexError('a range that does not go from a character to a later one', from);
      ranges.push([low, high]);
    }
    return { kind: 'chars', ranges, negated };
  }

  #member(start: number): readonly CharRange[] {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new RegexError('a [ without its ]', start);
    if (char === '\\') return this.#escape();
    this.#at++;
    return [one(char)];
  }

  #escape(): readonly CharRange[] {
    const start = this.#at++;
    const char = this.#chars[this.#at++];
    if (char === undefined) throw new RegexError('a \\ with nothing behind it', start);
    const known = CLASSES[char];
    if (known !== undefined) return known;
    const control = CONTROLS[char];
    if (control !== undefined) return [[control, control]];
    if (PUNCTUATION.test(char)) return [one(char)];
    if (char === 'x' || char === 'u') return [this.#code(char, start)];
    if (/^[1-9k]$/.test(char)) throw new RegexError('a back reference, which is not served', start);
    throw new RegexError(`the escape \\${char}, which is not served`, start);
  }

  #code(kind: 'x' | 'u', start: number): CharRange {
    const rest = this.#chars.slice(this.#at, this.#at + 10).join('');
    const match = (kind === 'x' ? /^([0-9a-fA-F]{2})/ : /^(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{4}))/).exec(rest);
    const code = match === null ? Number.NaN : Number.parseInt(match[1] ?? match[2] ?? '', 16);
    if (!(code <= LAST)) throw new RegexError(`a \\${kind} that no code follows`, start);
    this.#at += match?.[0].length ?? 0;
    return [code, code];
  }

  #takes(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #error(message: string): RegexError {
    return new RegexError(message, this.#at);
  }
}

function chars(ranges: readonly CharRange[]): RegexNode {
  return { kind: 'chars', ranges, negated: false };
}

function one(char: string): CharRange {
  const code = char.codePointAt(0) ?? 0;
  return [code, code];
}

/** The character that is meant; null when it is a class of several. */
function single(ranges: readonly CharRange[]): number | null {
  const [range, another] = ranges;
  return range !== undefined && another === undefined && range[0] === range[1] ? range[0] : null;
}

/** `ranges` are in order and do not touch. */
function others(ranges: readonly CharRange[]): readonly CharRange[] {
  const found: CharRange[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) found.push([next, first - 1]);
    next = last + 1;
  }
  return [...found, [next, LAST]];
}
