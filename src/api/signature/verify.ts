import { hash, timingSafeEqual } from 'node:crypto';
import { assertNever } from '../../lib/errors.ts';
import type { RpcRequest } from '../rpc/request.ts';
import type { Credential } from './credential.ts';
import { signV1, stringToSignV1 } from './v1.ts';
import { rawNamesMatter, signV3, stringToSignV3 } from './v3.ts';

export interface Verdict {
  readonly valid: boolean;
  /** Ours, for the caller to compare. Holds parameter values: never logged (I7). */
  readonly stringToSign: string;
}

/** Whether the holder of `secret` signed exactly this request. Takes as long for a wrong signature as for a right one. */
export function verifySignature(request: RpcRequest, credential: Credential, secret: string): Verdict {
  switch (credential.kind) {
    case 'v1': {
      const stringToSign = stringToSignV1(request.method, request.parameters);
      return { valid: equalTexts(credential.signature, signV1(stringToSign, secret)), stringToSign };
    }
    case 'v3':
      return verifyV3(request, credential, secret);
    default:
      return assertNever(credential);
  }
}

function verifyV3(request: RpcRequest, credential: Credential & { kind: 'v3' }, secret: string): Verdict {
  const parts = { ...request, signedHeaders: credential.signedHeaders };
  const stringToSign = stringToSignV3(parts);
  const signed = equalTexts(credential.signature, signV3(stringToSign, secret));
  // The JavaScript clients do not encode names.
  const signedRaw =
    rawNamesMatter(request.query) &&
    equalTexts(
      credential.signature,
      signV3(
        stringToSignV3(parts, (name) => name),
        secret,
      ),
    );
  const bodyHash = request.headers.get('x-acs-content-sha256')?.join(',') ?? '';
  const sameBody = equalTexts(bodyHash, hash('sha256', request.body));
  return { valid: (signed || signedRaw) && sameBody, stringToSign };
}

/** In constant time, but for the length, which is no secret; exact: no other spelling of the same signature passes. */
function equalTexts(given: string, expected: string): boolean {
  const [ours, theirs] = [Buffer.from(expected), Buffer.from(given)];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
