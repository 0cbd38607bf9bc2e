import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '../lib/log.ts';
import { openApiClient, query, raw, send, textOf } from '../../test/support/api-clients.ts';
import { FOREIGN_PROJECT, KEY_ID, openGateway, PROJECT } from '../../test/support/gateway-under-test.ts';
import { SELF_SIGNED } from '../../test/support/self-signed.ts';
import { parseJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';

const shared = await openGateway();

test('every answer has its request id in body and header, a trace id, a type and a date', async () => {
  for (const answer of [await send(shared.port, query('GetDISyncTask')), await raw(shared.port, {})]) {
    assert.equal(answer.headers['x-acs-request-id'], answer.body['RequestId']);
    assert.match(String(answer.headers['x-acs-trace-id']), /^[0-9a-f]{32}$/);
    assert.equal(answer.headers['content-type'], 'application/json;charset=utf-8');
    assert.ok(answer.headers['date']);
  }
});

test('unsigned and empty requests are refused in words', async () => {
  const bare = await raw(shared.port, {});
  assert.deepEqual([bare.status, bare.body['Code']], [404, 'InvalidAction.NotFound']);
  const unsigned = await raw(shared.port, { path: '/?Action=GetDISyncTask&Version=2020-05-18&AccessKeyId=testid' });
  assert.equal(unsigned.body['Code'], 'MissingSignature');
  const anonymous = await raw(shared.port, {
    headers: { 'x-acs-action': 'GetDISyncTask', 'x-acs-version': '2020-05-18' },
  });
  assert.equal(anonymous.body['Code'], 'MissingAccessKeyId');
});

test('paths, methods and bodies that are none of the API are refused', async () => {
  for (const [request, status, code] of [
    [{ path: '/x' }, 404, 'InvalidAction.NotFound'],
    [{ path: '//' }, 404, 'InvalidAction.NotFound'],
    [{ method: 'PATCH' }, 400, 'UnsupportedHTTPMethod'],
    [{ method: 'OPTIONS' }, 400, 'UnsupportedHTTPMethod'],
    [{ method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }, 400, 'InvalidContentType'],
    [{ path: '/?a=%zz' }, 400, 'InvalidParameter'],
    [{ path: '/?a=1&a=2' }, 400, 'InvalidParameter'],
    [{ headers: { expect: 'the impossible' } }, 404, 'InvalidAction.NotFound'],
  ] as const) {
    const answer = await raw(shared.port, request);
    assert.deepEqual([answer.status, answer.body['Code']], [status, code]);
    assert.ok(answer.body['RequestId']);
  }
});

test('above 64 KiB the key must be known and active before more is parsed', async () => {
  const long = 'x'.repeat(70_000);
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  const codes = async (keyId: string) => {
    const answers = [
      await raw(shared.port, { path: `/?AccessKeyId=${keyId}&broken=%zz&long=${long}` }),
      await raw(shared.port, {
        path: `/?broken=%zz&long=${long}`,
        headers: { authorization: `ACS3-X Credential=${keyId},` },
      }),
      await raw(shared.port, { method: 'POST', body: `AccessKeyId=${keyId}&broken=%zz&long=${long}`, headers: type }),
    ];
    return answers.map(({ body }) => body['Code']);
  };
  assert.deepEqual(await codes('nobody'), Array(3).fill('InvalidAccessKeyId.NotFound'));
  assert.deepEqual(await codes('inactive'), Array(3).fill('InvalidAccessKeyId.Inactive'));
  assert.deepEqual(await codes(KEY_ID), Array(3).fill('InvalidParameter'));
  const late = await raw(shared.port, { method: 'POST', body: `long=${long}&AccessKeyId=${KEY_ID}`, headers: type });
  assert.deepEqual([late.status, late.body['Code']], [413, 'RequestTooLarge']);
});

test('a body beyond the limit is refused, declared or not', async () => {
  const { port } = await openGateway({ limits: { bodyBytes: 100_000 } });
  const body = `AccessKeyId=${KEY_ID}&long=${'x'.repeat(200_000)}`;
  const declared = await raw(port, { method: 'POST', body, headers: { 'content-length': String(body.length) } });
  const chunked = await raw(port, { method: 'POST', body, headers: { 'transfer-encoding': 'chunked' } });
  for (const { status, body } of [declared, chunked])
    assert.deepEqual([status, body['Code']], [413, 'RequestTooLarge']);
});

/** Sends bytes and gives all that comes back until the server hangs up. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

test('bytes that are no HTTP get an envelope with a request id, and the connection is closed', async () => {
  for (const bytes of [
    '\x16\x03\x01\x02\x00\x01\x00garbage\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /\x00 HTTP/1.1\r\n\r\n',
  ]) {
    const received = await exchange(shared.port, bytes);
    assert.match(received, /^HTTP\/1\.1 400 Bad Request\r\n/);
    const [head = '', body = ''] = received.split('\r\n\r\n');
    const requestId = textOf((parseJson(body) as JsonObject)['RequestId']);
    assert.match(head, new RegExp(`x-acs-request-id: ${requestId}`));
    assert.equal((parseJson(body) as JsonObject)['Code'], 'MalformedRequest');
  }
});

test('a body that breaks off its form is answered too, and CONNECT', async () => {
  const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const codes = async (bytes: string) => (await exchange(shared.port, bytes)).match(/"Code":"[^"]+"/g) ?? [];
  assert.deepEqual(await codes(`${chunked}zz\r\n`), ['"Code":"MalformedRequest"']);
  assert.deepEqual(await codes('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'), ['"Code":"UnsupportedHTTPMethod"']);
  // Behind another that is not answered yet, it would be taken for that one's answer.
  assert.ok((await codes(`${get}${chunked}zz\r\n`)).every((code) => code !== '"Code":"MalformedRequest"'));
});

test('a client that goes away before its request is whole is no defect', async () => {
  const errors: object[] = [];
  const { port, audited } = await openGateway({ log: { ...silentLog, error: (facts) => errors.push(facts) } });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab', () => socket.destroy());
  await once(socket, 'close');
  await raw(port, { path: '/?x=1' });
  assert.deepEqual([errors, audited.length], [[], 1]);
});

test('a request without Host has a request id too', async () => {
  const received = await exchange(shared.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(received, /InvalidAction\.NotFound/);
  assert.match(received, /x-acs-request-id: /);
});

test('slow and endless requests are cut', async () => {
  const { port } = await openGateway({
    limits: { headersTimeoutMs: 100, requestTimeoutMs: 300, headBytes: 4096 },
  });
  assert.match(
    await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '),
    /^HTTP\/1\.1 408 [^]*"Code":"RequestTimeout"/,
  );
  const slowBody = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab';
  assert.match(await exchange(port, slowBody), /^HTTP\/1\.1 408 [^]*"Code":"RequestTimeout"/);
  const longHead = `GET /?${'x'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
  assert.match(await exchange(port, longHead), /^HTTP\/1\.1 431 [^]*"Code":"RequestTooLarge"/);
});

test('in development mode any key, or none, opens every project that exists', async () => {
  const { port, calls } = await openGateway({ dev: true });
  const anonymous = `/?Action=GetDISyncTask&Version=2020-05-18&FileId=1&TaskType=DI_REALTIME&ProjectId=`;
  assert.equal((await raw(port, { path: `${anonymous}${PROJECT}` })).status, 200);
  assert.equal((await raw(port, { path: `${anonymous}${FOREIGN_PROJECT}&AccessKeyId=any` })).status, 200);
  assert.equal((await raw(port, { path: `${anonymous}1` })).body['Code'], 'Forbidden.DI.NoPrivilege');
  assert.deepEqual(
    calls.map(({ args }) => (args[0] as { user: string }).user),
    ['dev', 'any'],
  );
  const signed = await openApiClient(port, 'v3')('DeleteDataSource', { DataSourceId: '7' });
  assert.equal(signed['Data'], true);
  assert.deepEqual(calls.at(-1)?.args, [{ user: KEY_ID, projects: [PROJECT, FOREIGN_PROJECT] }, 7n]);
});

test('in development mode a web page of another origin cannot call', async () => {
  const { port } = await openGateway({ dev: true });
  for (const headers of [{ origin: 'https://evil.example' }, { host: 'evil.example' }]) {
    const answer = await raw(port, { headers });
    assert.deepEqual([answer.status, answer.body['Code']], [403, 'Forbidden.Access']);
  }
});

test('answers what watches it, unsigned', async () => {
  let ok = true;
  const health = {
    live: async () => ({ ok: true }),
    ready: async () => ({ ok, details: { store: 'locked' } }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: '{"disync_up":1}' }),
  };
  const { port } = await openGateway({ health });
  assert.deepEqual((await raw(port, { path: '/healthz' })).body, { status: 'ok' });
  assert.equal((await raw(port, { path: '/readyz' })).status, 200);
  ok = false;
  const unready = await raw(port, { path: '/readyz' });
  assert.deepEqual([unready.status, unready.body], [503, { status: 'unavailable', store: 'locked' }]);
  const metrics = await raw(port, { path: '/metrics' });
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4');
});

test('closing lets a call in flight finish, and keeps to its deadline', async () => {
  let release: () => void = () => {};
  const { port, listener } = await openGateway({
    tasks: { ...shared, content: () => new Promise((resolve) => (release = () => resolve('{}'))) } as never,
  });
  const inFlight = send(port, query('GetDISyncTask'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closing = listener.close(5000);
  await assert.rejects(raw(port, {}), { code: 'ECONNREFUSED' });
  release();
  assert.equal((await inFlight).status, 200);
  await closing;
});

test('serves TLS from 1.2 on, and nothing in clear on the same port', async () => {
  const { port } = await openGateway({ tls: SELF_SIGNED });
  const get = (options: { maxVersion?: 'TLSv1.1' }) =>
    new Promise<number>((resolve, reject) => {
      const path = '/healthz';
      httpsGet({ host: '127.0.0.1', port, path, ca: SELF_SIGNED.cert, ...options }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on('error', reject);
    });
  assert.equal(await get({}), 404);
  await assert.rejects(get({ maxVersion: 'TLSv1.1' }));
  await assert.rejects(raw(port, {}));
});

test('a request that claims twice who sent it is refused like any other, and harms nothing', async () => {
  const socket = connect(shared.port, '127.0.0.1');
  const head = ['Host: x', 'Content-Length: 0', 'x-acs-action: GetDISyncTask', 'x-acs-version: 2020-05-18'];
  const twice = ['Authorization: ACS3-a', 'Authorization: ACS3-b'];
  socket.end(`POST / HTTP/1.1\r\n${[...head, ...twice].join('\r\n')}\r\n\r\n`);
  const text = (await socket.toArray()).join('');
  assert.match(
    text,
    /^HTTP\/1\.1 400 [\s\S]*"Code":"InvalidParameter","Message":"The header authorization is given twice\."/,
  );
});

test('a client that sends far too much can read why it was refused', async () => {
  const body = Buffer.alloc(40_000_000, 'x');
  const answer = await raw(shared.port, { method: 'POST', body });
  assert.deepEqual([answer.status, answer.body['Code']], [413, 'RequestTooLarge']);
});
