import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { operations } from '../../src/api/catalogue.ts';
import { sinks, sources } from '../../src/connectors/index.ts';
import type { JsonObject } from '../../src/lib/json-value.ts';
import type { Logger } from '../../src/lib/log.ts';
import { query, raw, send } from '../support/api-clients.ts';
import { KEY_ID, openGateway, PROJECT, SECRET } from '../support/gateway-under-test.ts';
import { openTasks } from '../support/open-tasks.ts';

/** Stands wherever a Content may hold a secret. */
const CANARY = 'cana7y';
const NAMES = /DataSource|Connection/;

/** Contents that are right, as far as they can be read; nothing listens at these addresses. */
const GOOD: readonly (readonly [type: string, content: JsonObject])[] = [
  ['mysql', { jdbcUrl: 'jdbc:mysql://127.0.0.1:1/shop', username: 'u', password: CANARY }],
  ['mysql', { jdbcUrl: `jdbc:mysql://127.0.0.1:1/shop?password=${CANARY}`, username: 'u', password: CANARY }],
  ['mysql', { host: '169.254.169.254', username: 'u', password: CANARY, ssl: { mode: 'required', key: CANARY } }],
  ['holo', { endpoint: '127.0.0.1:1', database: 'd', accessId: 'u', accessKey: CANARY }],
  ['holo', { jdbcUrl: 'jdbc:postgresql://127.0.0.1:1/d', username: 'u', password: CANARY, secretKey: CANARY }],
  ['kafka', { address: '127.0.0.1:1', username: 'u', password: CANARY, securityToken: CANARY }],
];

/** Contents that are wrong, each in another way. */
const BAD: readonly (readonly [type: string, content: string])[] = [
  ['mysql', `{"password":"${CANARY}"`],
  ['mysql', `{"password":"${CANARY}","password":"${CANARY}"}`],
  ['mysql', `"${CANARY}"`],
  ['mysql', `["${CANARY}"]`],
  ['mysql', CANARY],
  ['mysql', `{"password":"${CANARY}"}`],
  ['mysql', `{"password":{"x":"${CANARY}"},"host":"h","username":"u"}`],
  ['mysql', `{"jdbcUrl":"${CANARY}","username":"u","password":"${CANARY}"}`],
  ['mysql', `{"jdbcUrl":"jdbc:mysql://u:${CANARY}@h/%zz","username":"u","password":"${CANARY}"}`],
  ['mysql', `{"host":"h","port":"${CANARY}","username":"u","password":"${CANARY}"}`],
  ['mysql', `{"host":"h","username":"u","password":"${CANARY}","ssl":{"mode":"${CANARY}"}}`],
  ['mysql', `{"host":"h","username":"u","password":"${CANARY}","ssl":"${CANARY}"}`],
  ['holo', `{"endpoint":"${CANARY}@h:1:2","database":"d","accessId":"u","accessKey":"${CANARY}"}`],
  ['holo', `{"endpoint":"h:1","database":"d","accessId":"u","accessKey":["${CANARY}"]}`],
  ['holo', `{"jdbcUrl":"jdbc:postgresql://u:${CANARY}@h/d","username":"u","password":"${CANARY}"}`],
  ['kafka', `{"address":"u:${CANARY}@h:1","password":"${CANARY}"}`],
  ['kafka', `{"address":"h:1","Password":"${CANARY}"}`],
  ['kafka', `{"address":"h:1","username":"u","password":"${CANARY}","saslMechanism":"${CANARY}"}`],
  ['kafka', `{"address":"h:1","securityProtocol":"SSL","ssl":{"key":"${CANARY}"}}`],
  ['oss', `{"accessKey":"${CANARY}"}`],
  ['mysql', `{"instanceName":"rm-1","password":"${CANARY}"}`],
];

const folder = mkdtempSync(join(tmpdir(), 'disync-secrets-'));
const logged: string[] = [];
const seen: string[] = [];
const called = new Set<string>();
const log = logInto(logged);
const { store, created } = openTasks(folder, { connectors: { sources, sinks }, log });
await store.access.createProject(PROJECT, 'p');
await store.access.createKey({ projects: [PROJECT], id: KEY_ID, secret: SECRET });
const { tasks, dataSources } = created;
const { port } = await openGateway({ access: store.access, audit: store.audit, tasks, dataSources, log });
after(async () => {
  await created.close(100);
  await store.close();
  rmSync(folder, { recursive: true });
});

void describe('a secret of a data source', () => {
  async function call(action: string, parameters: Record<string, string>, isPut = false): Promise<JsonObject> {
    called.add(action);
    const { status, headers, body } = await send(port, query(action, parameters), { method: isPut ? 'PUT' : 'POST' });
    seen.push(`${action} ${status} ${JSON.stringify(headers)} ${JSON.stringify(body)}`);
    return body;
  }

  void it('is in no answer, whatever is asked of a data source that is right', async () => {
    for (const [index, [type, content]] of GOOD.entries()) {
      const text = JSON.stringify(content);
      const name = { Name: `good${index}`, DatasourceName: `good${index}` };
      const { Data: id } = await call('CreateDataSource', { ...name, DataSourceType: type, Content: text });
      if (typeof id !== 'number') throw new Error(seen.at(-1));
      const row = { Name: `in${index}`, DataSourceType: type, SubType: '', Description: '', Content: text, EnvType: 1 };
      await call('ImportDataSources', { DataSources: JSON.stringify([row, row]) });
      await call('CreateConnection', { ...name, EnvType: '0', ConnectionType: type, Content: text });
      await call('UpdateDataSource', { DataSourceId: String(id), Content: text }, true);
      await call('UpdateConnection', { ConnectionId: String(id), Content: text, Status: 'ENABLED' }, true);
      await call('SetDataSourceShare', name);
      await call('GetDataSourceMeta', name);
      await call('TestNetworkConnection', name);
    }
    for (const action of ['ListDataSources', 'ListConnections', 'ExportDataSources'])
      await call(action, { PageSize: '100' });
    await call('DeleteDataSource', { DataSourceId: '1' });
    await call('DeleteConnection', { ConnectionId: '2' });
    assert.ok(seen.some((answer) => answer.includes('***')));
    none();
  });

  void it('is in no answer when its Content is wrong', async () => {
    for (const [type, content] of BAD) {
      const before = seen.length;
      await call('CreateDataSource', { Name: 'bad', DataSourceType: type, Content: content });
      await call('CreateConnection', { Name: 'bad', ConnectionType: type, Content: content });
      await call('UpdateDataSource', { DataSourceId: '3', Content: content }, true);
      const row = { Name: 'bad', DataSourceType: type, SubType: '', Description: '', Content: content, EnvType: 1 };
      await call('ImportDataSources', { DataSources: JSON.stringify([row]) });
      await call('ImportDataSources', { DataSources: `[{"Content":${content}}]` });
      const created = seen[before] ?? '';
      assert.match(created, /^CreateDataSource 400 .*"Code":"Invalid\.DI\.Parameter"/, content);
    }
    none();
  });

  void it('is in no answer to a request that is broken elsewhere', async () => {
    const text = encodeURIComponent(`{"password":"${CANARY}"}`);
    for (const path of [
      `/?Action=CreateDataSource&Version=2020-05-18&Content=${text}&Content=${text}`,
      `/?Action=CreateDataSource&Version=2020-05-18&Format=JSON&AccessKeyId=none&Content=${text}`,
      `/?Action=CreateDataSource&Version=2020-05-18&Content=${text}%zz`,
    ])
      seen.push(
        JSON.stringify((await raw(port, { path, method: 'POST', headers: { accept: 'application/json' } })).body),
      );
    none();
  });

  void it('is in no line of the log, and in no file', () => {
    assert.ok(logged.length > 0);
    assert.deepEqual(
      logged.filter((line) => line.includes(CANARY)),
      [],
    );
    const files = readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' });
    const holding = files.filter((name) => readFileSync(join(folder, 'data', name)).includes(CANARY));
    assert.deepEqual(holding, []);
  });

  void it('was asked of every operation on data sources', () => {
    const all = operations.map(({ name }) => name).filter((name) => NAMES.test(name));
    assert.deepEqual([...called].sort(), all.sort());
  });

  function none(): void {
    const telling = seen.filter((answer) => answer.includes(CANARY));
    assert.deepEqual(
      telling.map((answer) => answer.slice(0, answer.indexOf(CANARY) + 20).replace(/^(.{40}).*(.{80})$/s, '$1 … $2')),
      [],
    );
  }
});

function logInto(lines: string[]): Logger {
  const write = (facts: object, event: string) => {
    lines.push(
      `${event} ${JSON.stringify(facts, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
  };
  return { error: write, warn: write, info: write, debug: write, child: () => logInto(lines) };
}
