import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { calledAction } from '../protocol.ts';
import { decodeRequest, type RpcRequest, readHead } from '../rpc/request.ts';
import { readCredential } from './credential.ts';
import { stringToSignV1 } from './v1.ts';
import { verifySignature } from './verify.ts';

interface Vector {
  readonly name: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly signatureVersion: string;
  readonly action: string;
  readonly version: string;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string;
  };
  readonly stringToSign?: string;
  readonly canonicalRequest?: string;
  readonly expectedBusinessParams?: Readonly<Record<string, string>>;
  readonly expectError?: { readonly code: string };
}

/** Recorded from the vendor's clients; the file says how. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/signature-vectors.json', import.meta.url), 'utf8'),
) as { readonly positive: Vector[]; readonly documentation: Vector[]; readonly negative: Vector[] };

const COMMON = ['Action', 'Version', 'Format', 'AccessKeyId', 'RegionId', 'Timestamp', 'SecurityToken'];

function read({ request: { method, url, headers, body } }: Pick<Vector, 'request'>): RpcRequest {
  return decodeRequest(readHead({ method, url, rawHeaders: headers.flat() }), Buffer.from(body));
}

function verdictOf(vector: Pick<Vector, 'request' | 'accessKeySecret'>) {
  const request = read(vector);
  return verifySignature(request, readCredential(request), vector.accessKeySecret);
}

for (const vector of [...vectors.positive, ...vectors.documentation]) {
  if (vector.name === 'openapi-client-bearer') continue;
  test(`verifies ${vector.name}, and makes the very string that was signed`, () => {
    assert.deepEqual(verdictOf(vector), { valid: true, stringToSign: vector.stringToSign });
  });
  test(`refuses ${vector.name} under another secret`, () => {
    assert.equal(verdictOf({ ...vector, accessKeySecret: `${vector.accessKeySecret}x` }).valid, false);
  });
}

for (const vector of vectors.positive) {
  test(`reads action, version and parameters of ${vector.name}`, () => {
    const request = read(vector);
    assert.deepEqual(calledAction(request), { action: vector.action, version: vector.version });
    if (vector.expectedBusinessParams === undefined) return;
    const own = [...request.parameters].filter(([name]) => !COMMON.includes(name) && !name.startsWith('Signature'));
    const expected = Object.entries(vector.expectedBusinessParams).filter(([name]) => !COMMON.includes(name));
    assert.deepEqual(Object.fromEntries(own), Object.fromEntries(expected));
  });
}

test('refuses a bearer token in words, and reads the security token of temporary credentials', () => {
  const byName = (name: string) => read(vectors.positive.find((vector) => vector.name === name) as Vector);
  assert.throws(() => readCredential(byName('openapi-client-bearer')), {
    code: 'InvalidSignatureMethod',
    message: /Bearer/,
  });
  for (const { name } of vectors.positive.filter((vector) => vector.name.includes('sts'))) {
    const request = byName(name);
    const sent = request.headers.get('x-acs-security-token')?.[0] ?? request.parameters.get('SecurityToken');
    assert.ok(sent);
    assert.equal(readCredential(request).securityToken, sent);
  }
});

test('no change of one character of a signed request passes', () => {
  const signed = vectors.positive.filter(({ name }) => !name.includes('sts') && !name.includes('bearer'));
  let tried = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...signed),
      fc.nat(),
      fc.constantFrom('0', 'x', '%', '&', '=', '+', ';'),
      (vector, at, char) => {
        const { request } = vector;
        const where = at % (request.url.length + request.body.length);
        const change = (text: string, index: number) => text.slice(0, index) + char + text.slice(index + 1);
        const changed =
          where < request.url.length
            ? { ...request, url: change(request.url, where) }
            : { ...request, body: change(request.body, where - request.url.length) };
        const before = read(vector).parameters;
        try {
          const after = read({ request: changed });
          if (sameTexts(before, after.parameters) && changed.body === request.body) return;
          tried++;
          assert.equal(verdictOf({ ...vector, request: changed }).valid, false);
        } catch (error) {
          assert.equal((error as Error).name, 'ApiError');
        }
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(tried > 500);
});

function sameTexts(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}

const v3 = vectors.positive.find(({ name }) => name === 'openapi-client-v3-post-query-and-form') as Vector;

function withHeaders(
  change: (name: string, value: string) => [string, string][],
): Pick<Vector, 'request' | 'accessKeySecret'> {
  const headers = v3.request.headers.flatMap(([name, value]) => change(name, value));
  return { ...v3, request: { ...v3.request, headers } };
}

for (const name of ['host', 'content-type', 'x-acs-action', 'x-acs-date', 'x-acs-credentials-provider']) {
  test(`refuses a V3 request whose signature leaves out ${name}`, () => {
    const vector = withHeaders((header, value) => [
      [header, header === 'Authorization' ? value.replace(`${name};`, '').replace(`;${name}`, '') : value],
    ]);
    assert.throws(() => verdictOf(vector), { code: 'IncompleteSignature', message: new RegExp(`must list ${name}`) });
  });
}

test('refuses a V3 request with an x-acs header that was added on its way', () => {
  const vector = withHeaders((header, value) => [
    [header, value],
    ...(header === 'host' ? [['x-acs-extra', '1'] as [string, string]] : []),
  ]);
  assert.throws(() => verdictOf(vector), { code: 'IncompleteSignature' });
});

test('refuses a V3 request with a header given twice', () => {
  const vector = withHeaders((header, value) => [
    [header, value],
    ...(header === 'x-acs-date' ? [['x-acs-date', value] as [string, string]] : []),
  ]);
  assert.throws(() => verdictOf(vector), { code: 'InvalidParameter', message: /x-acs-date is given twice/ });
});

test('no other spelling of the same signature passes', () => {
  const upper = withHeaders((name, value) => [
    [name, value.replace(/Signature=(.*)$/, (_, hex: string) => `Signature=${hex.toUpperCase()}`)],
  ]);
  assert.equal(verdictOf(upper).valid, false);
  const v1 = vectors.positive.find(({ name }) => name === 'pop-core-v1-get') as Vector;
  const url = v1.request.url.replace(/Signature=([^&]*)%3D$/, 'Signature=$1');
  assert.notEqual(url, v1.request.url);
  assert.equal(verdictOf({ ...v1, request: { ...v1.request, url } }).valid, false);
});

test('other algorithms are refused', () => {
  const vector = withHeaders((name, value) => [[name, value.replace('ACS3-HMAC-SHA256', 'ACS3-RSA-SHA256')]]);
  assert.throws(() => verdictOf(vector), { code: 'InvalidSignatureMethod' });
});

test('V1 signs everything but the signature, sorted and encoded', () => {
  const parameters = new Map([
    ['b', "!'()* ~é"],
    ['Signature', 'x'],
    ['a', ''],
  ]);
  assert.equal(stringToSignV1('GET', parameters), 'GET&%2F&a%3D%26b%3D%2521%2527%2528%2529%252A%2520~%25C3%25A9');
});
