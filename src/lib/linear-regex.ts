import { type CharRange, parseRegex, RegexError, type RegexNode } from './regex-syntax.ts';

/** More than any pattern of names that was not made to hurt. */
const LENGTH_MAX = 4000;
const STEPS_MAX = 5000;

/** What is done at a place of the pattern: take a character, or go on elsewhere without one. */
type Instruction =
  | { readonly kind: 'take'; readonly ranges: readonly CharRange[]; readonly negated: boolean }
  | { readonly kind: 'fork'; to: number[] }
  | { readonly kind: 'begin' | 'end' | 'found' };

/**
 * A regular expression that a whole text must match. It goes over the text once with the set of all places where the
 * pattern may be (Thompson's construction): at most places × (characters + 1) steps, whatever pattern and text are.
 * `ignoreCase`: what JavaScript's flags `iu` take for equal, which is Unicode's simple case folding: ß is ẞ, and not ss.
 */
export class LinearRegex {
  readonly #program: Instruction[] = [];
  readonly #ignoreCase: boolean;
  readonly #byRanges = new Map<readonly CharRange[], RegExp>();
  /** Of the last match, for tests: places looked at. */
  work = 0;

  /** Errors: RegexError for what is no pattern, not served (see parseRegex), or too large. */
  constructor(pattern: string, { ignoreCase = false }: { readonly ignoreCase?: boolean } = {}) {
    if (pattern.length > LENGTH_MAX)
      throw new RegexError(`a pattern of more than ${LENGTH_MAX} characters`, LENGTH_MAX);
    this.#ignoreCase = ignoreCase;
    this.#add(parseRegex(pattern));
    this.#push({ kind: 'found' });
  }

  /** How many places the pattern has. */
  get size(): number {
    return this.#program.length;
  }

  matches(text: string): boolean {
    const chars = Array.from(text);
    this.work = 0;
    let places = this.#reach([0], 0, chars.length);
    for (const [index, char] of chars.entries()) {
      if (places.length === 0) return false;
      const next = places.filter((place) => this.#takes(this.#program[place], char)).map((place) => place + 1);
      places = this.#reach(next, index + 1, chars.length);
    }
    return places.some((place) => this.#program[place]?.kind === 'found');
  }

  /** The places that are reached from these without taking a character. */
  #reach(from: readonly number[], at: number, length: number): number[] {
    const seen = new Set<number>();
    const waiting = from.toReversed();
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      if (seen.has(place)) continue;
      seen.add(place);
      this.work += 1;
      const instruction = this.#program[place];
      if (instruction?.kind === 'fork') waiting.push(...instruction.to);
      else if (instruction?.kind === 'begin' ? at === 0 : instruction?.kind === 'end' && at === length)
        waiting.push(place + 1);
    }
    return [...seen];
  }

  #add(node: RegexNode): void {
    switch (node.kind) {
      case 'chars':
        this.#push({ kind: 'take', ranges: node.ranges, negated: node.negated });
        return;
      case 'begin':
      case 'end':
        this.#push({ kind: node.kind });
        return;
      case 'all':
        for (const one of node.nodes) this.#add(one);
        return;
      case 'any':
        this.#addAny(node.nodes);
        return;
      case 'repeat':
        this.#addRepeat(node.node, node.min, node.max);
        return;
    }
  }

  #addAny(nodes: readonly RegexNode[]): void {
    const fork = this.#fork();
    const ends = nodes.map((node) => {
      fork.to.push(this.size);
      this.#add(node);
      return this.#fork();
    });
    for (const end of ends) end.to.push(this.size);
  }

  /** `x{2,4}` is `xx(x(x)?)?`, `x{2,}` is `xxx*`. */
  #addRepeat(node: RegexNode, min: number, max: number | null): void {
    for (let count = 0; count < min; count++) {
      const before = this.size;
      this.#add(node);
      if (this.size === before) break; // nothing, however often it is repeated
    }
    if (max === null) {
      const fork = this.#fork();
      const start = this.size - 1;
      fork.to.push(this.size);
      this.#add(node);
      this.#fork().to.push(start);
      fork.to.push(this.size);
      return;
    }
    const skips = Array.from({ length: max - min }, () => {
      const fork = this.#fork();
      fork.to.push(this.size);
      this.#add(node);
      return fork;
    });
    for (const skip of skips) skip.to.push(this.size);
  }

  #fork(): { kind: 'fork'; to: number[] } {
    const fork = { kind: 'fork' as const, to: [] };
    this.#push(fork);
    return fork;
  }

  #push(instruction: Instruction): void {
    if (this.size >= STEPS_MAX)
      throw new RegexError(`a pattern that comes to more than ${STEPS_MAX} steps, its counts written out,`, 0);
    this.#program.push(instruction);
  }

  #takes(instruction: Instruction | undefined, char: string): boolean {
    if (instruction?.kind !== 'take') return false;
    const { ranges, negated } = instruction;
    const code = char.codePointAt(0) ?? 0;
    const isIn = this.#ignoreCase
      ? this.#folded(ranges).test(char)
      : ranges.some(([first, last]) => first <= code && code <= last);
    return isIn !== negated;
  }

  /** An expression for one character: such a one cannot take long. */
  #folded(ranges: readonly CharRange[]): RegExp {
    let folded = this.#byRanges.get(ranges);
    if (folded === undefined) {
      const escaped = (code: number) => `\\u{${code.toString(16)}}`;
      const inside = ranges.map(([first, last]) => `${escaped(first)}-${escaped(last)}`).join('');
      folded = new RegExp(`[${inside}]`, 'ui');
      this.#byRanges.set(ranges, folded);
    }
    return folded;
  }
}
