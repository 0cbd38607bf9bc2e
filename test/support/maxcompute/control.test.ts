import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../../src/lib/host-policy.ts';
import { ServiceClient } from '../../../src/connectors/maxcompute/protocol/service-client.ts';
import { UpsertSession } from '../../../src/connectors/maxcompute/protocol/upsert-session.ts';
import { MaxComputeDouble } from './double.ts';
import { DoubleTable } from './tables.ts';
import { writeChanges } from './write-rows.ts';

const credential = { accessId: 'id', accessKey: 'key' };
const users = { project: 'p', table: 'users' };

let double: MaxComputeDouble;
let client: ServiceClient;

beforeEach(async () => {
  double = await MaxComputeDouble.start(credential);
  double.add(
    'projects/p/tables/users',
    new DoubleTable('users', {
      columns: [
        { name: 'id', type: { kind: 'bigint' } },
        { name: 'day', type: { kind: 'date' } },
      ],
      key: ['id'],
    }),
  );
  client = new ServiceClient({ endpoint: double.url, credential, hosts: DEFAULT_HOST_POLICY, retryFirstMs: 1 });
});

afterEach(async () => {
  client.close();
  await double.stop();
});

async function tell(method: string, what: string, body?: unknown): Promise<{ status: number; said: unknown }> {
  const reply = await fetch(`${double.url}/double/${what}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: reply.status, said: await reply.json() };
}

void test('what another process asks is answered: tables, rows as texts, calls', async () => {
  const session = await UpsertSession.begin(client, users);
  await writeChanges(
    session,
    [
      { id: 7, rest: [19_722n] },
      { id: 8, rest: [null] },
    ],
    'none',
  );
  assert.equal(await session.commit(), 'committed');
  const path = 'projects/p/tables/users';
  assert.deepEqual((await tell('GET', 'tables')).said, [
    { path, columns: ['id', 'day'], key: ['id'], partitions: { '': 2 } },
  ]);
  const { said: rows } = await tell('GET', `rows?table=${path}`);
  assert.deepEqual(
    new Set(rows as unknown[]),
    new Set([
      ['7', '2023-12-31'],
      ['8', null],
    ]),
  );
  assert.equal((await tell('GET', 'rows?table=projects/p/tables/none')).status, 404);
  assert.match(
    String(((await tell('GET', 'calls')).said as string[])[0]),
    /^POST \/projects\/p\/tables\/users\/upserts/,
  );
});

void test('faults that were told strike as often as they were told, where they fit', async () => {
  const faults = [
    { what: 'refuse', status: 429, code: 'FlowExceeded', holdMs: 1, method: 'PUT', path: '/upserts', times: 2 },
    { what: 'cut', method: 'PUT' },
    { what: 'replyLost', method: 'PUT' },
    { what: 'slow', ms: 1, method: 'PUT' },
  ];
  for (const [index, fault] of faults.entries())
    assert.deepEqual((await tell('POST', 'faults', fault)).said, { waiting: index === 0 ? 2 : index + 2 });
  const session = await UpsertSession.begin(client, users);
  await writeChanges(session, [{ id: 1, rest: [null] }], 'none');
  assert.equal(double.calls.filter((call) => call.startsWith('PUT')).length, 5);
  assert.equal(double.faults.size, 0);
  await tell('POST', 'faults', { what: 'cut' });
  assert.deepEqual((await tell('DELETE', 'faults')).said, { waiting: 0 });
  assert.equal(await session.commit(), 'committed');
});

void test('events move slots, expire and forget sessions, and make a commit fail', async () => {
  const begin = async () => UpsertSession.begin(client, users);
  const moved = await begin();
  await tell('POST', 'events/moveSlots');
  await writeChanges(moved, [{ id: 1, rest: [null] }], 'none');
  assert.ok(double.answers.includes('PUT upserts 308'));
  await tell('POST', 'events/failNextCommit');
  assert.equal(await moved.commit(), 'lost');
  const expired = await begin();
  await tell('POST', 'events/expireSessions');
  await assert.rejects(expired.commit(), { code: 'StatusConflict' });
  const forgotten = await begin();
  await tell('POST', 'events/forgetSessions');
  await assert.rejects(forgotten.commit(), { code: 'UpsertSessionNotFound' });
});

void test('what it does not understand is refused', async () => {
  for (const fault of [
    { what: 'explode' },
    { what: 'cut', times: 0 },
    { what: 'cut', times: '3' },
    { what: 'cut', where: 'PUT' },
    null,
  ])
    assert.equal((await tell('POST', 'faults', fault)).status, 400);
  assert.equal((await tell('POST', 'events/rest')).status, 404);
  assert.equal((await tell('GET', 'faults')).status, 404);
  assert.equal(double.faults.size, 0);
});
