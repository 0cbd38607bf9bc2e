import { randomBytes } from 'node:crypto';
import type { AccessKey, AccessService, TokenRefusal } from '../tasks/access-service.ts';
import { ApiError } from './errors.ts';
import type { RpcRequest } from './rpc/request.ts';
import { type Credential, claimedKeyId, isTemporary } from './signature/credential.ts';
import { verifySignature } from './signature/verify.ts';

export interface AuthenticateOptions {
  readonly access: AccessService;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** How far a request's time may be from ours, either way. */
  readonly clockWindowMs: number;
}

/** Stands in for the secret of an unknown key, so that it costs the same work. */
const NO_SECRET = randomBytes(24).toString('base64');
/** A longer string to sign is not sent back: it would double the traffic of a large request. */
const ECHO_LENGTH_MAX = 65_536;

/**
 * Who calls: key known, active; time within the window; signature right, in this order.
 * Errors: ApiError with the gateway's codes.
 */
export async function authenticate(
  request: RpcRequest,
  credential: Credential,
  { access, clock, clockWindowMs }: AuthenticateOptions,
): Promise<AccessKey> {
  const found = await findKey(credential, access);
  const verdict = verifySignature(request, credential, found?.secret ?? NO_SECRET);
  const key = requireActive(found);
  checkTime(credential, clock(), clockWindowMs);
  if (!verdict.valid) throw mismatch(verdict.stringToSign);
  return key;
}

/** With `--dev` everyone is who they say they are, and may do everything. */
export async function believe(request: RpcRequest, access: AccessService): Promise<AccessKey> {
  const everywhere = { isNot: false, patterns: ['*'] };
  const id = claimedKeyId(request) ?? 'dev';
  return {
    id,
    secret: '',
    active: true,
    user: id,
    projects: (await access.listProjects()).map(({ id }) => id),
    policy: [{ effect: 'Allow', actions: everywhere, resources: everywhere, conditions: [] }],
    session: null,
  };
}

/** Errors: ApiError when the request's nonce was used already. */
export function refuseUsedNonce(key: AccessKey, { nonce }: Credential, { access }: AuthenticateOptions): void {
  if (!access.isNonceUsed(key.id, nonce)) return;
  throw new ApiError(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.', {
    hint: 'Draw a new nonce for every request, repeats too.',
  });
}

/** The request's nonce is used from now on. */
export function noteNonce(
  key: AccessKey,
  { nonce }: Credential,
  { access, clock, clockWindowMs }: AuthenticateOptions,
): { durable(): Promise<void> } {
  // A request is refused by its time once this has passed, even one from a clock ahead of ours.
  return access.noteNonce(key.id, nonce, clock() + 2 * clockWindowMs + 1000);
}

/** Errors: ApiError when the key is not known, or disabled. */
export function requireActive(key: AccessKey | null): AccessKey {
  if (key === null) {
    throw new ApiError(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.', {
      hint: '"disync key list" shows the keys that there are, "disync key create" makes one.',
    });
  }
  if (!key.active) throw new ApiError(400, 'InvalidAccessKeyId.Inactive', 'Specified access key is disabled.');
  return key;
}

/** A key by its id, or what a security token says. Errors: ApiError about the token. */
export async function findKey(
  { accessKeyId, securityToken }: Pick<Credential, 'accessKeyId' | 'securityToken'>,
  access: AccessService,
): Promise<AccessKey | null> {
  if (securityToken === null) {
    if (!isTemporary(accessKeyId)) return access.findKey(accessKeyId);
    throw new ApiError(400, 'MissingSecurityToken', 'SecurityToken is mandatory for this action.', {
      hint: 'Temporary credentials are an access key, its secret and a security token: send all three.',
    });
  }
  const key = await access.openToken(accessKeyId, securityToken);
  if (typeof key !== 'string') return key;
  const [code, message, hint] = TOKEN_REFUSALS[key];
  throw new ApiError(400, code, message, { hint });
}

const TOKEN_REFUSALS: Readonly<Record<TokenRefusal, readonly [code: string, message: string, hint: string]>> = {
  malformed: [
    'InvalidSecurityToken.Malformed',
    'Specified SecurityToken is malformed.',
    '"disync token" makes temporary credentials; an access key that is not temporary has no security token.',
  ],
  mismatch: [
    'InvalidSecurityToken.MismatchWithAccessKey',
    'Specified SecurityToken mismatch with the AccessKey.',
    'Send the security token that the access key came with.',
  ],
  expired: [
    'InvalidSecurityToken.Expired',
    'Specified SecurityToken is expired.',
    'Make new temporary credentials with "disync token".',
  ],
};

function checkTime({ timestamp }: Credential, now: number, windowMs: number): void {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(timestamp) ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new ApiError(400, 'InvalidTimeStamp.Format', 'Specified time stamp or date value is not well formatted.', {
      hint: 'Send it in UTC as 2025-01-31T12:00:00Z.',
    });
  }
  if (Math.abs(now - time) > windowMs) {
    throw new ApiError(400, 'InvalidTimeStamp.Expired', 'Specified time stamp or date value is expired.', {
      hint: `The clock of this server says ${new Date(now).toISOString()}.`,
    });
  }
}

/** The wording is what the vendor's older cores compare with their own string, to tell a wrong secret from a wrong signer. */
function mismatch(stringToSign: string): ApiError {
  const echo = stringToSign.length > ECHO_LENGTH_MAX ? 'too long to be shown' : stringToSign;
  const message = `Specified signature is not matched with our calculation. server string to sign is:${echo}`;
  return new ApiError(400, 'SignatureDoesNotMatch', message, {
    hint: 'If it is the string that you signed, the secret is wrong; else the request was changed on its way.',
  });
}
