import type { AccessService } from '../tasks/access-service.ts';
import { findKey, requireActive } from './authenticate.ts';
import { ApiError } from './errors.ts';
import { isTemporary } from './signature/credential.ts';
import { percentDecode } from './rpc/percent-encoding.ts';
import { headerOf, type RequestHead } from './rpc/request.ts';

/**
 * The cheap look before a large request is parsed: whoever sends one must name a key that is known and active.
 * The signature is still to be verified. Errors: ApiError.
 */
export async function admitLarge(head: RequestHead, beginning: Uint8Array, access: AccessService): Promise<void> {
  const accessKeyId = findKeyId(head, beginning);
  if (accessKeyId === null) throw tooLate('access key', 'AccessKeyId');
  const securityToken =
    headerOf(head, 'x-acs-security-token') || findParameter('SecurityToken', 16_384, head, beginning);
  if (securityToken === null && isTemporary(accessKeyId)) throw tooLate('security token', 'SecurityToken');
  requireActive(await findKey({ accessKeyId, securityToken }, access));
}

function tooLate(what: string, name: string): ApiError {
  return new ApiError(413, 'RequestTooLarge', `A request above 64 KiB must name its ${what} in the first 64 KiB.`, {
    hint: `Send ${name} before the long parameters, or sign with ACS3-HMAC-SHA256.`,
  });
}

function findKeyId(head: RequestHead, beginning: Uint8Array): string | null {
  const fromHeader = /Credential=([^,\s]+)/.exec(headerOf(head, 'authorization') ?? '')?.[1];
  return fromHeader ?? findParameter('AccessKeyId', 256, head, beginning);
}

/** Of the query, or of the beginning of the body. */
function findParameter(name: string, lengthMax: number, head: RequestHead, beginning: Uint8Array): string | null {
  const start = Buffer.from(beginning.buffer, beginning.byteOffset, beginning.byteLength).toString('latin1');
  const pattern = new RegExp(`(?:^|&)${name}=([^&]{1,${lengthMax}})`);
  const encoded = [head.queryText, start].map((text) => pattern.exec(text)?.[1]);
  const found = encoded.find((text) => text !== undefined);
  return found === undefined ? null : percentDecode(found);
}
