import { ApiError, missingParameter } from '../errors.ts';
import { claimsV3, headerOf, type RpcRequest } from '../rpc/request.ts';
import { V3_ALGORITHM } from './v3.ts';

/** What a request says of itself, not yet verified. */
export type Credential =
  | {
      readonly kind: 'v1';
      readonly accessKeyId: string;
      readonly signature: string;
      readonly timestamp: string;
      readonly nonce: string;
      /** Of temporary credentials; else null. */
      readonly securityToken: string | null;
    }
  | {
      readonly kind: 'v3';
      readonly accessKeyId: string;
      readonly signature: string;
      readonly timestamp: string;
      readonly nonce: string;
      readonly securityToken: string | null;
      readonly signedHeaders: readonly string[];
    };

const NONCE_LENGTH_MAX = 128;

/** Ids of temporary credentials begin so, as the vendor's do; ids of others do not. */
export function isTemporary(accessKeyId: string): boolean {
  return accessKeyId.startsWith('STS.');
}

/** True when the request is, or claims to be, signed with V3: its action is then in its headers. */
export function isV3(request: Pick<RpcRequest, 'headers'>): boolean {
  return claimsV3(request) || request.headers.has('x-acs-bearer-token');
}

/** Errors: ApiError for what is missing or malformed, and for bearer tokens. */
export function readCredential(request: RpcRequest): Credential {
  refuseBearerToken(request);
  const credential = isV3(request) ? readV3(request) : readV1(request);
  if (credential.nonce.length > NONCE_LENGTH_MAX) {
    throw new ApiError(
      400,
      'InvalidSignatureNonce',
      `Specified parameter SignatureNonce is not valid. It has more than ${NONCE_LENGTH_MAX} characters.`,
    );
  }
  return credential;
}

/** The key that a request names, whatever its signature; null when it names none. For `--dev`. */
export function claimedKeyId(request: RpcRequest): string | null {
  const fromHeader = /Credential=([^,\s]+)/.exec(headerOf(request, 'authorization') ?? '')?.[1];
  return fromHeader ?? (request.parameters.get('AccessKeyId') || null);
}

function readV1({ parameters }: RpcRequest): Credential {
  const take = (name: string): string => {
    const text = parameters.get(name) ?? '';
    if (text === '') throw missingParameter(name);
    return text;
  };
  const accessKeyId = take('AccessKeyId');
  const signature = take('Signature');
  if (take('SignatureMethod').toUpperCase() !== 'HMAC-SHA1')
    throw invalidMethod('Sign with HMAC-SHA1, or with ACS3-HMAC-SHA256.');
  if (take('SignatureVersion') !== '1.0') {
    throw new ApiError(
      400,
      'InvalidSignatureVersion',
      'Specified parameter SignatureVersion is not valid. It must be 1.0.',
    );
  }
  const securityToken = parameters.get('SecurityToken') || null;
  const [timestamp, nonce] = [take('Timestamp'), take('SignatureNonce')];
  return { kind: 'v1', accessKeyId, signature, timestamp, nonce, securityToken };
}

const AUTHORIZATION = /^(\S+) Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([^,\s]+)$/;

function readV3(request: RpcRequest): Credential {
  const authorization = headerOf(request, 'authorization') ?? '';
  const algorithm = authorization.split(' ', 1)[0];
  if (algorithm !== V3_ALGORITHM) throw invalidMethod(`Sign with ${V3_ALGORITHM}.`);
  const match = AUTHORIZATION.exec(authorization);
  if (match === null) {
    throw incomplete('Authorization must be: ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=….');
  }
  const [, , accessKeyId = '', signedText = '', signature = ''] = match;
  const signedHeaders = signedText.split(';');
  checkSignedHeaders(request, signedHeaders);
  const take = (name: string): string => {
    const value = headerOf(request, name) ?? '';
    if (value === '') throw incomplete(`The header ${name} is missing.`);
    return value;
  };
  take('x-acs-content-sha256');
  const timestamp = take('x-acs-date');
  const securityToken = headerOf(request, 'x-acs-security-token') || null;
  const nonce = take('x-acs-signature-nonce');
  return { kind: 'v3', accessKeyId, signature, timestamp, nonce, securityToken, signedHeaders };
}

/** Host, content type and every x-acs-* header decide what a request means: none may be left unsigned. */
function checkSignedHeaders({ headers }: RpcRequest, signedHeaders: readonly string[]): void {
  const signed = new Set(signedHeaders);
  if (signed.size !== signedHeaders.length) throw incomplete('SignedHeaders lists a header twice.');
  for (const name of signedHeaders) {
    if (!headers.has(name))
      throw incomplete(`SignedHeaders lists ${JSON.stringify(name)}, which the request does not have.`);
  }
  for (const name of ['host', ...headers.keys()]) {
    const mustBeSigned = name === 'host' || name === 'content-type' || name.startsWith('x-acs-');
    if (mustBeSigned && !signed.has(name)) throw incomplete(`SignedHeaders must list ${name}.`);
  }
}

function refuseBearerToken(request: RpcRequest): void {
  const { parameters, headers } = request;
  if (headers.has('x-acs-bearer-token') || parameters.get('SignatureType')?.toUpperCase() === 'BEARERTOKEN') {
    throw invalidMethod('Bearer tokens are not supported: sign with an access key.');
  }
}

function invalidMethod(what: string): ApiError {
  return new ApiError(400, 'InvalidSignatureMethod', `Specified signature method is not valid. ${what}`);
}

function incomplete(what: string): ApiError {
  return new ApiError(
    400,
    'IncompleteSignature',
    `The request signature does not conform to Aliyun standards. ${what}`,
  );
}
