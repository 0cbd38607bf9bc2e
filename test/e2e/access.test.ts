import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCall } from '../../src/cli/call.ts';
import { parseJson } from '../../src/lib/json.ts';
import { Service } from '../support/service.ts';

interface Key {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

let service: Service;
let own: Key;
let foreign: Key;

before(async () => {
  service = new Service({ dev: false });
  for (const project of ['7', '8']) await service.cli('project', 'create', project);
  const makeKey = async (project: string) =>
    parseJson(await service.cli('key', 'create', '--project', project)) as unknown as Key;
  [own, foreign] = [await makeKey('7'), await makeKey('8')];
  await service.restart();
});
const folder = mkdtempSync(join(tmpdir(), 'disync-access-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await service.dispose();
});

/** The exit status of `disync call`, and the answer's code or `Data`. */
async function call(key: Key, action: string, parameters: Readonly<Record<string, string>>) {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const endpoint = `127.0.0.1:${service.port}`;
  const { exit, stdout } = await runCall(action, pairs, { endpoint, ...key, apiVersion: '2020-05-18' });
  const answer = parseJson(stdout) as { Code?: string; Data?: unknown };
  return { exit, says: answer.Code ?? answer.Data };
}

const ONE_SOURCE = {
  ProjectId: '7',
  Name: 'shop',
  DataSourceType: 'mysql',
  EnvType: '1',
  Content: '{"host":"h","username":"u","password":"p","database":"d"}',
};

test('a key opens the project that it was made for, and its holder sees nothing of another one', async () => {
  assert.deepEqual((await call(own, 'CreateDataSource', ONE_SOURCE)).exit, 0);
  const query = { TaskType: 'DI_REALTIME', FileId: '1' };
  const calls = [
    ['CreateDataSource', { ...ONE_SOURCE, Name: 'theirs' }],
    ['ListDataSources', { ProjectId: '7' }],
    ['GetDISyncTask', { ProjectId: '7', ...query }],
    ['GetDISyncTask', { ProjectId: '999', ...query }],
    ['DeleteDISyncTask', { ProjectId: '7', ...query }],
  ] as const;
  for (const [action, parameters] of calls) {
    assert.deepEqual(await call(foreign, action, parameters), { exit: 4, says: 'Forbidden.DI.NoPrivilege' }, action);
  }
  const { says } = await call(own, 'ListDataSources', { ProjectId: '7' });
  assert.deepEqual((says as { TotalCount: number }).TotalCount, 1);
});

test('a wrong secret, an unknown key and a disabled one are refused, the last at once and until it is enabled', async () => {
  const query = { ProjectId: '7' };
  const refused = (says: string) => ({ exit: 4, says });
  assert.deepEqual(
    await call({ ...own, accessKeySecret: 'wrong' }, 'ListDataSources', query),
    refused('SignatureDoesNotMatch'),
  );
  assert.deepEqual(
    await call({ ...own, accessKeyId: 'nobody' }, 'ListDataSources', query),
    refused('InvalidAccessKeyId.NotFound'),
  );
  await service.cli('key', 'disable', own.accessKeyId);
  assert.deepEqual(await call(own, 'ListDataSources', query), refused('InvalidAccessKeyId.Inactive'));
  await service.cli('key', 'enable', own.accessKeyId);
  assert.equal((await call(own, 'ListDataSources', query)).exit, 0);
});

test('users, policies, temporary credentials and the audit trail, as one uses them', async () => {
  const policy = (action: string) =>
    JSON.stringify({
      Version: '1',
      Statement: [{ Effect: 'Allow', Action: `dataworks:${action}`, Resource: 'project/7' }],
    });
  writeFileSync(join(folder, 'lists.json'), policy('List*'));
  writeFileSync(join(folder, 'jobs.json'), policy('ListDIJobs'));
  await service.cli('user', 'create', 'ann');
  await service.cli('project', 'add-member', '7', 'ann');
  const key = parseJson(await service.cli('key', 'create', '--user', 'ann')) as unknown as Key;
  const query = { ProjectId: '7' };
  const denied = { exit: 4, says: 'Forbidden.DI.NoPrivilege' };
  assert.deepEqual(await call(key, 'ListDataSources', query), denied);
  await service.cli('policy', 'set', 'ann', 'lists', join(folder, 'lists.json'));
  assert.equal((await call(key, 'ListDataSources', query)).exit, 0);
  assert.deepEqual(await call(key, 'CreateDataSource', ONE_SOURCE), denied);
  const token = parseJson(await service.cli('token', '--user', 'ann', '--minutes', '5')) as unknown as Key;
  assert.equal((await call(token, 'ListDataSources', query)).exit, 0);
  const narrow = ['token', '--user', 'ann', '--policy', join(folder, 'jobs.json')];
  const narrowed = parseJson(await service.cli(...narrow)) as unknown as Key;
  assert.deepEqual(await call(narrowed, 'ListDataSources', query), denied);
  await service.cli('user', 'delete', 'ann');
  for (const gone of [key, token])
    assert.deepEqual(await call(gone, 'ListDataSources', query), { exit: 4, says: 'InvalidAccessKeyId.NotFound' });
  const trail = await service.cli('audit', '--user', 'ann');
  assert.deepEqual(
    trail
      .trim()
      .split('\n')
      .map((line) => line.split('\t').slice(1, 6)),
    [
      ['ann', '127.0.0.1', 'ListDataSources', '403', 'Forbidden.DI.NoPrivilege'],
      ['ann', '127.0.0.1', 'ListDataSources', '200', 'ok'],
      ['ann', '127.0.0.1', 'CreateDataSource', '403', 'Forbidden.DI.NoPrivilege'],
      ['ann', '127.0.0.1', 'ListDataSources', '200', 'ok'],
      ['ann', '127.0.0.1', 'ListDataSources', '403', 'Forbidden.DI.NoPrivilege'],
    ],
  );
  assert.equal(trail.includes(key.accessKeySecret), false);
});

test('keys and projects outlive a kill of the service', async () => {
  await service.kill();
  await service.restart();
  assert.equal((await call(own, 'ListDataSources', { ProjectId: '7' })).exit, 0);
  assert.equal((await call(foreign, 'ListDataSources', { ProjectId: '8' })).exit, 0);
});
