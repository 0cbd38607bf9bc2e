import { VERSION_2020 } from '../../src/api/operation.ts';
import { type SignedCall, signCallV1, signCallV3 } from '../../src/cli/sign-call.ts';
import type { Parameters } from './fuzz-calls.ts';
import type { Random } from './fuzz-texts.ts';
import { KEY } from './whole-service.ts';

/** A whole request as bytes. */
export function signed(
  random: Random,
  { operation, texts }: Parameters,
  port: number,
): SignedCall & { readonly method: string } {
  const call = { action: operation.name, version: VERSION_2020, parameters: texts };
  const signer = { ...KEY, now: Date.now() };
  const signedCall = random() < 0.5 ? signCallV3(call, `127.0.0.1:${port}`, signer) : signCallV1(call, signer);
  return { ...signedCall, method: 'POST' };
}

export function bytesOf(
  { method, headers, body, path = '/' }: SignedCall & { method: string; path?: string },
  port: number,
): Buffer {
  const all = { host: `127.0.0.1:${port}`, ...headers, 'content-length': String(Buffer.byteLength(body, 'latin1')) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}
