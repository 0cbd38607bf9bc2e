import { JsonError, parseJsonObject, stringifyJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json-value.ts';
import { ApiError } from '../errors.ts';
import type { ParameterTexts } from './parameters.ts';

/** Names beside each other, not a document: a parameter that is one comes as a text. */
const LIMITS = { depth: 32, nodes: 20_000 };

/**
 * Query and JSON body together. The first generation of the vendor's V3 clients, the Java one to this day, sends every
 * parameter in the query, and all of them once more as a JSON object. A null is left out.
 * Errors: ApiError 400 on a body that is no JSON object, or that says something else than the query does.
 */
export function mergeJsonBody(query: ParameterTexts, body: Uint8Array): ParameterTexts {
  const merged = new Map(query);
  for (const [name, value] of Object.entries(readObject(body))) {
    if (value === null) continue;
    const text = textOf(value);
    if ((merged.get(name) ?? text) !== text) {
      throw refuse(`The parameter ${JSON.stringify(name)} is another one in the query than in the body.`);
    }
    merged.set(name, text);
  }
  return merged;
}

function readObject(body: Uint8Array): Readonly<Record<string, Json>> {
  try {
    return parseJsonObject(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body), LIMITS);
  } catch (error) {
    if (error instanceof JsonError) throw refuse(`The body is not the JSON that it should be: ${error.message}.`);
    throw refuse('The body is not UTF-8.');
  }
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : stringifyJson(value);
}

function refuse(message: string): ApiError {
  return new ApiError(400, 'InvalidParameter', message, {
    hint: 'Send each parameter once, in the query or in the body.',
  });
}
