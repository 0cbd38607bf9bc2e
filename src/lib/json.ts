/*
 * JSON that neither rounds nor trusts: integers beyond 2^53 are bigint (I5), depth and size are limited, and what
 * other readers would take differently is refused: repeated keys, `__proto__`, lone surrogates. One file, because the
 * reader is one recursive descent over one text. 3.3 MB, 200,000 values: 30 to 90 ms to read, as long to write.
 */
import type { Json, JsonObject } from './json-value.ts';

export interface JsonLimits {
  /** Levels of nesting. */
  readonly depth: number;
  /** Values of any kind, in all. */
  readonly nodes: number;
}

/** A task of 1,000 tables of 20 columns has about 200,000 values. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { depth: 32, nodes: 2_000_000 };

/** A text that is not the JSON it should be: what was expected, and where. Never quotes the text: it may hold secrets. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  /** Index of the character, from 0. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message} at character ${at + 1}`);
    this.at = at;
  }
}

/**
 * Reads one JSON text.
 * Shape:  integers within ±(2^53 - 1) are `number`, beyond `bigint`; numbers with point or exponent are `number`.
 * Errors: JsonError on bad syntax, a repeated key, a key `__proto__`, an unpaired surrogate, or a limit exceeded.
 */
export function parseJson(text: string, limits: JsonLimits = DEFAULT_JSON_LIMITS): Json {
  return new Reader(text, limits).readDocument();
}

/** `parseJson` for a text that must hold an object. */
export function parseJsonObject(text: string, limits: JsonLimits = DEFAULT_JSON_LIMITS): JsonObject {
  const value = parseJson(text, limits);
  if (!isJsonObject(value)) throw new JsonError('expected an object', 0);
  return value;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Writes compact JSON; bigint as its exact digits. Keys keep their order. */
export function stringifyJson(value: Json): string {
  return write(value, false);
}

/** Writes JSON that is equal for equal values: compact, keys sorted by UTF-16 code unit. */
export function canonicalJson(value: Json): string {
  return write(value, true);
}

function write(value: Json, sorted: boolean): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint' || value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('JSON has no number that is not finite');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item: Json) => write(item, sorted)).join(',')}]`;
  const object = value as JsonObject;
  const keys = sorted ? Object.keys(object).sort() : Object.keys(object);
  return `{${keys.map((key) => `${JSON.stringify(key)}:${write(object[key] as Json, sorted)}`).join(',')}}`;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
/** Lengths between which a text is worth the way over bytes. */
const [BYTES_FROM, BYTES_TO] = [512, 65_536];
let plain: Buffer | null = null;
let quoted: Buffer | null = null;

/** A text of ASCII that is itself JSON, full of quotes, is escaped on bytes: in two thirds of the platform's time. */
function quote(text: string): string {
  const { length } = text;
  if (length < BYTES_FROM || length > BYTES_TO || Buffer.byteLength(text) !== length) return JSON.stringify(text);
  plain ??= Buffer.allocUnsafeSlow(BYTES_TO);
  quoted ??= Buffer.allocUnsafeSlow(2 * BYTES_TO + 2);
  plain.write(text, 'latin1');
  let end = 0;
  quoted[end++] = QUOTE;
  for (let index = 0; index < length; index++) {
    const byte = plain[index] ?? 0;
    if (byte < SPACE) return JSON.stringify(text);
    if (byte === QUOTE || byte === BACKSLASH) quoted[end++] = BACKSLASH;
    quoted[end++] = byte;
  }
  quoted[end++] = QUOTE;
  return quoted.toString('latin1', 0, end);
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
/** More than any number of ours, and few enough that its conversion costs nothing. */
const DIGITS_MAX = 400;

class Reader {
  private readonly text: string;
  private readonly limits: JsonLimits;
  private at = 0;
  private nodes = 0;

  constructor(text: string, limits: JsonLimits) {
    this.text = text;
    this.limits = limits;
  }

  readDocument(): Json {
    const value = this.readValue(0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.error('expected the end');
    return value;
  }

  private readValue(depth: number): Json {
    this.skipSpace();
    if (++this.nodes > this.limits.nodes) throw this.error(`more than ${this.limits.nodes} values`);
    switch (this.text.charAt(this.at)) {
      case '"':
        return this.readString();
      case '{':
        return this.readObject(this.deeper(depth));
      case '[':
        return this.readArray(this.deeper(depth));
      case 't':
        return this.readWord('true', true);
      case 'f':
        return this.readWord('false', false);
      case 'n':
        return this.readWord('null', null);
      default:
        return this.readNumber();
    }
  }

  private readObject(depth: number): JsonObject {
    const object: Record<string, Json> = {};
    if (this.opens('}')) return object;
    do {
      this.skipSpace();
      if (this.text.charCodeAt(this.at) !== QUOTE) throw this.error('expected a key in double quotes');
      const start = this.at;
      const key = this.readString();
      if (key === '__proto__') throw new JsonError('the key __proto__ is not allowed', start);
      if (Object.hasOwn(object, key)) throw new JsonError('the same key twice in one object', start);
      this.skipSpace();
      this.expect(':');
      object[key] = this.readValue(depth);
    } while (this.continues('}'));
    return object;
  }

  private readArray(depth: number): Json[] {
    const items: Json[] = [];
    if (this.opens(']')) return items;
    do items.push(this.readValue(depth));
    while (this.continues(']'));
    return items;
  }

  /** Steps over the opening bracket; true when the closing one follows at once. */
  private opens(closing: string): boolean {
    this.at++;
    this.skipSpace();
    if (this.text[this.at] !== closing) return false;
    this.at++;
    return true;
  }

  /** Steps over a comma (true) or the closing bracket (false). */
  private continues(closing: string): boolean {
    this.skipSpace();
    const next = this.text[this.at];
    if (next !== ',' && next !== closing) throw this.error(`expected a comma or ${closing}`);
    this.at++;
    return next === ',';
  }

  private readString(): string {
    const start = this.at;
    let escaped = false;
    for (let at = start + 1; at < this.text.length; at++) {
      const unit = this.text.charCodeAt(at);
      if (unit === QUOTE) {
        this.at = at + 1;
        return escaped ? unescape(this.text.slice(start, at + 1), start) : this.text.slice(start + 1, at);
      }
      if (unit < 0x20) throw new JsonError('a control character inside a string', at);
      if (unit === BACKSLASH) {
        escaped = true;
        at++;
      }
    }
    throw new JsonError('a string without its closing quote', start);
  }

  private readNumber(): number | bigint {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.error('expected a value');
    const [digits, fraction, exponent] = match;
    if (digits.length > DIGITS_MAX) throw this.error('a number of too many digits');
    const value = Number(digits);
    if (!Number.isFinite(value)) throw this.error('a number out of range');
    this.at += digits.length;
    const whole = fraction === undefined && exponent === undefined;
    return whole && !Number.isSafeInteger(value) ? BigInt(digits) : value;
  }

  private readWord<T extends Json>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.error('expected a value');
    this.at += word.length;
    return value;
  }

  private deeper(depth: number): number {
    if (depth >= this.limits.depth) throw this.error(`nested deeper than ${this.limits.depth} levels`);
    return depth + 1;
  }

  private expect(char: string): void {
    if (this.text[this.at] !== char) throw this.error(`expected ${char}`);
    this.at++;
  }

  private skipSpace(): void {
    for (;;) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.at++;
    }
  }

  private error(message: string): JsonError {
    return new JsonError(message, this.at);
  }
}

/** Lets the platform resolve the escapes of one quoted string. */
function unescape(quoted: string, at: number): string {
  let value: unknown;
  try {
    value = JSON.parse(quoted);
  } catch {
    throw new JsonError('a string with an unknown escape', at);
  }
  if (typeof value !== 'string' || !value.isWellFormed()) throw new JsonError('a string with half a character', at);
  return value;
}
