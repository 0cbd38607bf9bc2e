import { ApiError } from '../errors.ts';
import { percentDecode } from './percent-encoding.ts';

export type ParameterTexts = ReadonlyMap<string, string>;

/** A job of 1,000 tables, flattened, has about 8,000 values. */
const COUNT_MAX = 20_000;
const NAME_LENGTH_MAX = 256;

/**
 * Reads `a=1&b=2`, of a query or of a form body. Empty values stay, a name without `=` has an empty value.
 * Errors: ApiError 400 on a broken escape, a name given twice, or more than 20,000 names.
 */
export function decodeParameters(encoded: string): ParameterTexts {
  const found = new Map<string, string>();
  if (encoded === '') return found;
  for (const pair of encoded.split('&', COUNT_MAX + 1)) {
    if (pair === '') continue;
    if (found.size === COUNT_MAX) throw refuse(`There are more than ${COUNT_MAX} parameters.`);
    const equals = pair.indexOf('=');
    const name = percentDecode(equals === -1 ? pair : pair.slice(0, equals));
    if (name.length > NAME_LENGTH_MAX)
      throw refuse(`A parameter has a name of more than ${NAME_LENGTH_MAX} characters.`);
    if (found.has(name)) throw twice(name);
    found.set(name, equals === -1 ? '' : percentDecode(pair.slice(equals + 1)));
  }
  return found;
}

/** Query and form together. Errors: ApiError 400 when both have a name: readers differ in which one they believe. */
export function mergeParameters(query: ParameterTexts, form: ParameterTexts): ParameterTexts {
  const merged = new Map(query);
  for (const [name, text] of form) {
    if (merged.has(name)) throw twice(name);
    merged.set(name, text);
  }
  return merged;
}

function twice(name: string): ApiError {
  return refuse(`The parameter ${JSON.stringify(name)} is given twice.`);
}

function refuse(message: string): ApiError {
  return new ApiError(400, 'InvalidParameter', message, {
    hint: 'Send each parameter once, in the query or in the body.',
  });
}
