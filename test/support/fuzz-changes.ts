import { percentEncode } from '../../src/api/rpc/percent-encoding.ts';
import type { SignedCall } from '../../src/cli/sign-call.ts';
import { goodCall } from './fuzz-calls.ts';
import { bytesOf, signed } from './fuzz-requests.ts';
import { below, type Random, TEXTS } from './fuzz-texts.ts';
import { pick } from './log-grammar.ts';

/** A signed request, changed in one thing that its signature covers. */
export function mutated(random: Random, port: number): Buffer {
  const call = goodCall(random);
  const right = signed(random, call, port);
  const isV3 = right.headers['authorization'] !== undefined;
  const changes = isV3 ? [...BODY_CHANGES, ...HEADER_CHANGES] : [...BODY_CHANGES, ...V1_CHANGES];
  for (;;) {
    const changed = pick(random, changes)(random, right);
    const bytes = bytesOf(changed, port);
    if (!meansTheSame(changed, right)) return bytes;
  }
}

type Signed = SignedCall & { readonly method: string; readonly path?: string };
type Change = (random: Random, call: Signed) => Signed;

const pairsOf = (body: string) => body.split('&');

const BODY_CHANGES: readonly Change[] = [
  (random, call) => ({ ...call, method: pick(random, ['GET', 'PUT', 'DELETE']) }),
  (random, call) => ({ ...call, path: `/?${pick(random, ['TaskType=DI_SOLUTION', 'FileId=1', 'x=', 'RegionId=cn'])}` }),
  (random, call) => ({ ...call, body: `${call.body}&${pick(random, ['Extra=1', 'ProjectId2=1', 'z='])}` }),
  (random, call) => {
    const pairs = pairsOf(call.body);
    return { ...call, body: pairs.toSpliced(below(random, pairs.length), 1).join('&') };
  },
  (random, call) => {
    const pairs = pairsOf(call.body);
    const at = below(random, pairs.length);
    const [name = ''] = (pairs[at] ?? '').split('=');
    return { ...call, body: pairs.with(at, `${name}=${percentEncode(pick(random, TEXTS))}`).join('&') };
  },
  (random, call) => {
    const at = below(random, call.body.length);
    const byte = String.fromCharCode(0x30 + below(random, 64));
    return { ...call, body: call.body.slice(0, at) + byte + call.body.slice(at + 1) };
  },
];

/** Signed headers, and the signature itself. */
const HEADER_CHANGES: readonly Change[] = [
  ...[
    'x-acs-action',
    'x-acs-version',
    'x-acs-date',
    'x-acs-signature-nonce',
    'x-acs-content-sha256',
    'host',
    'authorization',
  ].map(
    (name): Change =>
      (random, call) => ({
        ...call,
        headers: { ...call.headers, [name]: changedText(random, call.headers[name] ?? '') },
      }),
  ),
  (random, call) => ({ ...call, headers: { ...call.headers, 'x-acs-extra': String(below(random, 9)) } }),
  (random, call) => {
    const name = pick(
      random,
      Object.keys(call.headers).filter((one) => one !== 'host'),
    );
    return { ...call, headers: Object.fromEntries(Object.entries(call.headers).filter(([one]) => one !== name)) };
  },
  (_, call) => ({
    ...call,
    headers: { ...call.headers, authorization: (call.headers['authorization'] ?? '').replace('host;', '') },
  }),
];

/** Parameters that V1 signs with: each gets another value. */
const V1_CHANGES: readonly Change[] = [
  'Signature',
  'AccessKeyId',
  'Timestamp',
  'SignatureNonce',
  'Action',
  'Version',
  'Format',
].map(
  (name): Change =>
    (random, call) => ({
      ...call,
      body: pairsOf(call.body)
        .map((pair) =>
          pair.startsWith(`${name}=`)
            ? `${name}=${percentEncode(changedText(random, decodeURIComponent(pair.slice(name.length + 1))))}`
            : pair,
        )
        .join('&'),
    }),
);

function changedText(random: Random, text: string): string {
  const at = below(random, text.length);
  switch (below(random, 4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return `${text.slice(0, at)}${pick(random, ['0', 'a', 'Z', '=', '.'])}${text.slice(at)}`;
    case 2:
      return text === text.toUpperCase() ? text.toLowerCase() : text.toUpperCase();
    default:
      return text.slice(0, at) + pick(random, ['0', '1', 'f', 'Q', '+']) + text.slice(at + 1);
  }
}

/** Not every change of bytes changes what was signed: parameters are compared decoded, in any order. */
function meansTheSame(changed: Signed, right: Signed): boolean {
  const isV3 = right.headers['authorization'] !== undefined;
  const decoded = (body: string) => {
    try {
      return JSON.stringify(
        pairsOf(body)
          .filter((pair) => pair !== '')
          .map((pair) => decodeURIComponent(pair.replaceAll('+', ' ')).replace(/=$/, ''))
          .sort(),
      );
    } catch {
      return body;
    }
  };
  const sameBody = isV3 ? changed.body === right.body : decoded(changed.body) === decoded(right.body);
  const sameHeaders = JSON.stringify(changed.headers) === JSON.stringify(right.headers);
  return sameBody && sameHeaders && changed.method === right.method && (changed.path ?? '/') === '/';
}
