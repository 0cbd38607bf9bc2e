import type { Finding } from '../../../pipeline/connector.ts';
import { atLeast, type ServerFacts } from '../server-facts.ts';

/** What is wrong, what follows from it, and what to do. */
export interface Trouble {
  readonly found: string;
  readonly consequence: string;
  readonly remedy: string;
}

export function fine(about: string, found: string, consequence = ''): Finding {
  return { level: 'fine', about, code: null, found, consequence, remedy: '' };
}

export function warning(about: string, trouble: Trouble): Finding {
  return { level: 'warning', about, code: null, ...trouble };
}

export function problem(code: string, about: string, trouble: Trouble): Finding {
  return { level: 'problem', about, code, ...trouble };
}

/** `found: consequence`, as plans and errors say it. */
export function textOf({ found, consequence }: Finding): string {
  return `${found}: ${consequence}`;
}

/** The statement that gives a setting a value for good, as far as this version has one. */
export function setStatement({ family, version }: Pick<ServerFacts, 'family' | 'version'>, setting: string): string {
  return family === 'mysql' && atLeast(version, [8, 0, 0])
    ? `SET PERSIST ${setting};`
    : `SET GLOBAL ${setting}; and ${inConfiguration(setting)}, so that it stays.`;
}

export function inConfiguration(setting: string): string {
  return `write ${setting} under [mysqld] in the server's configuration`;
}

export function grantStatement({ account }: Pick<ServerFacts, 'account'>, right: string, on = '*.*'): string {
  return `GRANT ${right} ON ${on} TO ${account};`;
}
