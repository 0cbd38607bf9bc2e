import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { commonParameters, query, raw, send } from '../../test/support/api-clients.ts';
import { fakeKey, FOREIGN_PROJECT, KEY_ID, openGateway, PROJECT, USER } from '../../test/support/gateway-under-test.ts';
import type { AccessKey } from '../tasks/access-service.ts';
import { readPolicy } from '../tasks/policy-reader.ts';
import type { JsonObject } from '../lib/json-value.ts';
import { operations } from './catalogue.ts';

const policy = (...statements: readonly object[]) =>
  readPolicy(JSON.stringify({ Version: '1', Statement: statements.map((one) => ({ Resource: '*', ...one })) }));

async function gatewayFor(changes: Partial<AccessKey>) {
  const under = await openGateway();
  under.access.keys.set(KEY_ID, fakeKey(changes));
  return under;
}

test('policies say which operations a user may call, and the answer to a denial tells nothing', async () => {
  const { port, calls } = await gatewayFor({ policy: policy({ Effect: 'Allow', Action: 'dataworks:Get*' }) });
  assert.equal((await send(port, query('GetDISyncTask'))).status, 200);
  const denied = await send(port, query('DeleteDISyncTask'));
  const foreign = await send(port, query('GetDISyncTask', { ProjectId: String(FOREIGN_PROJECT) }));
  const unknown = await send(port, query('GetDISyncTask', { ProjectId: '4711' }));
  for (const { status, body } of [denied, foreign, unknown])
    assert.deepEqual([status, body['Code']], [403, 'Forbidden.DI.NoPrivilege']);
  assert.equal(denied.body['Message'], foreign.body['Message']);
  assert.equal(foreign.body['Message'], unknown.body['Message']);
  assert.equal(calls.length, 1);
});

test('a denial comes before parameters are looked at', async () => {
  const { port } = await gatewayFor({ policy: policy({ Effect: 'Allow', Action: 'dataworks:Get*' }) });
  const answer = await send(port, { Action: 'DeleteDISyncTask' });
  assert.equal(answer.body['Code'], 'Forbidden.DI.NoPrivilege');
});

test('a policy may be about a project, and about where a call comes from', async () => {
  const elsewhere = { IpAddress: { 'acs:SourceIp': '10.0.0.0/8' } };
  const here = { IpAddress: { 'acs:SourceIp': '127.0.0.0/8' } };
  const code = async (...statements: readonly object[]) => {
    const { port } = await gatewayFor({ policy: policy(...statements) });
    return (await send(port, query('GetDISyncTask'))).body['Code'] ?? null;
  };
  const denied = 'Forbidden.DI.NoPrivilege';
  assert.equal(await code({ Effect: 'Allow', Action: '*', Resource: `project/${FOREIGN_PROJECT}` }), denied);
  assert.equal(await code({ Effect: 'Allow', Action: '*', Resource: `acs:dataworks:*:*:project/${PROJECT}` }), null);
  assert.equal(await code({ Effect: 'Allow', Action: '*', Condition: here }), null);
  assert.equal(await code({ Effect: 'Allow', Action: '*', Condition: elsewhere }), denied);
  assert.equal(
    await code({ Effect: 'Allow', Action: '*' }, { Effect: 'Deny', Action: 'dataworks:GetDI*', Condition: here }),
    denied,
  );
});

test('operations that name no project see those that the call is allowed in', async () => {
  const { port, calls } = await gatewayFor({
    projects: [PROJECT, FOREIGN_PROJECT],
    policy: policy({ Effect: 'Allow', Action: '*' }, { Effect: 'Deny', Action: '*', Resource: `project/${PROJECT}` }),
  });
  assert.equal((await send(port, query('DeleteDataSource'))).status, 200);
  assert.deepEqual(calls[0]?.args[0], { projects: [FOREIGN_PROJECT], user: USER });
});

test('temporary credentials need their token, and may do what both their user and their policy allow', async () => {
  const under = await openGateway();
  const id = 'STS.one';
  const session = policy({ Effect: 'Allow', Action: 'dataworks:Get*' });
  under.access.tokens.set(`${id} good`, fakeKey({ id, session }));
  under.access.tokens.set(`${id} old`, 'expired');
  under.access.tokens.set(`${id} other`, 'mismatch');
  const call = (action: string, SecurityToken?: string) =>
    send(under.port, { ...query(action), AccessKeyId: id, ...(SecurityToken === undefined ? {} : { SecurityToken }) });
  assert.equal((await call('GetDISyncTask', 'good')).status, 200);
  for (const [answer, code] of [
    [call('DeleteDISyncTask', 'good'), 'Forbidden.DI.NoPrivilege'],
    [call('GetDISyncTask'), 'MissingSecurityToken'],
    [call('GetDISyncTask', 'bad'), 'InvalidSecurityToken.Malformed'],
    [call('GetDISyncTask', 'old'), 'InvalidSecurityToken.Expired'],
    [call('GetDISyncTask', 'other'), 'InvalidSecurityToken.MismatchWithAccessKey'],
  ] as const)
    assert.equal((await answer).body['Code'], code);
  const wrong = await send(
    under.port,
    { ...query('GetDISyncTask'), AccessKeyId: id, SecurityToken: 'good' },
    { secret: 'other' },
  );
  assert.equal(wrong.body['Code'], 'SignatureDoesNotMatch');
});

test('one key that calls too often is told when to come again, others are served', async () => {
  const { port, calls, access } = await openGateway({ limits: { readsPerSecond: 1, writesPerSecond: 1 } });
  access.keys.set('other', fakeKey({ id: 'other' }));
  const answers = [];
  for (let call = 0; call < 3; call++) answers.push(await send(port, query('GetDISyncTask')));
  assert.deepEqual(
    answers.map(({ body }) => body['Code'] ?? null),
    [null, null, 'Throttling.User'],
  );
  const wait = Number(answers[2]?.headers['x-acs-retry-after']);
  assert.ok(wait > 0 && wait <= 1000, String(wait));
  assert.equal((await send(port, { ...query('GetDISyncTask'), AccessKeyId: 'other' })).status, 200);
  assert.equal(calls.length, 3);
});

test('whoever does not have the secret cannot use up the calls of a key', async () => {
  const { port } = await openGateway({ limits: { readsPerSecond: 1, writesPerSecond: 1 } });
  for (let call = 0; call < 5; call++) await send(port, query('GetDISyncTask'), { secret: 'guess' });
  assert.equal((await send(port, query('GetDISyncTask'))).status, 200);
});

test('every call is audited, allowed or not, with its parameters and without secrets', async () => {
  const { port, audited } = await openGateway();
  await send(port, query('CreateDataSource'), { headers: { 'user-agent': 'tester/1' } });
  await send(port, query('GetDISyncTask', { Stray: 'x' }), { secret: 'wrong' });
  await send(port, query('GetDISyncTask', { ProjectId: '4711' }));
  await send(port, query('StartDISyncInstance', { StartParam: '{"a":{"Password":"p4ss"},"b":1}' }));
  const content = `{"a":"${'x'.repeat(2000)}"}`;
  await send(port, query('UpdateDISyncTask', { TaskContent: content }));
  await raw(port, { path: '/nowhere' });
  const seen = audited.map(({ action, access, accessKeyId, user, from, status, code, parameters }) => {
    return { action, access, accessKeyId, user, from, status, code, parameters };
  });
  const base = { accessKeyId: KEY_ID, user: USER, from: '127.0.0.1', status: 200, code: null };
  assert.deepEqual(seen, [
    {
      ...base,
      action: 'CreateDataSource',
      access: 'write',
      parameters: { ProjectId: '10000', Name: 'shop', DataSourceType: 'mysql', EnvType: '1', Content: '***' },
    },
    {
      ...base,
      action: 'GetDISyncTask',
      access: 'read',
      user: null,
      status: 400,
      code: 'SignatureDoesNotMatch',
      parameters: null,
    },
    {
      ...base,
      action: 'GetDISyncTask',
      access: 'read',
      status: 403,
      code: 'Forbidden.DI.NoPrivilege',
      parameters: { ProjectId: '4711', TaskType: 'DI_REALTIME', FileId: '100' },
    },
    {
      ...base,
      action: 'StartDISyncInstance',
      access: 'write',
      parameters: {
        ProjectId: '10000',
        TaskType: 'DI_REALTIME',
        FileId: '100',
        StartParam: '{"a":{"Password":"***"},"b":1}',
      },
    },
    {
      ...base,
      action: 'UpdateDISyncTask',
      access: 'write',
      parameters: {
        ProjectId: '10000',
        TaskType: 'DI_REALTIME',
        FileId: '100',
        TaskContent: `sha256:${createHash('sha256').update(content).digest('hex')} (2008 characters)`,
      },
    },
    {
      ...base,
      action: '',
      access: null,
      accessKeyId: null,
      user: null,
      status: 404,
      code: 'InvalidAction.NotFound',
      parameters: null,
    },
  ]);
  assert.equal(audited[0]?.userAgent, 'tester/1');
  assert.match(audited[0]?.requestId ?? '', /^[0-9A-F-]{36}$/);
});

test('an audit trail that cannot be written does not undo the call', async () => {
  const fails = (): never => {
    throw new Error('disk full');
  };
  for (const append of [fails, async () => fails()]) {
    const under = await openGateway({ audit: { append, entries: () => [] } });
    assert.equal((await send(under.port, query('GetDISyncTask'))).status, 200);
  }
});

test('only the record of what may have changed something waits for the disk', async () => {
  const asked: [string, boolean][] = [];
  const { port } = await openGateway({
    audit: { append: async ({ action }, { durable }) => void asked.push([action, durable]), entries: () => [] },
  });
  await send(port, query('GetDISyncTask'));
  await send(port, query('StopDISyncInstance'));
  await send(port, query('StopDISyncInstance'), { secret: 'wrong' });
  assert.deepEqual(asked, [
    ['GetDISyncTask', false],
    ['StopDISyncInstance', true],
    ['StopDISyncInstance', false],
  ]);
});

test('a structure whose parts contradict each other is refused, and audited without them', async () => {
  const { port, audited } = await openGateway();
  const answer = await send(port, query('UpdateDIJob', { 'JobSettings.a': '1', 'JobSettings.a.b': 'hidden' }));
  assert.deepEqual([answer.status, answer.body['Code']], [400, 'Invalid.DI.Parameter']);
  assert.deepEqual(
    audited.map(({ code, parameters }) => [code, parameters?.['JobSettings']]),
    [['Invalid.DI.Parameter', '***']],
  );
});

test('what only watches the service answers too when it fails', async () => {
  const broken = () => Promise.reject(new Error('a defect'));
  const { port } = await openGateway({ health: { live: broken, ready: broken, metrics: broken } });
  const answer = await raw(port, { path: '/healthz' });
  assert.deepEqual([answer.status, answer.body['Code']], [500, 'InternalError.DI.Parameter']);
  assert.equal(answer.body['RequestId'], answer.headers['x-acs-request-id']);
});

test('a call that is sent again takes nothing out of the bucket of its key', async () => {
  const { port } = await openGateway({ limits: { readsPerSecond: 1, writesPerSecond: 1 } });
  const repeated = query('GetDISyncTask', { SignatureNonce: 'once' });
  assert.equal((await send(port, repeated)).status, 200);
  for (let call = 0; call < 5; call++) assert.equal((await send(port, repeated)).body['Code'], 'SignatureNonceUsed');
  assert.equal((await send(port, query('GetDISyncTask'))).status, 200);
});

test('answers XML when it is asked for, and to V1 when nothing is said', async () => {
  const { port } = await openGateway();
  for (const Format of ['XML', 'xml', '']) {
    const answer = await send(port, query('StopDISyncInstance', { Format }), { headers: { accept: '*/*' } });
    assert.equal(answer.headers['content-type'], 'text/xml;charset=utf-8');
    assert.match(
      answer.text,
      /^<\?xml version='1\.0' encoding='UTF-8'\?><StopDISyncInstanceResponse><RequestId>[0-9A-F-]{36}<\/RequestId><Success>true<\/Success><Data><Status>success<\/Status><\/Data><\/StopDISyncInstanceResponse>$/,
    );
  }
  const refused = await send(port, query('StopDISyncInstance', { Format: 'XML', FileId: 'x<y' }), {
    headers: { accept: '*/*' },
  });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /<Error><RequestId>.*<Code>Invalid\.DI\.Parameter<\/Code><Message>.*x&lt;y/);
  const bare = await raw(port, { headers: { accept: '*/*' } });
  assert.match(bare.text, /<Code>InvalidAction\.NotFound<\/Code>/);
});

test('a request that cannot be decoded is still answered in the format it names', async () => {
  const { port } = await openGateway();
  const parameters = new URLSearchParams({ ...commonParameters(), Format: 'XML' });
  const xml = await raw(port, { path: `/?${parameters.toString()}&broken=%zz` });
  assert.match(xml.text, /<Code>InvalidParameter<\/Code>/);
});

test('describes every operation to tools, unsigned', async () => {
  const { port } = await openGateway();
  const { status, body } = await raw(port, { path: '/catalogue' });
  assert.equal(status, 200);
  const described = body['operations'] as { name: string; access: string; parameters: { name: string }[] }[];
  assert.deepEqual(
    described.map(({ name }) => name),
    operations.map(({ name }) => name),
  );
  const deploy = described.find(({ name }) => name === 'DeployDISyncTask');
  assert.deepEqual(
    deploy?.parameters.map(({ name }) => name),
    ['ProjectId', 'TaskType', 'FileId'],
  );
  assert.equal(deploy?.access, 'write');
});

test('describes to tools what is inside of structured parameters', async () => {
  const { port } = await openGateway();
  const { body } = await raw(port, { path: '/catalogue' });
  const described = body['operations'] as { name: string; parameters: JsonObject[] }[];
  const start = described.find(({ name }) => name === 'StartDIJob');
  const settings = start?.parameters.find(({ name }) => name === 'RealtimeStartSettings');
  const inside = settings?.['fields'] as JsonObject[] | undefined;
  const limits = inside?.find(({ name }) => name === 'FailoverSettings')?.['fields'] as JsonObject[] | undefined;
  assert.deepEqual(limits?.[0], {
    name: 'UpperLimit',
    type: 'long',
    required: false,
    accepted: 'whole number from 0 to 1000000',
    meaning: 'failovers allowed',
    note: '',
  });
});
