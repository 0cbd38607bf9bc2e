import { createHmac, hash } from 'node:crypto';
import { percentEncode } from '../rpc/percent-encoding.ts';
import { canonicalParameters } from './v1.ts';

export const V3_ALGORITHM = 'ACS3-HMAC-SHA256';

/** What a V3 signature is made over, beside the body: that is covered by `x-acs-content-sha256`. */
export interface V3Parts {
  readonly method: string;
  readonly query: ReadonlyMap<string, string>;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Lower-case names, as listed in Authorization. */
  readonly signedHeaders: readonly string[];
}

/**
 * The text that a V3 signature is made over.
 * Source: product page "V3 request structure"; test/vectors.
 */
export function stringToSignV3(parts: V3Parts, encodeName: (name: string) => string = percentEncode): string {
  return `${V3_ALGORITHM}\n${hash('sha256', canonicalRequest(parts, encodeName))}`;
}

export function signV3(stringToSign: string, secret: string): string {
  return createHmac('sha256', secret).update(stringToSign).digest('hex');
}

function canonicalRequest(
  { method, query, headers, signedHeaders }: V3Parts,
  encodeName: (name: string) => string,
): string {
  const lines = [...signedHeaders].sort().map((name) => `${name}:${valueOf(headers, name)}\n`);
  const bodyHash = valueOf(headers, 'x-acs-content-sha256');
  return [method, '/', canonicalParameters(query, encodeName), lines.join(''), signedHeaders.join(';'), bodyHash].join(
    '\n',
  );
}

function valueOf(headers: V3Parts['headers'], name: string): string {
  return [...(headers.get(name) ?? [])]
    .map((value) => value.trim())
    .sort()
    .join(',');
}

/**
 * True when a client that leaves names unencoded would sign another text, and that text can be taken apart in one way
 * only: a name with `&` or `=` in it could stand for two parameters.
 */
export function rawNamesMatter(query: ReadonlyMap<string, string>): boolean {
  const names = [...query.keys()];
  return names.some((name) => percentEncode(name) !== name) && !names.some((name) => /[&=%\n]/.test(name));
}
