import type { Json, JsonObject } from '../../lib/json-value.ts';

/**
 * An answer as the vendor's gateway writes XML: an element for each key, one after the other for each item of a list,
 * none for null. What XML cannot hold becomes U+FFFD.
 */
export function writeXml(root: string, body: JsonObject): string {
  return `<?xml version='1.0' encoding='UTF-8'?>${element(root, body)}`;
}

function element(name: string, value: Json | undefined): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map((item: Json) => element(name, item)).join('');
  return `<${name}>${content(value)}</${name}>`;
}

function content(value: Exclude<Json, null>): string {
  if (typeof value !== 'object') return escapeText(String(value));
  return Object.entries(value as JsonObject)
    .map(([key, inner]) => element(key, inner))
    .join('');
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };
const SPECIAL = /[&<>\r]/g;
// oxlint-disable-next-line no-control-regex -- these are what XML 1.0 does not allow
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(FORBIDDEN, '\ufffd')
    .replaceAll(SPECIAL, (character) => ESCAPES[character] ?? character);
}
