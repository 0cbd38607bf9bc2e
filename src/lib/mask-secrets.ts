import { isJsonObject, JsonError, parseJson, stringifyJson } from './json.ts';
import type { Json, JsonObject } from './json-value.ts';

/** What is shown in place of a secret. */
export const MASK = '***';

/** Keys whose values are secrets, in any case: rather one too many. `key` alone is a private one. */
const SECRET_KEY = /pass|pwd|secret|token|credential|jaas|key$/i;
/** A secret within a URL: `//user:secret@host`, or `password=secret` among its settings. */
const IN_URL = /(\/\/[^/?#\s:]*:)[^/?#\s]*(?=@)/g;
const IN_SETTINGS = /((?:passw(?:or)?d|pwd|passphrase|secret|token|accesskey)=)[^&;,)\s]*/gi;

/**
 * The same content with every secret replaced, however deep it lies: under its key, within a URL, in JSON that is a text within JSON, and
 * in pairs such as `{ key: 'sasl.jaas.config', value: '…' }`.
 */
export function maskSecrets(content: Json): Json {
  if (typeof content === 'string') return /^\s*[{[]/.test(content) ? maskJsonText(content) : maskText(content);
  if (Array.isArray(content)) return content.map((item: Json) => maskSecrets(item));
  if (!isJsonObject(content)) return content;
  return Object.fromEntries(
    Object.entries(content).map(([name, value]) => [
      name,
      isSecret(nameWithin(content, name), value) ? MASK : maskSecrets(value),
    ]),
  );
}

/** The same for a text that is to be JSON; one that is not could be anything. */
export function maskJsonText(text: string): string {
  try {
    return stringifyJson(maskSecrets(parseJson(text)));
  } catch (error) {
    if (error instanceof JsonError) return MASK;
    throw error;
  }
}

/** Of a text that is no JSON, secrets within a URL are masked. */
export function maskText(text: string): string {
  if (!text.includes('=') && !text.includes('//')) return text;
  return text.replace(IN_URL, `$1${MASK}`).replace(IN_SETTINGS, `$1${MASK}`);
}

/** The first key whose secret is only the mask, such as `ssl.key`; null when there is none. */
export function maskedKey(content: Json, path = ''): string | null {
  if (content === null || typeof content !== 'object') return null;
  for (const [name, value] of Object.entries(content)) {
    const place = path === '' ? name : `${path}.${name}`;
    if (SECRET_KEY.test(name) && typeof value === 'string' && /^\*{3,}$/.test(value)) return place;
    const inside = maskedKey(value as Json, place);
    if (inside !== null) return inside;
  }
  return null;
}

/** The halves of a pair that says its name: the name stands under `key`, and names what stands under `value`. */
const PAIRS: ReadonlyMap<string, string> = new Map([
  ['key', 'value'],
  ['Key', 'Value'],
  ['name', 'value'],
  ['Name', 'Value'],
]);

/** Under which name a value is to be judged. */
function nameWithin(object: JsonObject, name: string): string {
  for (const [half, other] of PAIRS) {
    const said = object[half];
    if (typeof said !== 'string' || object[other] === undefined) continue;
    if (name === half) return 'name';
    if (name === other) return said;
  }
  return name;
}

function isSecret(name: string, value: Json): boolean {
  return SECRET_KEY.test(name) && value !== null && value !== '';
}
