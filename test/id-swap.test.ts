import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { operations } from '../src/api/catalogue.ts';
import type { Operation } from '../src/api/operation.ts';
import { signCallV3 } from '../src/cli/sign-call.ts';
import type { TaskId } from '../src/tasks/ids.ts';
import { goodParameters } from './support/api-clients.ts';
import { bytesOf } from './support/fuzz-requests.ts';
import { RawClient } from './support/raw-client.ts';
import { param } from './support/task-scene.ts';
import { FOREIGN_PROJECT, KEY, PROJECT, WholeService } from './support/whole-service.ts';

type Key = Pick<Parameters<typeof signCallV3>[2], 'accessKeyId' | 'accessKeySecret' | 'securityToken'>;

/** By parameter: what is of the foreign project, and what is nobody's. */
type Swaps = Readonly<Record<string, readonly [foreign: string, unknown: string]>>;

const ENTITLED = 'a member with every right';
/** Texts in which a foreign data source is named. */
const NAMED = ['TaskParam', 'TaskContent', 'SourceDataSourceSettings', 'DestinationDataSourceSettings'];

const THEIRS = { project: FOREIGN_PROJECT, accessKeyId: 'theirs', user: 'theirs' };

let service: WholeService;
let swaps: Swaps;
let callers: Readonly<Record<string, Key>>;

before(async () => {
  service = await WholeService.open();
  swaps = await furnish();
  callers = await makeCallers();
});
after(() => service.close());

/** A foreign project with one of everything. */
async function furnish(): Promise<Swaps> {
  const { tasks, dataSources } = service.created;
  const register = (name: string, type: string, content: object) =>
    dataSources.create(THEIRS, {
      name,
      type,
      subType: null,
      env: 1,
      description: '',
      content: JSON.stringify(content),
    });
  const source = await register('shop_mysql', 'mysql', { jdbcUrl: 'jdbc:mysql://h/shop', database: 'shop' });
  await register('bi_holo', 'holo', { endpoint: 'h:5432' });
  const taskType = 'DI_REALTIME';
  const process = await tasks.generateForCreating(THEIRS, { taskType, taskParam: param(['a']), idempotence: null });
  const state = await tasks.processResult(THEIRS, { taskType, process, waitMs: 2000 });
  assert.ok(state.kind === 'success');
  const { taskContent } = state;
  const task: TaskId = await tasks.create(THEIRS, {
    taskType,
    name: 'theirs',
    taskContent,
    taskParam: null,
    idempotence: null,
  });
  await tasks.deploy(THEIRS, { taskType, task });
  await tasks.start(THEIRS, { taskType, task, startParam: null });
  const rule = await service.created.alarms.create(
    { user: THEIRS.user, projects: [FOREIGN_PROJECT] },
    {
      task,
      spec: {
        description: null,
        enabled: false,
        metric: 'Heartbeat',
        conditions: [{ severity: 'Warning', durationMinutes: null, threshold: null, ddl: null }],
        muteMinutes: 5,
        channels: [{ severity: 'Warning', channels: ['Ding'] }],
        receivers: [{ type: 'DingToken', values: ['theirs'] }],
      },
    },
  );
  const file = [String(task), '799999'] as const;
  const connection = [String(source), '99999'] as const;
  return {
    ProjectId: [String(FOREIGN_PROJECT), '10999'],
    ProjectIdentifier: [`project ${FOREIGN_PROJECT}`, 'project 10999'],
    FileId: file,
    TaskId: file,
    DIJobId: file,
    DIAlarmRuleId: [String(rule), '9999'],
    NodeId: file,
    FileIdIn: file,
    AsyncProcessId: [String(process), '9999'],
    DataSourceId: connection,
    ConnectionId: connection,
    DatasourceName: ['shop_mysql', 'nowhere_at'],
    Name: ['shop_mysql', 'nowhere_at'],
    JobName: ['theirs', 'nobodys'],
    ExactFileName: ['theirs', 'nobodys'],
  };
}

/** But for the first, none of them may do anything in the foreign project. */
async function makeCallers(): Promise<Readonly<Record<string, Key>>> {
  const { access } = service.store;
  const everything = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}';
  const nothing = '{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}';
  const member = async (name: string, policies: readonly string[]): Promise<Key> => {
    await access.createUser(name);
    await access.setMember(FOREIGN_PROJECT, name, true);
    for (const [index, policy] of policies.entries()) await access.setPolicy(name, `policy${index}`, policy);
    const { id, secret } = await access.createKey({ user: name });
    return { accessKeyId: id, accessKeySecret: secret, securityToken: null };
  };
  const elsewhere = everything.replace('"Resource":"*"', `"Resource":"project/${PROJECT}"`);
  const entitled = await member('entitled', [everything]);
  const narrowed = await access.issueToken({ user: 'entitled', lifetimeMs: 3_600_000, policy: nothing });
  return {
    [ENTITLED]: entitled,
    'a member of another project': KEY,
    'a member without a policy': await member('powerless', []),
    'a member with a policy for another project': await member('misplaced', [elsewhere]),
    'a member whom a policy denies everything': await member('denied', [everything, nothing]),
    'temporary credentials that were narrowed to nothing': {
      accessKeyId: narrowed.id,
      accessKeySecret: narrowed.secret,
      securityToken: narrowed.securityToken,
    },
  };
}

/** What a call is answered, without what is said of every call, and of the ids that it named. */
async function answer(
  client: RawClient,
  key: Key,
  operation: Operation,
  which: 0 | 1,
  project: string,
): Promise<string> {
  const texts = new Map(Object.entries(goodParameters(operation.name)));
  for (const name of Object.keys(operation.parameters)) {
    const swap = swaps[name];
    if (swap !== undefined && (texts.has(name) || name !== 'ProjectIdentifier')) texts.set(name, swap[which]);
    if (NAMED.includes(name) && texts.has(name)) texts.set(name, naming(name, swaps['DatasourceName']?.[which] ?? ''));
  }
  if ('ProjectId' in operation.parameters) texts.set('ProjectId', project);
  const call = { action: operation.name, version: operation.version, parameters: texts };
  const signed = signCallV3(call, `127.0.0.1:${service.port}`, { ...key, now: Date.now() });
  const got = await client.ask(bytesOf({ ...signed, method: 'POST' }, service.port));
  assert.ok(got !== null);
  assert.ok(got.status < 500, got.body);
  const own = Object.values(swaps).map((swap) => swap[which]);
  const plain = got.body.replace(/"RequestId":"[^"]+"/, '').replace(/"ProcessId":\d+/, '"ProcessId":0');
  return `${got.status} ${own.reduce((text, id) => text.replaceAll(id.length > 5 ? id : `[${id}]`, '[#]'), plain)}`;
}

function naming(name: string, dataSource: string): string {
  switch (name) {
    case 'TaskParam':
      return param(['a']).replace('shop_mysql', dataSource);
    case 'TaskContent':
      return JSON.stringify({
        ...(JSON.parse(param(['a']).replace('shop_mysql', dataSource)) as object),
        extend: { mode: 'migration_holo' },
      });
    default:
      return JSON.stringify([{ DataSourceName: dataSource }]);
  }
}

test('whoever may do nothing in a project is answered of what is in it as of what is nowhere, whatever they call', async () => {
  const leaks: string[] = [];
  const tryAll = async (caller: string, key: Key): Promise<void> => {
    const client = new RawClient(service.port);
    for (const operation of operations) {
      for (const project of ['own', 'named'] as const) {
        const projectOf = (which: 0 | 1) => (project === 'own' ? String(PROJECT) : (swaps['ProjectId']?.[which] ?? ''));
        const foreign = await answer(client, key, operation, 0, projectOf(0));
        const unknown = await answer(client, key, operation, 1, projectOf(1));
        if (foreign !== unknown) leaks.push(`${operation.name}, ${caller}, ${project}:\n  ${foreign}\n  ${unknown}`);
      }
    }
    client.close();
  };
  const strangers = Object.entries(callers).filter(([name]) => name !== ENTITLED);
  await Promise.all(strangers.map(([name, key]) => tryAll(name, key)));
  assert.deepEqual(leaks, []);
});

test('whoever may see it is answered otherwise', async () => {
  const client = new RawClient(service.port);
  const key = callers[ENTITLED] ?? KEY;
  const differ: string[] = [];
  for (const operation of operations.filter(
    ({ access, name }) => access === 'read' && name !== 'TestNetworkConnection',
  )) {
    const foreign = await answer(client, key, operation, 0, String(FOREIGN_PROJECT));
    const unknown = await answer(client, key, operation, 1, String(FOREIGN_PROJECT));
    if (foreign !== unknown) differ.push(operation.name);
  }
  client.close();
  const needed = [
    'GetDISyncTask',
    'GetDISyncInstanceInfo',
    'GetDIJob',
    'GetFile',
    'QueryDISyncTaskConfigProcessResult',
  ];
  assert.deepEqual(
    needed.filter((name) => !differ.includes(name)),
    [],
  );
});

test('what was called for in vain has changed nothing in the foreign project', async () => {
  const task = BigInt(swaps['FileId']?.[0] ?? '') as TaskId;
  const info = await service.created.tasks.info(THEIRS, { taskType: 'DI_REALTIME', task });
  assert.deepEqual([info.name, info.status, info.deployedVersion], ['theirs', 'RUN', 1]);
});
