import { isJsonObject, JsonError, parseJson, stringifyJson } from './json.ts';
import type { Json, JsonObject } from './json-value.ts';

/** What is shown in place of a secret. */
export const MASK = '***';

/** Keys whose values are secrets, in any case: rather one too many. `key` alone is a private one. */
const SECRET_KEY = /pass|pwd|secret|token|credential|jaas|key$/i;
/** A secret within a URL: `//user:secret@host`, or `password=secret` among its settings. */
const IN_URL = /(\/\/[^/?#\s:]*:)[^/?#\s]*(?=@)/g;
const IN_SETTINGS = /((?:(?:pass|pwd|secret|token|credential|jaas)[\w.]{0,20}|key)=)(?:"[^"]*"|'[^']*'|[^&;,)\s]*)/gi;
const LOOKS_LIKE_JSON = /^\s*[{[]/;

/**
 * The same content with every secret replaced, however deep it lies: under its key, within a URL, in JSON that is a text within JSON, and
 * in pairs such as `{ key: 'sasl.jaas.config', value: '…' }`.
 */
export function maskSecrets(content: Json): Json {
  if (typeof content === 'string') return LOOKS_LIKE_JSON.test(content) ? maskedInner(content) : maskText(content);
  if (Array.isArray(content)) return content.map((item: Json) => maskSecrets(item));
  if (!isJsonObject(content)) return content;
  return Object.fromEntries(
    Object.entries(content).map(([name, value]) => [name, isSecret(content, name) ? MASK : maskSecrets(value)]),
  );
}

/** The same for a text that is to be JSON; one that is not could be anything. */
export function maskJsonText(text: string): string {
  const content = parsed(text);
  return content === undefined ? MASK : stringifyJson(maskSecrets(content));
}

/** Of a text that is no JSON, secrets within a URL are masked. */
export function maskText(text: string): string {
  if (!text.includes('=') && !text.includes('//')) return text;
  return text.replace(IN_URL, `$1${MASK}`).replace(IN_SETTINGS, `$1${MASK}`);
}

/** The place of the first secret that is only the mask, such as `ssl.key`; null when there is none. */
export function maskedKey(content: Json, path = ''): string | null {
  if (typeof content === 'string')
    return LOOKS_LIKE_JSON.test(content) ? maskedKey(parsed(content) ?? null, path) : null;
  if (content === null || typeof content !== 'object') return null;
  for (const [name, value] of Object.entries(content)) {
    const place = path === '' ? name : `${path}.${name}`;
    const isMask = typeof value === 'string' && /^\*{3,}$/.test(value);
    if (isMask && isJsonObject(content) && isSecret(content, name)) return place;
    const inside = maskedKey(value as Json, place);
    if (inside !== null) return inside;
  }
  return null;
}

/** What only begins like JSON may be a text such as `[a] b`, or half of something with a secret in it. */
function maskedInner(text: string): string {
  const content = parsed(text);
  if (content !== undefined) return stringifyJson(maskSecrets(content));
  return /pass|pwd|secret|token|credential|jaas|key/i.test(text) ? MASK : maskText(text);
}

function parsed(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** By its own name; what stands under `value` by the name beside it; and a `key` that is only the name of one `value` is none. */
function isSecret(object: JsonObject, name: string): boolean {
  const value = object[name];
  if (value === null || value === '') return false;
  const kind = name.toLowerCase();
  const beside = Object.entries(object).filter(([other]) => other !== name);
  if (kind === 'value') return beside.some(([other, said]) => isName(other) && isSecretName(said));
  const isOnlyAName = beside.length === 1 && beside[0]?.[0].toLowerCase() === 'value';
  return SECRET_KEY.test(name) && !(kind === 'key' && isOnlyAName && isShort(value));
}

function isName(key: string): boolean {
  return ['key', 'name'].includes(key.toLowerCase());
}

function isSecretName(said: Json | undefined): boolean {
  return typeof said === 'string' && SECRET_KEY.test(said);
}

/** As names are, and private keys are not. */
function isShort(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[\w.-]{1,128}$/.test(value);
}
