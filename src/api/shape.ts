import { isJsonObject, JsonError, parseJson } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import { invalidParameter } from './errors.ts';

/** What a value inside a structured parameter must be, and what the catalogue says about it. */
export interface Shape<T> {
  readonly type: 'long' | 'integer' | 'number' | 'string' | 'boolean' | 'object' | 'list';
  /** What is accepted, for people. */
  readonly rule: string;
  /** Of the object, or of each object in the list, by name. */
  readonly members: Members;
  /** Errors: ApiError 400 that names the place, such as `TableMappings[2].Expression`, and what should be there. */
  read(value: Json, place: string): T;
}

/** A key of an object. */
export interface Member<T> {
  readonly shape: Shape<unknown>;
  readonly required: boolean;
  readonly meaning: string;
  readonly note: string;
  read(value: Json | undefined, place: string): T;
}

export type Members = Readonly<Record<string, Member<unknown>>>;
export type MemberValues<M extends Members> = {
  readonly [Name in keyof M]: M[Name] extends Member<infer T> ? T : never;
};

/** A key that must be there, and neither null nor an empty text. */
export function required<T>(shape: Shape<T>, meaning: string, note = ''): Member<T> {
  return {
    shape,
    required: true,
    meaning,
    note,
    read: (value, place) => {
      if (value === undefined || isEmpty(value))
        throw invalidParameter(`${place} is missing; it must be ${shape.rule}.`);
      return shape.read(value, place);
    },
  };
}

/** A key that may be missing, null or an empty text: then null. */
export function maybe<T>(shape: Shape<T>, meaning: string, note = ''): Member<T | null> {
  const read = (value: Json | undefined, place: string) =>
    value === undefined || isEmpty(value) ? null : shape.read(value, place);
  return { shape, required: false, meaning, note, read };
}

/** An object of these keys and no others: one that nobody reads would be ignored in silence. */
export function objectOf<M extends Members>(members: M): Shape<MemberValues<M>> {
  const rule = `object of ${Object.keys(members).join(', ')}`;
  return {
    type: 'object',
    rule,
    members,
    read: (value, place) => {
      const object = readObject(value, place, rule);
      const unknown = Object.keys(object).find((key) => !Object.hasOwn(members, key));
      if (unknown !== undefined)
        throw invalidParameter(`${place} must be an ${rule}; ${JSON.stringify(unknown.slice(0, 40))} is none of them.`);
      const entries = Object.entries(members).map(([key, member]) => [
        key,
        member.read(object[key], `${place}.${key}`),
      ]);
      // Each value was read by the member of its own name.
      return Object.fromEntries(entries) as MemberValues<M>;
    },
  };
}

export function listOf<T>(item: Shape<T>, { max, min = 0 }: { max: number; min?: number }): Shape<readonly T[]> {
  const rule = `list of ${min === 0 ? 'at most' : `${min} to`} ${max}, each ${article(item.rule)}`;
  return {
    type: 'list',
    rule,
    members: item.members,
    read: (value, place) => {
      const list = unwrapped(value, place, rule);
      if (!Array.isArray(list)) throw invalidParameter(`${place} must be a ${rule}.`);
      if (list.length < min || list.length > max)
        throw invalidParameter(`${place} must be a ${rule}; there are ${list.length}.`);
      return list.map((one: Json, index) => item.read(one, `${place}[${index + 1}]`));
    },
  };
}

/** An object of names and texts. Its names become elements where it is shown as XML. */
export function textMap({
  max,
  maxLength,
}: {
  max: number;
  maxLength: number;
}): Shape<Readonly<Record<string, string>>> {
  const rule = `object of at most ${max} texts, under names of letters, digits, _, . and -`;
  const text = line({ maxLength });
  return {
    type: 'object',
    rule,
    members: {},
    read: (value, place) => {
      const entries = Object.entries(readObject(value, place, rule));
      if (entries.length > max) throw invalidParameter(`${place} must be an ${rule}; there are ${entries.length}.`);
      if (!entries.every(([name]) => /^[A-Za-z_][\w.-]{0,99}$/.test(name)))
        throw invalidParameter(`${place} must be an ${rule}.`);
      return Object.fromEntries(entries.map(([name, one]) => [name, text.read(one, `${place}.${name}`)]));
    },
  };
}

/** A text, on one line unless it may have `lines`. A number or a boolean is taken for its text: clients of loose types send them so. */
export function line({ maxLength, lines = false }: { maxLength: number; lines?: boolean }): Shape<string> {
  const forbidden = lines ? /\0/ : /\p{Cc}/u;
  const rule = `text of at most ${maxLength} characters`;
  return {
    type: 'string',
    rule,
    members: {},
    read: (value, place) => {
      const text = typeof value === 'string' ? value : isScalar(value) ? String(value) : null;
      if (text === null) throw invalidParameter(`${place} must be a ${rule}.`);
      if (text.length > maxLength) throw invalidParameter(`${place} must be a ${rule}; it has ${text.length}.`);
      if (forbidden.test(text)) throw invalidParameter(`${place} must hold no control character.`);
      return text;
    },
  };
}

export function oneOf<const Value extends string>(values: readonly Value[]): Shape<Value> {
  const rule = `one of ${values.join(', ')}`;
  return {
    type: 'string',
    rule,
    members: {},
    read: (value, place) => {
      const found = values.find((one) => one === value);
      if (found === undefined) throw invalidParameter(`${place} must be ${rule}.`);
      return found;
    },
  };
}

/** A whole number, also as digits in a text. */
export function whole({ min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number }): Shape<number> {
  const rule = max === Number.MAX_SAFE_INTEGER ? `whole number from ${min}` : `whole number from ${min} to ${max}`;
  return {
    type: 'long',
    rule,
    members: {},
    read: (value, place) => {
      const number = typeof value === 'string' && /^(?:0|-?[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < min || number > max)
        throw invalidParameter(`${place} must be a ${rule}.`);
      return number;
    },
  };
}

/** A number that may have a fraction, also as a text. */
export function decimal({ min, max }: { min: number; max: number }): Shape<number> {
  const rule = `number from ${min} to ${max}`;
  return {
    type: 'number',
    rule,
    members: {},
    read: (value, place) => {
      const number = typeof value === 'string' && /^\d{1,15}(?:\.\d{1,15})?$/.test(value) ? Number(value) : value;
      if (typeof number !== 'number' || number < min || number > max)
        throw invalidParameter(`${place} must be a ${rule}.`);
      return number;
    },
  };
}

/** true or false, also as a text in any case. */
export const yesOrNo: Shape<boolean> = {
  type: 'boolean',
  rule: 'true or false',
  members: {},
  read: (value, place) => {
    const text = typeof value === 'string' ? value.toLowerCase() : value;
    if (text === true || text === 'true') return true;
    if (text === false || text === 'false') return false;
    throw invalidParameter(`${place} must be true or false.`);
  },
};

function readObject(value: Json, place: string, rule: string): JsonObject {
  const object = unwrapped(value, place, rule);
  if (!isJsonObject(object)) throw invalidParameter(`${place} must be an ${rule}.`);
  return object;
}

/** Where an object or a list is meant, a text is its JSON: clients that flatten one level leave the rest so. */
function unwrapped(value: Json, place: string, rule: string): Json {
  if (typeof value !== 'string') return value;
  try {
    return parseJson(value, STRUCTURE_LIMITS);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw invalidParameter(`${place} must be the JSON of a value (${rule}): ${error.message}.`);
  }
}

/** A job of 1,000 tables, each named by three rules of its own, has about 40,000 values. */
export const STRUCTURE_LIMITS = { depth: 12, nodes: 200_000 };

function isEmpty(value: Json): boolean {
  return value === null || value === '';
}

function article(rule: string): string {
  return /^one\b|^true\b/.test(rule) ? rule : `${/^[aeiou]/.test(rule) ? 'an' : 'a'} ${rule}`;
}

function isScalar(value: Json): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}
