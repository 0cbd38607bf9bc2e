import { createHmac } from 'node:crypto';

/** Who calls. `securityToken` comes with temporary keys; with `region` the signature is of version 4, else of version 2. */
export interface Credential {
  readonly accessId: string;
  readonly accessKey: string;
  readonly securityToken?: string;
  readonly region?: string;
}

export interface RequestToSign {
  readonly method: string;
  /** Below the endpoint's own path, decoded. */
  readonly path: string;
  /** Decoded; an action such as `uploads` has the value ''. */
  readonly params: readonly (readonly [name: string, value: string])[];
  /** With Date; names in any case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The headers that prove who sends a request; `at` is the moment that its Date says. */
export function signatureHeaders(
  request: RequestToSign,
  credential: Credential,
  at: Date,
): Readonly<Record<string, string>> {
  const { accessId, accessKey, securityToken, region } = credential;
  const text = canonicalText(request);
  const scope = region === undefined ? null : [day(at), region, SERVICE, TERMINATOR];
  const key = scope === null ? accessKey : keyOfScope(accessKey, scope);
  const who = scope === null ? accessId : [accessId, ...scope].join('/');
  return {
    Authorization: `ODPS ${who}:${createHmac('sha1', key).update(text).digest('base64')}`,
    ...(securityToken === undefined ? {} : { 'authorization-sts-token': securityToken }),
  };
}

/**
 * What is signed, in lines:
 *
 *   method | Content-MD5 | Content-Type | Date | name:value of each `x-odps-` header and parameter, by name | path?a=b&c
 *
 * Parameters are sorted by name and stand as they were before they were encoded; one without a value stands without `=`.
 * Headers that begin with `odps-tunnel-` are not signed, nor is the body.
 */
export function canonicalText({ method, path, params, headers }: RequestToSign): string {
  const lowered = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const signed = [...lowered, ...params].filter(([name]) => name.startsWith('x-odps-'));
  const query = sortedByName(params).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  return [
    method,
    lowered.get('content-md5') ?? '',
    lowered.get('content-type') ?? '',
    lowered.get('date') ?? '',
    ...sortedByName(signed).map(([name, value]) => `${name}:${value}`),
    path + (query.length === 0 ? '' : `?${query.join('&')}`),
  ].join('\n');
}

const SERVICE = 'odps';
const TERMINATOR = 'aliyun_v4_request';
const SECRET_PREFIX = 'aliyun_v4';

/** Version 4 signs with a key that holds for one day, region and service only. */
function keyOfScope(accessKey: string, scope: readonly string[]): Buffer {
  return scope.reduce(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(SECRET_PREFIX + accessKey),
  );
}

function day(at: Date): string {
  return at.toISOString().slice(0, 10).replaceAll('-', '');
}

/** By the bytes of the names. */
function sortedByName<T extends readonly [string, string]>(pairs: readonly T[]): T[] {
  return pairs.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
