import type { Json } from './json-value.ts';

/** What is shown in place of a secret. */
export const MASK = '***';

/** Keys whose values are secrets, in any case: rather one too many. `key` alone is a private one. */
const SECRET_KEY = /passw(?:or)?d|pwd|passphrase|secret|token|credential|key$/i;
/** A secret within a URL: `//user:secret@host`, or `password=secret` among its settings. */
const IN_URL = /(\/\/[^/?#\s:]*:)[^/?#\s]*(?=@)/g;
const IN_SETTINGS = /((?:passw(?:or)?d|pwd|passphrase|secret|token|accesskey)=)[^&;,)\s]*/gi;

/** The same content with every secret replaced, however deep it lies, also where it stands within a URL. */
export function maskSecrets(content: Json): Json {
  if (typeof content === 'string') return content.replace(IN_URL, `$1${MASK}`).replace(IN_SETTINGS, `$1${MASK}`);
  if (Array.isArray(content)) return content.map((item: Json) => maskSecrets(item));
  if (content === null || typeof content !== 'object') return content;
  return Object.fromEntries(
    Object.entries(content).map(([name, value]) => [name, isSecret(name, value) ? MASK : maskSecrets(value)]),
  );
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

function isSecret(name: string, value: Json): boolean {
  return SECRET_KEY.test(name) && value !== null && value !== '';
}
