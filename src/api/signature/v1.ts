import { createHmac } from 'node:crypto';
import { percentEncode } from '../rpc/percent-encoding.ts';

/**
 * What a V1 signature is made over: the method and every parameter of query and form but `Signature`, sorted by name.
 * Source: product page "V2 request structure" (its parameter SignatureVersion is 1.0); test/vectors.
 */
export function stringToSignV1(method: string, parameters: ReadonlyMap<string, string>): string {
  const joined = canonicalParameters(
    [...parameters].filter(([name]) => name !== 'Signature'),
    percentEncode,
  );
  return `${method}&%2F&${percentEncode(joined)}`;
}

export function signV1(stringToSign: string, secret: string): string {
  return createHmac('sha1', `${secret}&`).update(stringToSign).digest('base64');
}

/** `name=value` pairs sorted by the name as it is before encoding; also the canonical query of V3. */
export function canonicalParameters(
  parameters: Iterable<readonly [string, string]>,
  encodeName: (name: string) => string,
): string {
  return [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${encodeName(name)}=${percentEncode(value)}`)
    .join('&');
}
