import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import type { AccessKey } from '../tasks/access-service.ts';
import type { AuditedCall } from '../tasks/audit.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { isAllowed } from '../tasks/policy.ts';
import { TaskError } from '../tasks/task-error.ts';
import { initial } from './migrations/001-initial.ts';
import { Store } from './store.ts';

const PROJECT = 7n as ProjectId;
const READER = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"dataworks:Get*","Resource":"project/7"}]}';
const folders: string[] = [];
let now = 1_000_000;

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'disync-users-'));
  folders.push(folder);
  return join(folder, 'data');
}

function open(folder: string, exclusive = true): Store {
  return Store.open({ folder, masterKey: null, masterKeyFile: null, clock: { now: () => now }, exclusive });
}

const may = (key: AccessKey | null, action: string) =>
  key !== null && isAllowed(key.policy, { action, resource: 'project/7', sourceAddress: '127.0.0.1' });

void test('a user has keys, policies and projects, and what changes holds for the next call', async () => {
  const store = open(freshFolder());
  const { access } = store;
  await access.createProject(PROJECT, 'p');
  await access.createUser('ann');
  const { id } = await access.createKey({ user: 'ann' });
  assert.deepEqual([(await access.findKey(id))?.projects, may(await access.findKey(id), 'GetDISyncTask')], [[], false]);
  await access.setMember(PROJECT, 'ann', true);
  await access.setPolicy('ann', 'reader', READER);
  const key = await access.findKey(id);
  assert.deepEqual([key?.user, key?.projects, key?.session], ['ann', [PROJECT], null]);
  assert.deepEqual([may(key, 'GetDISyncTask'), may(key, 'DeleteDISyncTask')], [true, false]);
  assert.equal(await access.policy('ann', 'reader'), READER);
  assert.deepEqual(await access.listUsers(), [{ name: 'ann', projects: [PROJECT], policies: ['reader'] }]);
  await access.setPolicy('ann', 'reader', null);
  assert.equal(may(await access.findKey(id), 'GetDISyncTask'), false);
  await access.setMember(PROJECT, 'ann', false);
  assert.deepEqual((await access.findKey(id))?.projects, []);
  await access.deleteUser('ann');
  assert.equal(await access.findKey(id), null);
  await store.close();
});

void test('what a command changes beside the service holds at once', async () => {
  const folder = freshFolder();
  const service = open(folder);
  await service.access.createProject(PROJECT, 'p');
  const { id } = await service.access.createKey({ projects: [PROJECT] });
  assert.equal((await service.access.findKey(id))?.active, true);
  const command = open(folder, false);
  await command.access.setKeyActive(id, false);
  await command.close();
  assert.equal((await service.access.findKey(id))?.active, false);
  await service.close();
});

void test('what does not exist, or cannot be, is refused by name', async () => {
  const store = open(freshFolder());
  const { access } = store;
  const refuses = (work: Promise<unknown>, code: string) =>
    assert.rejects(work, (error: unknown) => error instanceof TaskError && error.code === code);
  await access.createUser('ann');
  await refuses(access.createUser('ann'), 'User.Exists');
  await refuses(access.createUser('a b'), 'Access.Name');
  await refuses(access.deleteUser('bob'), 'User.NotFound');
  await refuses(access.createKey({ user: 'bob' }), 'User.NotFound');
  await refuses(access.setMember(PROJECT, 'ann', true), 'Project.NotFound');
  await refuses(access.setPolicy('bob', 'p', READER), 'User.NotFound');
  await refuses(access.setPolicy('ann', 'p', '{}'), 'Policy.Invalid');
  await refuses(access.setPolicy('ann', 'p', null), 'Policy.NotFound');
  await refuses(access.policy('ann', 'p'), 'Policy.NotFound');
  await refuses(access.createKey({ id: 'ann' }), 'User.Exists');
  await refuses(access.issueToken({ user: 'bob', lifetimeMs: 60_000, policy: null }), 'User.NotFound');
  await refuses(access.issueToken({ user: 'ann', lifetimeMs: 59_999, policy: null }), 'Token.Lifetime');
  await refuses(access.issueToken({ user: 'ann', lifetimeMs: Number.NaN, policy: null }), 'Token.Lifetime');
  await refuses(access.issueToken({ user: 'ann', lifetimeMs: 60_000, policy: '[]' }), 'Policy.Invalid');
  await store.close();
});

void test('temporary credentials stand for their user until they expire, or the user is another one', async () => {
  const folder = freshFolder();
  const first = open(folder);
  await first.access.createProject(PROJECT, 'p');
  await first.access.createUser('ann');
  await first.access.setMember(PROJECT, 'ann', true);
  await first.access.setPolicy('ann', 'reader', READER);
  const token = await first.access.issueToken({ user: 'ann', lifetimeMs: 60_000, policy: READER });
  assert.equal(token.expiresAt, now + 60_000);
  await first.close();
  const { access, close } = open(folder);
  const key = await access.openToken(token.id, token.securityToken);
  assert.ok(key !== null && typeof key !== 'string');
  assert.deepEqual([key.id, key.secret, key.user, key.projects], [token.id, token.secret, 'ann', [PROJECT]]);
  assert.deepEqual(key.session, key.policy);
  assert.equal(await access.openToken('STS.other', token.securityToken), 'mismatch');
  const other = token.securityToken.startsWith('A') ? 'B' : 'A';
  assert.equal(await access.openToken(token.id, other + token.securityToken.slice(1)), 'malformed');
  assert.equal(await access.openToken(token.id, ''), 'malformed');
  now += 59_999;
  assert.notEqual(await access.openToken(token.id, token.securityToken), 'expired');
  await access.deleteUser('ann');
  await access.createUser('ann');
  assert.equal(await access.openToken(token.id, token.securityToken), null);
  now += 1;
  assert.equal(await access.openToken(token.id, token.securityToken), 'expired');
  void close;
});

void test('keys of a store from before there were users open what they opened', async () => {
  const folder = freshFolder();
  // A key's secret is sealed, so it is made by a store, and put into the old shape by hand.
  const made = open(folder);
  await made.access.createProject(PROJECT, 'p');
  const { id, secret } = await made.access.createKey({ projects: [PROJECT] });
  await made.close();
  const database = new DatabaseSync(join(folder, 'disync.db'));
  const sealed = database.prepare('SELECT secret FROM access_key').get()?.['secret'] as Uint8Array;
  const meta = database.prepare('SELECT key, value FROM meta').all() as { key: string; value: string }[];
  database.close();
  rmSync(join(folder, 'disync.db'));
  mkdirSync(folder, { recursive: true });
  const old = new DatabaseSync(join(folder, 'disync.db'));
  old.exec(`${initial}; PRAGMA user_version = 1`);
  for (const { key, value } of meta) old.prepare('INSERT INTO meta VALUES (?, ?)').run(key, value);
  old.exec("INSERT INTO project VALUES (7, 'p')");
  old.prepare('INSERT INTO access_key VALUES (?, ?, 0, 5)').run(id, sealed);
  old.prepare('INSERT INTO access_key_project VALUES (?, 7)').run(id);
  old.close();
  const store = open(folder);
  const key = await store.access.findKey(id);
  assert.deepEqual([key?.secret, key?.active, key?.user, key?.projects], [secret, false, id, [PROJECT]]);
  assert.equal(may(key, 'DeleteDISyncTask'), true);
  await store.close();
});

const DURABLE = { durable: true };
const CALL: AuditedCall = {
  at: 1_767_225_600_123,
  requestId: 'R',
  action: 'GetDISyncTask',
  version: '2020-05-18',
  access: 'read',
  accessKeyId: 'KEY',
  user: 'ann',
  from: '127.0.0.1',
  userAgent: 'x',
  status: 200,
  code: null,
  ms: 1,
  parameters: { FileId: '100' },
};

void test('the audit trail comes back as it was written, and a record that was changed or taken out shows', async () => {
  const folder = freshFolder();
  const store = open(folder);
  const calls = Array.from({ length: 5 }, (_, index) => ({
    ...CALL,
    requestId: `R${index}`,
    access: index === 3 ? null : CALL.access,
  }));
  await Promise.all(calls.slice(0, 3).map((call) => store.audit.append(call, DURABLE)));
  await store.close();
  const again = open(folder);
  for (const call of calls.slice(3)) await again.audit.append(call, DURABLE);
  const entries = [...again.audit.entries()];
  assert.deepEqual(
    entries,
    calls.map((call, index) => ({ sequence: index + 1, call, isGenuine: true })),
  );
  const database = new DatabaseSync(join(folder, 'calls.db'));
  const genuine = () => [...again.audit.entries()].map(({ isGenuine }) => isGenuine);
  database.exec("UPDATE audit SET record = replace(record, '127.0.0.1', '127.0.0.2') WHERE sequence = 2");
  assert.deepEqual(genuine(), [true, false, true, true, true]);
  database.exec("UPDATE audit SET record = replace(record, '127.0.0.2', '127.0.0.1') WHERE sequence = 2");
  database.exec('DELETE FROM audit WHERE sequence = 3');
  assert.deepEqual(genuine(), [true, true, false, true]);
  database.close();
  await again.close();
});

void test('a record that could not be written is not taken for one by those after it', async () => {
  const folder = freshFolder();
  const store = open(folder);
  await store.audit.append(CALL, DURABLE);
  const blocker = new DatabaseSync(join(folder, 'calls.db'));
  blocker.exec('BEGIN IMMEDIATE');
  await assert.rejects(store.audit.append({ ...CALL, requestId: 'BLOCKED' }, DURABLE), /locked/);
  blocker.exec('ROLLBACK');
  blocker.close();
  await store.audit.append({ ...CALL, requestId: 'LAST' }, DURABLE);
  const entries = [...store.audit.entries()];
  assert.deepEqual(
    entries.map(({ call, isGenuine }) => [call.requestId, isGenuine]),
    [
      ['R', true],
      ['LAST', true],
    ],
  );
  await store.close();
});
