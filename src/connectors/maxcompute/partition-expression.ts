import { civilFromDays, daysFromCivil, isRealDate } from '../../lib/civil.ts';
import { isTimeZone, TimeZone } from '../../lib/time-zone.ts';

/*
 * What the option `partition` may say:
 *
 *   partition  := level { ',' level }             level := NAME '=' value
 *   value      := text | expression               a text as it stands, with ${time} and #{column} in it
 *   expression := term { '+' term }               texts one behind the other
 *   term       := '"' text '"' | digits | '#{' COLUMN '}' | '${' time '}' | '$' NAME | FUNCTION '(' expression { ',' expression } ')'
 *   time       := yyyy, yy, MM, dd, HH, mm, ss and any of - _ : . and blanks: of the change, by the clock of the task's zone
 *
 * A value is an expression if it begins with a function or a quote, or has a '+' outside of quotes and braces. `$NAME` is a level before.
 * Source: DataWorks help, custom partitions of MaxCompute, and "Use function expressions to assign values to destination table fields".
 */

export interface Facts {
  /** By column; a column that is missing is null. */
  readonly fields: Pick<ReadonlyMap<string, string | null>, 'get'>;
  /** By format. */
  readonly times: Pick<ReadonlyMap<string, string>, 'get'>;
  /** Those before. */
  readonly levels: readonly (readonly [column: string, value: string])[];
}

export interface PartitionExpression {
  /** The columns that it reads. */
  readonly fields: readonly string[];
  /** The formats of the change's time that it reads. */
  readonly formats: readonly string[];
  /** Its value, if that is always the same. */
  readonly constant: string | null;
  /** Whether it is a time written with its largest part first, so that values are in the order of times. */
  readonly isInOrder: boolean;
  /** Null when anything that it reads is. */
  evaluate(facts: Facts): string | null;
}

/** Reads the option. Errors: Error that says what is wrong, and where. */
export function parsePartition(text: string): readonly (readonly [column: string, PartitionExpression])[] {
  if (text.trim() === '') return [];
  const names: string[] = [];
  return cut(text, ',').map((level) => {
    const at = level.indexOf('=');
    const name = level.slice(0, Math.max(at, 0)).trim();
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new Error(
        `partition: ${JSON.stringify(level.trim())} is no level; write one as column=value, such as pt=\${yyyyMMdd}`,
      );
    const expression = new Parser(level.slice(at + 1).trim(), [...names]).whole();
    names.push(name);
    return [name, expression] as const;
  });
}

type Term = (facts: Facts) => string | null;

/** What each thing read is, when a function is tried: no number, format or time zone, so that those must stand in the option. */
const READ = { get: () => '?' };

const FUNCTION = /([A-Za-z_]+)\s*\(/y;
const IN_ORDER = /^yyyy[^a-zA-Z]*MM[^a-zA-Z]*dd(?:[^a-zA-Z]*HH(?:[^a-zA-Z]*mm(?:[^a-zA-Z]*ss)?)?)?$/;
const FORMAT_WORDS = /yyyy|yy|MM|dd|HH|mm|ss/g;

class Parser {
  readonly #text: string;
  readonly #levels: readonly string[];
  readonly #fields = new Set<string>();
  readonly #formats = new Set<string>();
  #reads = false;
  #at = 0;

  constructor(text: string, levels: readonly string[]) {
    this.#text = text;
    this.#levels = levels;
  }

  whole(): PartitionExpression {
    if (this.#text === '') throw new Error('partition: a value is missing behind "="');
    const isExpression = /^"|^[A-Za-z_]+\s*\(/.test(this.#text) || cut(this.#text, '+').length > 1;
    const term = isExpression ? this.#sum() : this.#plain();
    if (this.#at < this.#text.length) this.#fail('is not expected here');
    const evaluate = (facts: Facts) => term(facts);
    const constant = this.#reads ? null : term({ fields: new Map(), times: new Map(), levels: [] });
    const isInOrder =
      !isExpression && /^[^#$]*\$\{([^}]*)\}[^#$]*$/.test(this.#text) && IN_ORDER.test([...this.#formats].join());
    return { fields: [...this.#fields], formats: [...this.#formats], constant, isInOrder, evaluate };
  }

  /** Text as it stands, with what is in braces filled in. */
  #plain(): Term {
    const parts: Term[] = [];
    while (this.#at < this.#text.length) {
      const next = /[#$]\{/.exec(this.#text.slice(this.#at))?.index ?? this.#text.length - this.#at;
      const literal = this.#text.slice(this.#at, this.#at + next);
      this.#at += next;
      if (literal !== '') parts.push(() => literal);
      if (this.#at < this.#text.length) parts.push(this.#braces());
    }
    return joined(parts);
  }

  #sum(): Term {
    const parts = [this.#term()];
    while (this.#takeIf('+')) parts.push(this.#term());
    return joined(parts);
  }

  #term(): Term {
    this.#blanks();
    const sign = this.#text[this.#at];
    if (sign === '"') {
      const end = this.#text.indexOf('"', this.#at + 1);
      if (end < 0) this.#fail('has no closing quote');
      const literal = this.#text.slice(this.#at + 1, end);
      this.#at = end + 1;
      return () => literal;
    }
    if (/^[#$]\{/.test(this.#text.slice(this.#at))) return this.#braces();
    if (sign === '$') return this.#level();
    const [digits] = /^\d+/.exec(this.#text.slice(this.#at)) ?? [];
    if (digits !== undefined) {
      this.#at += digits.length;
      return () => digits;
    }
    FUNCTION.lastIndex = this.#at;
    const [opened, name = ''] = FUNCTION.exec(this.#text) ?? [];
    if (opened === undefined) this.#fail('is no quoted text, number, #{column}, ${time} or function');
    const call = FUNCTIONS[name];
    if (call === undefined)
      throw new Error(`partition: there is no function ${name}; there are ${Object.keys(FUNCTIONS).join(', ')}`);
    this.#at += opened.length;
    const args: Term[] = [];
    do args.push(this.#sum());
    while (this.#takeIf(','));
    if (!this.#takeIf(')')) this.#fail(`does not close ${name}(`);
    if (args.length < call.least || args.length > call.most) throw new Error(`partition: ${name} takes ${call.usage}`);
    const levels = this.#levels.map((level) => [level, '?'] as const);
    call.run(args.map((arg) => arg({ fields: READ, times: READ, levels }) ?? ''));
    return (facts) => {
      const values = args.map((arg) => arg(facts));
      return values.every((value) => value !== null) ? call.run(values) : null;
    };
  }

  /** `#{column}` or `${time}`. */
  #braces(): Term {
    const end = this.#text.indexOf('}', this.#at);
    if (end < 0) this.#fail('has no closing brace');
    const isField = this.#text[this.#at] === '#';
    const name = this.#text.slice(this.#at + 2, end).trim();
    this.#reads = true;
    if (isField) {
      if (name === '') this.#fail('names no column');
      this.#at = end + 1;
      this.#fields.add(name);
      return ({ fields }) => fields.get(name) ?? null;
    }
    checkFormat(name);
    this.#at = end + 1;
    this.#formats.add(name);
    return ({ times }) => times.get(name) ?? null;
  }

  #level(): Term {
    const [, name = ''] = /^\$(\w+)/.exec(this.#text.slice(this.#at)) ?? [];
    if (!this.#levels.includes(name)) this.#fail('is no level before this one');
    this.#at += name.length + 1;
    this.#reads = true;
    return ({ levels }) => levels.find(([column]) => column === name)?.[1] ?? null;
  }

  #takeIf(sign: string): boolean {
    this.#blanks();
    const has = this.#text[this.#at] === sign;
    if (has) this.#at += 1;
    return has;
  }

  #blanks(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1;
  }

  #fail(what: string): never {
    throw new Error(`partition: ${JSON.stringify(this.#text.slice(this.#at))} ${what}`);
  }
}

function joined(parts: readonly Term[]): Term {
  return (facts) => {
    let text = '';
    for (const part of parts) {
      const value = part(facts);
      if (value === null) return null;
      text += value;
    }
    return text;
  };
}

/** Cuts a text at a sign wherever it stands outside of quotes, braces and parentheses. */
function cut(text: string, sign: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const here = text[at];
    if (here === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (here === '(' || here === '{') depth += 1;
    else if (here === ')' || here === '}') depth -= 1;
    else if (here === sign && depth === 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

interface Call {
  readonly least: number;
  readonly most: number;
  readonly usage: string;
  /** Null for a value that cannot be read. Errors: Error for an argument that is no value of a row. */
  run(args: readonly string[]): string | null;
}

const FUNCTIONS: Readonly<Record<string, Call>> = {
  CONCAT: { least: 1, most: Infinity, usage: 'one value or more', run: (args) => args.join('') },
  SUBSTRING: {
    least: 2,
    most: 3,
    usage: '(value, start from 0[, end, which is not part of it])',
    run: ([value = '', start = '', end]) => {
      const characters = Array.from(value);
      return characters.slice(wholeOf(start), end === undefined ? undefined : wholeOf(end)).join('');
    },
  },
  DATE_FORMAT: {
    least: 4,
    most: 4,
    usage: '(number, "unix" or "millis", time zone, format)',
    run: ([value = '', unit = '', zone = '', format = '']) => {
      const perSecond = unitOf(unit);
      const clock = zoneOf(zone);
      checkFormat(format);
      if (!/^-?\d+(\.\d+)?$/.test(value)) return null;
      return formatTime(format, clock.toCivil(Math.floor(Number(value) / perSecond)));
    },
  },
  TO_TIMESTAMP: {
    least: 4,
    most: 4,
    usage: '(text, its format, time zone, "unix" or "millis")',
    run: ([value = '', format = '', zone = '', unit = '']) => {
      const perSecond = unitOf(unit);
      const clock = zoneOf(zone);
      const civil = parseTime(value, checkFormat(format));
      return civil === null ? null : String(clock.toInstant(civil) * perSecond);
    },
  },
  DATE_CONVERT: {
    least: 5,
    most: 5,
    usage: '(text, its format, its time zone, the new format, the new time zone)',
    run: ([value = '', format = '', zone = '', newFormat = '', newZone = '']) => {
      const [clock, newClock] = [zoneOf(zone), zoneOf(newZone)];
      const civil = parseTime(value, checkFormat(format));
      checkFormat(newFormat);
      return civil === null ? null : formatTime(newFormat, newClock.toCivil(clock.toInstant(civil)));
    },
  },
};

function wholeOf(text: string): number {
  if (!/^\d+$/.test(text))
    throw new Error(`partition: SUBSTRING counts in whole numbers, not in ${JSON.stringify(text)}`);
  return Number(text);
}

function unitOf(text: string): number {
  if (text === 'unix') return 1;
  if (text === 'millis') return 1000;
  throw new Error(`partition: a number of time is "unix" or "millis", not ${JSON.stringify(text)}`);
}

const zones = new Map<string, TimeZone>();

function zoneOf(name: string): TimeZone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  if (!isTimeZone(name)) throw new Error(`partition: ${JSON.stringify(name)} is no time zone`);
  const zone = new TimeZone(name);
  zones.set(name, zone);
  return zone;
}

/** Returns the format. Errors: Error if it says anything but times. */
function checkFormat(format: string): string {
  const rest = format.replaceAll(FORMAT_WORDS, '');
  if (rest === format || !/^[-_:. /]*$/.test(rest))
    throw new Error(
      `partition: ${JSON.stringify(format)} is no format of a time; it is made of yyyy, yy, MM, dd, HH, mm, ss and - _ : . / and blanks`,
    );
  return format;
}

const DAY_SECONDS = 86_400;

/** A time in one of the formats; seconds since 1970-01-01T00:00:00 of any clock. */
export function formatTime(format: string, civil: number): string {
  const days = Math.floor(civil / DAY_SECONDS);
  const ofDay = civil - days * DAY_SECONDS;
  const date = civilFromDays(days);
  const year = Math.floor(date / 10_000);
  const parts: Readonly<Record<string, number>> = {
    yyyy: year,
    yy: year % 100,
    MM: Math.floor(date / 100) % 100,
    dd: date % 100,
    HH: Math.floor(ofDay / 3600),
    mm: Math.floor(ofDay / 60) % 60,
    ss: ofDay % 60,
  };
  return format.replaceAll(FORMAT_WORDS, (word) => String(parts[word] ?? '').padStart(word.length, '0'));
}

/** The other way round; null for what is not of the format, or no time. What the format leaves out is the first there is. */
function parseTime(text: string, format: string): number | null {
  const parts: Record<string, number> = { yyyy: 1970, MM: 1, dd: 1, HH: 0, mm: 0, ss: 0 };
  let at = 0;
  let formatAt = 0;
  for (const { 0: word, index } of format.matchAll(FORMAT_WORDS)) {
    const between = format.slice(formatAt, index);
    if (text.slice(at, at + between.length) !== between) return null;
    at += between.length;
    const digits = text.slice(at, at + word.length);
    if (!/^\d+$/.test(digits) || digits.length < word.length) return null;
    if (word === 'yy') parts['yyyy'] = 2000 + Number(digits);
    else parts[word] = Number(digits);
    at += word.length;
    formatAt = index + word.length;
  }
  const { yyyy = 0, MM = 0, dd = 0, HH = 0, mm = 0, ss = 0 } = parts;
  if (!isRealDate(yyyy, MM, dd) || HH > 23 || mm > 59 || ss > 59) return null;
  // A fraction of a second may follow.
  if (!/^(\.\d+)?$/.test(text.slice(at + (format.length - formatAt)))) return null;
  return daysFromCivil(yyyy, MM, dd) * DAY_SECONDS + HH * 3600 + mm * 60 + ss;
}
