import { randomBytes } from 'node:crypto';
import type { AccessKey, AccessService } from '../tasks/access-service.ts';
import { ApiError } from './errors.ts';
import { type Grant, grantOfEverything, grantOfKey } from './grant.ts';
import type { RpcRequest } from './rpc/request.ts';
import { type Credential, claimedKeyId, readCredential, refuseSecurityToken } from './signature/credential.ts';
import { verifySignature } from './signature/verify.ts';

export interface AuthenticateOptions {
  readonly access: AccessService;
  /** Any key is accepted, signatures are not checked. */
  readonly dev: boolean;
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
 * Who calls: key known, active; time within the window; signature right; nonce new, in this order.
 * Errors: ApiError with the gateway's codes.
 */
export async function authenticate(request: RpcRequest, options: AuthenticateOptions): Promise<Grant> {
  const { access, dev, clock, clockWindowMs } = options;
  if (dev) return grantOfEverything(claimedKeyId(request) ?? 'dev', access);
  const credential = readCredential(request);
  refuseSecurityToken(request);
  const found = await access.findKey(credential.accessKeyId);
  const verdict = verifySignature(request, credential, found?.secret ?? NO_SECRET);
  const key = requireActive(found);
  const now = clock();
  checkTime(credential, now, clockWindowMs);
  if (!verdict.valid) throw mismatch(verdict.stringToSign);
  // A request is refused by its time once this has passed, even one from a clock ahead of ours.
  const expiresAt = now + 2 * clockWindowMs + 1000;
  if (!(await access.useNonce(key.id, credential.nonce, expiresAt))) {
    throw new ApiError(400, 'SignatureNonceUsed', 'Specified signature nonce was used already.', {
      hint: 'Draw a new nonce for every request, repeats too.',
    });
  }
  return grantOfKey(key, access);
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
