import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeJsonBody } from './json-body.ts';
import { decodeRequest } from './request.ts';

const merge = (query: Record<string, string>, body: string | Uint8Array) =>
  Object.fromEntries(mergeJsonBody(new Map(Object.entries(query)), Buffer.from(body)));

test('takes what a JSON body repeats or adds, every digit of it', () => {
  assert.deepEqual(
    merge(
      { ProjectId: '9223372036854775807', EnvType: '1', Name: '表' },
      '{"ProjectId":9223372036854775807,"EnvType":1,"Name":"表","Shared":true,"Description":null,"Types":["a",{"b":1}]}',
    ),
    { ProjectId: '9223372036854775807', EnvType: '1', Name: '表', Shared: 'true', Types: '["a",{"b":1}]' },
  );
});

for (const [what, body] of [
  ['that is none', '{'],
  ['that is a list', '[]'],
  ['with a name twice', '{"a":1,"a":1}'],
  ['that says something else than the query', '{"ProjectId":2}'],
  ['with more values than a call has', `{"a":[${'0,'.repeat(20_000)}0]}`],
  ['that is no UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
] as const) {
  test(`refuses a JSON body ${what}`, () => {
    assert.throws(() => merge({ ProjectId: '1' }, body), { name: 'ApiError', status: 400, code: 'InvalidParameter' });
  });
}

test('a JSON body is read where the signature covers it, and only there', () => {
  const decode = (authorization: string | null) => {
    const headers = new Map([['content-type', ['application/json; charset=utf-8']]]);
    if (authorization !== null) headers.set('authorization', [authorization]);
    const head = { method: 'POST', path: '/', queryText: 'ProjectId=1', headers, bytes: 0 };
    const { query, form, parameters } = decodeRequest(head, Buffer.from('{"ProjectId":1,"FileId":2}'));
    return [query, form, parameters].map((texts) => Object.fromEntries(texts));
  };
  assert.deepEqual(decode('ACS3-HMAC-SHA256 Credential=a'), [{ ProjectId: '1' }, {}, { ProjectId: '1', FileId: '2' }]);
  for (const other of [null, 'Basic YQ==']) assert.throws(() => decode(other), { code: 'InvalidContentType' });
});
