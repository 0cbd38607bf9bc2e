import { goodCall } from './fuzz-calls.ts';
import { bytesOf, signed } from './fuzz-requests.ts';
import type { Random } from './fuzz-texts.ts';
import { pick } from './log-grammar.ts';

/** Bytes that are no request, or more than one, or one that readers take apart differently. */
export function badBytes(random: Random, port: number): Buffer {
  const good = bytesOf(signed(random, goodCall(random), port), port);
  return pick(random, SHAPES)(random, good, port);
}

type Shape = (random: Random, good: Buffer, port: number) => Buffer;

const SHAPES: readonly Shape[] = [
  (random) => Buffer.from(Array.from({ length: 1 + whole(random, 200) }, () => whole(random, 256))),
  (random, good) => good.subarray(0, whole(random, good.length)),
  (random, good) => flipped(random, good),
  (random, good) => Buffer.concat([flipped(random, good), flipped(random, good)]),
  (random, good) => Buffer.concat([good.subarray(0, whole(random, good.length)), good]),
  ...[
    'GET /\r\n\r\n',
    'GET / HTTP/0.9\r\n\r\n',
    'GET / HTTP/2.0\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET  / HTTP/1.1\r\n\r\n',
    'get / HTTP/1.1\r\nHost: a\r\n\r\n',
    'FOO / HTTP/1.1\r\nHost: a\r\n\r\n',
    'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'GET http://elsewhere/?Action=GetDISyncTask HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET //a/../b HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /%2e%2e/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /?%zz=1&%=2&=3&&& HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /?a=%ff%fe&b=%c0%80&c=%ed%a0%80 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /?a=\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET / HTTP/1.1\nHost: a\n\n',
    'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
    'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
    'GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n',
    'GET / HTTP/1.1\r\nA: \0\r\n\r\n',
    'GET / HTTP/1.1\r\nno colon\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nabcd',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 33554433\r\n\r\nabc',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a="\r\nabcde\r\n0\r\nX: y\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na=b',
    'POST / HTTP/1.1\r\nHost: a\r\nExpect: other\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n\r\n--x--',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: a\r\nContent-Type: b\r\nContent-Length: 1\r\n\r\na',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b',
    'GET / HTTP/1.1\r\nAuthorization: ACS3-HMAC-SHA256 Credential=,SignedHeaders=,Signature=\r\n\r\n',
    'GET / HTTP/1.1\r\nAuthorization: ACS3-HMAC-SM3 Credential=a,SignedHeaders=b,Signature=c\r\n\r\n',
    'GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n',
    'GET / HTTP/1.1\r\nx-acs-action: __proto__\r\nx-acs-version: 2020-05-18\r\n\r\n',
    'GET /?Action=constructor&Version=2020-05-18&Signature=a HTTP/1.1\r\n\r\n',
    'GET /?Action=GetDISyncTask&Version=__proto__&Signature=a HTTP/1.1\r\n\r\n',
    'GET /?Format=YAML&Action=GetDISyncTask&Version=2020-05-18 HTTP/1.1\r\n\r\n',
    'GET /?Format=XML&Action=Nothing%3C%26 HTTP/1.1\r\n\r\n',
    'GET /healthz/../?a HTTP/1.1\r\n\r\n',
  ].map(
    (text): Shape =>
      () =>
        Buffer.from(text, 'latin1'),
  ),
  (random) =>
    many(
      random,
      (index) => `a${index}=${index}`,
      '&',
      (text) => `GET /?${text} HTTP/1.1\r\nHost: a\r\n\r\n`,
    ),
  (random) =>
    many(
      random,
      () => 'a=1',
      '&',
      (text) => `GET /?${text} HTTP/1.1\r\nHost: a\r\n\r\n`,
    ),
  (random) =>
    many(
      random,
      (index) => `h${index}: ${'x'.repeat(40)}`,
      '\r\n',
      (text) => `GET / HTTP/1.1\r\n${text}\r\n\r\n`,
    ),
  (random) => Buffer.from(`GET /?AccessKeyId=${'%41'.repeat(whole(random, 30_000))} HTTP/1.1\r\n\r\n`),
];

function many(
  random: Random,
  item: (index: number) => string,
  between: string,
  whole_: (text: string) => string,
): Buffer {
  const count = random() < 0.1 ? 3000 : whole(random, 100);
  return Buffer.from(whole_(Array.from({ length: count }, (_, index) => item(index)).join(between)));
}

function flipped(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let flip = 0; flip <= whole(random, 4); flip += 1) copy[whole(random, copy.length)] = whole(random, 256);
  return copy;
}

function whole(random: Random, end: number): number {
  return Math.floor(random() * end);
}
