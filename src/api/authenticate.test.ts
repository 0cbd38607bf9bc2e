import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ABSENT, commonParameters, query, raw, send, textOf } from '../../test/support/api-clients.ts';
import { fakeKey, KEY_ID, openGateway, SECRET } from '../../test/support/gateway-under-test.ts';

const shared = await openGateway();

const protocol: [what: string, parameters: Record<string, string>, status: number, code: string][] = [
  ['an unknown action', { Action: 'ListNothing' }, 404, 'InvalidAction.NotFound'],
  ['an unknown version', { Version: '2024-05-18' }, 400, 'InvalidVersion'],
  ['no version', { Version: ABSENT }, 400, 'MissingVersion'],
  ['an unknown format', { Format: 'YAML' }, 400, 'InvalidParameter.Format'],
  ['an unknown key', { AccessKeyId: 'nobody' }, 404, 'InvalidAccessKeyId.NotFound'],
  ['a disabled key', { AccessKeyId: 'inactive' }, 400, 'InvalidAccessKeyId.Inactive'],
  ['no key', { AccessKeyId: ABSENT }, 400, 'MissingAccessKeyId'],
  ['another signature method', { SignatureMethod: 'HMAC-MD5' }, 400, 'InvalidSignatureMethod'],
  ['another signature version', { SignatureVersion: '2.0' }, 400, 'InvalidSignatureVersion'],
  ['no nonce', { SignatureNonce: '' }, 400, 'MissingSignatureNonce'],
  ['a long nonce', { SignatureNonce: 'x'.repeat(129) }, 400, 'InvalidSignatureNonce'],
  ['no time', { Timestamp: ABSENT }, 400, 'MissingTimestamp'],
  ['a malformed time', { Timestamp: '2025-01-01 00:00:00' }, 400, 'InvalidTimeStamp.Format'],
  ['a security token', { SecurityToken: 'x' }, 400, 'InvalidSecurityToken.Malformed'],
  ['a bearer token', { SignatureType: 'BEARERTOKEN' }, 400, 'InvalidSignatureMethod'],
];
for (const [what, parameters, status, code] of protocol) {
  test(`${what} is ${code}`, async () => {
    const answer = await send(shared.port, query('GetDISyncTask', parameters));
    assert.deepEqual([answer.status, answer.body['Code']], [status, code]);
  });
}

test('a wrong secret gets the string to sign that the older clients compare with their own', async () => {
  const answer = await send(shared.port, query('GetDISyncTask'), { secret: 'other' });
  assert.deepEqual([answer.status, answer.body['Code']], [400, 'SignatureDoesNotMatch']);
  assert.match(textOf(answer.body['Message']), /server string to sign is:GET&%2F&AccessKeyId%3Dtestid%26Action/);
});

test('a request that was changed on its way is refused', async () => {
  const answer = await send(shared.port, query('GetDISyncTask'), {
    change: (url) => url.replace('FileId=100', 'FileId=101'),
  });
  assert.equal(answer.body['Code'], 'SignatureDoesNotMatch');
});

test('the window of 15 minutes is kept to the second, both ways', async () => {
  const now = Date.UTC(2026, 0, 1, 12);
  const { port } = await openGateway({ clock: () => now });
  for (const [offset, code] of [
    [-900_000, null],
    [900_000, null],
    [-901_000, 'InvalidTimeStamp.Expired'],
    [901_000, 'InvalidTimeStamp.Expired'],
  ] as const) {
    const answer = await send(port, query('GetDISyncTask', commonParameters(now + offset)));
    assert.equal(answer.body['Code'] ?? null, code);
  }
});

test('a nonce counts once, and only when the signature was right', async () => {
  const common = commonParameters();
  const codes: unknown[] = [];
  for (const secret of ['other', SECRET, SECRET]) {
    const answer = await send(shared.port, query('GetDISyncTask', common), { secret });
    codes.push(answer.body['Code'] ?? null);
  }
  assert.deepEqual(codes, ['SignatureDoesNotMatch', null, 'SignatureNonceUsed']);
});

test('a nonce is remembered for as long as its request could be repeated', async () => {
  const now = Date.UTC(2026, 0, 1, 12);
  const { port, access } = await openGateway({ clock: () => now });
  await send(port, query('GetDISyncTask', commonParameters(now + 900_000)));
  const [expiresAt = 0] = access.nonces.values();
  assert.ok(expiresAt > now + 900_000 + 900_000);
});

for (const { name, request, expectError, clockUtc } of (
  JSON.parse(readFileSync(new URL('../../test/vectors/signature-vectors.json', import.meta.url), 'utf8')) as {
    negative: {
      name: string;
      clockUtc: string;
      request: { method: string; url: string; headers: [string, string][]; body: string };
      expectError: { code: string };
    }[];
  }
).negative) {
  test(`answers the recorded request ${name} with ${expectError.code}`, async () => {
    const { port, access } = await openGateway({ clock: () => Date.parse(clockUtc) });
    if (name.includes('wrong-secret')) access.keys.set(KEY_ID, fakeKey({ secret: 'other' }));
    const { method, url: path, body } = request;
    const answer = await raw(port, { method, path, headers: Object.fromEntries(request.headers), body });
    assert.deepEqual([answer.status, answer.body['Code']], [400, expectError.code]);
  });
}
