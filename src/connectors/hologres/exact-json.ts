import type { Json } from '../../lib/json-value.ts';

/** What Node's JSON has beyond the type library: raw numbers out, the source text of numbers in. */
interface ExactJson {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
}
const EXACT = JSON as unknown as ExactJson;

/** JSON text with every bigint written digit by digit (I5). */
export function stringifyJson(value: Json): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? EXACT.rawJSON(String(item)) : item));
}

/** The inverse of stringifyJson: integers beyond 2^53 come as bigint. */
export function parseJson(text: string): Json {
  return EXACT.parse(text, (_, item, { source }) =>
    typeof item === 'number' && !Number.isSafeInteger(item) && source !== undefined && /^-?\d+$/.test(source)
      ? BigInt(source)
      : item,
  ) as Json;
}
