import { JsonError, type JsonLimits, parseJson, parseJsonObject } from '../lib/json.ts';
import { invalidParameter, missingParameter } from './errors.ts';
import { structuredText } from './rpc/flattened.ts';
import { line, type Members, oneOf, type Shape, STRUCTURE_LIMITS, whole, yesOrNo } from './shape.ts';

/** One parameter of an operation: how its text is read, and what the catalogue says about it. */
export interface Parameter<T> {
  readonly type: 'long' | 'integer' | 'string' | 'boolean' | 'object' | 'list';
  readonly required: boolean;
  readonly meaning: string;
  /** What is accepted, for people. */
  readonly rule: string;
  /** What is special about it here; empty when there is nothing. */
  readonly note: string;
  /** True when the text is JSON, so that equal values may differ as text. */
  readonly json: boolean;
  /** True when the text is not to be kept anywhere but where it belongs. */
  readonly secret: boolean;
  /** Of an object, or of each object in a list; of others there are none. */
  readonly members: Members;
  /** Errors: ApiError 400 that names the parameter and what it should be. `text` is never empty. */
  read(text: string, name: string): T;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;
export type ParameterValues<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer T> ? T : never;
};

/**
 * Reads the parameters of one operation; others are ignored. Missing and empty are the same.
 * Errors: ApiError `Missing{Name}` for the first required one that is missing, else of the first that is wrong.
 */
export function readParameters<P extends Parameters>(specs: P, given: ReadonlyMap<string, string>): ParameterValues<P> {
  const texts = Object.entries(specs).map(([name, spec]) => ({ name, spec, text: textOf(name, spec, given) }));
  const missing = texts.find(({ spec, text }) => spec.required && text === '');
  if (missing !== undefined) throw missingParameter(missing.name);
  const values = texts.map(({ name, spec, text }) => [name, text === '' ? null : spec.read(text, name)]);
  // Each value was read by the spec of its own name, and only optional ones are null.
  return Object.fromEntries(values) as ParameterValues<P>;
}

/** The text of one parameter; empty when it is missing. */
export function textOf(name: string, { type }: Parameter<unknown>, given: ReadonlyMap<string, string>): string {
  return type === 'object' || type === 'list' ? structuredText(name, given) : (given.get(name) ?? '');
}

interface About {
  readonly meaning: string;
  readonly note?: string;
}

/** A 64-bit id, exact. */
export function id<Id extends bigint>(about: About): Parameter<Id> {
  const rule = 'whole number, 64 bits';
  return spec({ ...about, type: 'long', rule, read: (text, name) => readLong(text, name) as Id });
}

export function integer(about: About & { readonly min: number; readonly max: number }): Parameter<number> {
  return scalar('integer', about, whole(about));
}

/** Whole numbers, separated by commas. */
export function numbers(about: About & { readonly max: number }): Parameter<readonly bigint[]> {
  const rule = `at most ${about.max} whole numbers, separated by commas`;
  return spec({
    ...about,
    type: 'string',
    rule,
    read: (value, name) => {
      const texts = value.split(',', about.max + 1);
      if (texts.length > about.max) throw invalidParameter(`${name} must be ${rule}.`);
      return texts.map((one) => readLong(one.trim(), name));
    },
  });
}

export function text(about: About & { readonly maxLength: number; readonly lines?: boolean }): Parameter<string> {
  return scalar('string', about, line(about));
}

export function choice<const Value extends string>(
  about: About & { readonly values: readonly Value[] },
): Parameter<Value> {
  return scalar('string', about, oneOf(about.values));
}

/** The text of a JSON object: checked here, so that what passes can be read; handed on as it came. */
export function jsonObject(
  about: About & { readonly maxLength: number; readonly limits?: JsonLimits; readonly secret?: boolean },
): Parameter<string> {
  return spec({
    ...about,
    type: 'string',
    rule: `JSON object in a string, at most ${about.maxLength} characters`,
    json: true,
    read: (value, name) => {
      checkLength(value, name, about.maxLength);
      try {
        parseJsonObject(value, about.limits);
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        throw invalidParameter(`${name} must be a JSON object: ${error.message}.`);
      }
      return value;
    },
  });
}

/** true or false, in any case. */
export function flag(about: About): Parameter<boolean> {
  return scalar('boolean', about, yesOrNo);
}

/** A value that is read alike on its own and inside a structure. */
function scalar<T>(type: Parameter<T>['type'], { meaning, note }: About, { rule, read }: Shape<T>): Parameter<T> {
  return spec({ type, meaning, rule, read, ...(note === undefined ? {} : { note }) });
}

/** An object or a list, as one JSON text or flattened. */
export function structure<T>(
  about: About & { readonly shape: Shape<T>; readonly maxLength: number; readonly secret?: boolean },
): Parameter<T> {
  const { shape, maxLength } = about;
  return spec({
    ...about,
    type: shape.type === 'list' ? 'list' : 'object',
    rule: `${shape.rule}; at most ${maxLength} characters`,
    json: true,
    members: shape.members,
    read: (value, name) => {
      checkLength(value, name, maxLength);
      try {
        return shape.read(parseJson(value, STRUCTURE_LIMITS), name);
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        throw invalidParameter(`${name} must be a JSON ${shape.type}: ${error.message}.`);
      }
    },
  });
}

/** Protects from repeats (see Idempotence in tasks/task-service.ts). */
export function clientToken(): Parameter<string | null> {
  const rule = 'at most 64 ASCII characters';
  return optional(
    spec({
      meaning: 'chosen by the caller; repeating a call with the same token and parameters replays its answer',
      type: 'string',
      rule,
      read: (value, name) => {
        if (!/^[\x20-\x7e]{1,64}$/.test(value)) throw invalidParameter(`${name} must be ${rule}.`);
        return value;
      },
    }),
  );
}

/** May be missing or empty: then null. */
export function optional<T>(parameter: Parameter<T>): Parameter<T | null> {
  return { ...parameter, required: false };
}

function spec<T>(
  given: Pick<Parameter<T>, 'type' | 'meaning' | 'rule' | 'read'> & {
    json?: boolean;
    secret?: boolean;
    note?: string;
    members?: Members;
  },
): Parameter<T> {
  const { type, meaning, rule, read, json = false, secret = false, note = '', members = {} } = given;
  return { type, required: true, meaning, rule, note, json, secret, members, read };
}

function readLong(value: string, name: string): bigint {
  const refusal = `${name} must be a whole number in decimal digits, within 64 bits; it is ${shown(value)}.`;
  if (!/^(?:0|-?[1-9][0-9]{0,18})$/.test(value)) throw invalidParameter(refusal);
  const number = BigInt(value);
  if (BigInt.asIntN(64, number) !== number) throw invalidParameter(refusal);
  return number;
}

function checkLength(value: string, name: string, maxLength: number): void {
  if (value.length <= maxLength) return;
  throw invalidParameter(`${name} must have at most ${maxLength} characters; it has ${value.length}.`);
}

/** A short value for a message; only for parameters that never hold a secret. */
function shown(value: string): string {
  return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
}
