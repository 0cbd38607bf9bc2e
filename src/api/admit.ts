import type { AccessService } from '../tasks/access-service.ts';
import { requireActive } from './authenticate.ts';
import { ApiError } from './errors.ts';
import { percentDecode } from './rpc/percent-encoding.ts';
import { headerOf, type RequestHead } from './rpc/request.ts';

/**
 * The cheap look before a large request is parsed: whoever sends one must name a key that is known and active.
 * The signature is still to be verified. Errors: ApiError.
 */
export async function admitLarge(head: RequestHead, beginning: Uint8Array, access: AccessService): Promise<void> {
  const keyId = findKeyId(head, beginning);
  if (keyId === null) {
    throw new ApiError(413, 'RequestTooLarge', 'A request above 64 KiB must name its access key in the first 64 KiB.', {
      hint: 'Send AccessKeyId before the long parameters, or sign with ACS3-HMAC-SHA256.',
    });
  }
  requireActive(await access.findKey(keyId));
}

function findKeyId(head: RequestHead, beginning: Uint8Array): string | null {
  const fromHeader = /Credential=([^,\s]+)/.exec(headerOf(head, 'authorization') ?? '')?.[1];
  if (fromHeader !== undefined) return fromHeader;
  const start = Buffer.from(beginning.buffer, beginning.byteOffset, beginning.byteLength).toString('latin1');
  const encoded = [head.queryText, start].map((text) => /(?:^|&)AccessKeyId=([^&]{1,256})/.exec(text)?.[1]);
  const found = encoded.find((text) => text !== undefined);
  return found === undefined ? null : percentDecode(found);
}
