import { readFileSync } from 'node:fs';
import { isJsonObject, parseJson } from './json.ts';

/** Ours, as package.json says it. */
export const VERSION = readVersion();

function readVersion(): string {
  const own = parseJson(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version = isJsonObject(own) ? own['version'] : null;
  if (typeof version !== 'string') throw new Error('package.json tells no version');
  return version;
}
