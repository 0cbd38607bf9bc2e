import { hash, randomBytes } from 'node:crypto';
import { percentEncode } from '../api/rpc/percent-encoding.ts';
import { signV1, stringToSignV1 } from '../api/signature/v1.ts';
import { signV3, stringToSignV3, V3_ALGORITHM } from '../api/signature/v3.ts';

export interface Call {
  readonly action: string;
  readonly version: string;
  readonly parameters: ReadonlyMap<string, string>;
}

export interface Signer {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Of temporary credentials; else null. */
  readonly securityToken: string | null;
  readonly now: number;
}

/** A POST to `/`, every parameter in its form body, so that scripts may be long. */
export interface SignedCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const FORM = 'application/x-www-form-urlencoded';

/** ACS3-HMAC-SHA256. `host` is what the Host header will say, port included. */
export function signCallV3(call: Call, host: string, signer: Signer): SignedCall {
  const { accessKeyId, accessKeySecret, securityToken, now } = signer;
  const body = encodeForm(call.parameters);
  const headers: Record<string, string> = {
    host,
    'content-type': FORM,
    'x-acs-action': call.action,
    'x-acs-version': call.version,
    'x-acs-date': utcSecond(now),
    'x-acs-signature-nonce': randomBytes(16).toString('hex'),
    'x-acs-content-sha256': hash('sha256', body),
    ...(securityToken === null ? {} : { 'x-acs-security-token': securityToken }),
  };
  const signedHeaders = Object.keys(headers).toSorted();
  const received = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const stringToSign = stringToSignV3({ method: 'POST', query: new Map(), headers: received, signedHeaders });
  const authorization = [
    `${V3_ALGORITHM} Credential=${accessKeyId}`,
    `SignedHeaders=${signedHeaders.join(';')}`,
    `Signature=${signV3(stringToSign, accessKeySecret)}`,
  ];
  return { headers: { ...headers, authorization: authorization.join(',') }, body };
}

/** HMAC-SHA1 over the parameters, the older form. */
export function signCallV1(call: Call, { accessKeyId, accessKeySecret, securityToken, now }: Signer): SignedCall {
  const parameters = new Map([
    ['AccessKeyId', accessKeyId],
    ['Action', call.action],
    ['Version', call.version],
    ['Format', 'JSON'],
    ['SignatureMethod', 'HMAC-SHA1'],
    ['SignatureVersion', '1.0'],
    ['SignatureNonce', randomBytes(16).toString('hex')],
    ['Timestamp', utcSecond(now)],
    ...(securityToken === null ? [] : [['SecurityToken', securityToken] as const]),
    ...call.parameters,
  ]);
  const signature = signV1(stringToSignV1('POST', parameters), accessKeySecret);
  return { headers: { 'content-type': FORM }, body: encodeForm(parameters.set('Signature', signature)) };
}

function encodeForm(parameters: ReadonlyMap<string, string>): string {
  return [...parameters].map(([name, text]) => `${percentEncode(name)}=${percentEncode(text)}`).join('&');
}

function utcSecond(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
