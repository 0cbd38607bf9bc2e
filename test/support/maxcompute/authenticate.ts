import type { IncomingMessage } from 'node:http';
import { type Credential, signatureHeaders } from '../../../src/connectors/maxcompute/protocol/sign-request.ts';
import { Refusal, XML } from './refusal.ts';

const SKEW_MS_MAX = 15 * 60_000;

/** Refuses a call that is not signed with the key, with version 2 or 4 as the header says, or not of this time. */
export function authenticate(method: string, url: URL, { headers }: IncomingMessage, credential: Credential): void {
  const given = headers.authorization ?? '';
  const at = new Date(headers.date ?? '');
  if (!(Math.abs(at.getTime() - Date.now()) <= SKEW_MS_MAX))
    throw new Refusal(401, 'RequestTimeTooSkewed', 'the Date of the call is not now', XML);
  const plain = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join() : (value ?? '')]),
  );
  const request = {
    method,
    path: decodeURIComponent(url.pathname).replace(/^\/api(?=\/)/, ''),
    params: [...url.searchParams],
    headers: plain,
  };
  const [, region] = /^ODPS [^/:]+\/\d{8}\/([^/]+)\/odps\/aliyun_v4_request:/.exec(given) ?? [];
  const key = region === undefined ? credential : { ...credential, region };
  const { Authorization: wanted, ...others } = signatureHeaders(request, key, at);
  const differs = Object.entries(others).some(([name, value]) => plain[name] !== value);
  if (given !== wanted || differs)
    throw new Refusal(401, 'SignatureNotMatch', 'the signature is not that of the key', XML);
}
