import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openTasks } from '../../test/support/open-tasks.ts';
import { Script, scriptedConnectors } from '../../test/support/scripted-connectors.ts';
import type { ScriptedEngine } from '../../test/support/scripted-engine.ts';
import { PipelineError } from '../pipeline/pipeline-error.ts';
import { failed } from '../pipeline/stages.ts';
import type { Store } from '../store/store.ts';
import type { CreatedTasks } from './create-tasks.ts';
import type { DataSource, DataSourceChanges, DataSourceShare, NewDataSource } from './data-source-service.ts';
import type { DataSourceId, ProjectId, TaskId } from './ids.ts';
import { TaskError } from './task-error.ts';
import type { Caller } from './task-service.ts';

const OURS = 1n as ProjectId;
const THEIRS = 2n as ProjectId;
const US: Caller = { project: OURS, user: 'us' };
const THEM: Caller = { project: THEIRS, user: 'them' };
const OTHERS: Caller = { project: THEIRS, user: 'others' };
const REACH = { user: 'us', projects: [OURS, THEIRS] };
const NOTHING_GIVEN = { content: null, description: null, env: null, enabled: null };
const MYSQL = { jdbcUrl: 'jdbc:mysql://h/shop', database: 'shop', password: 'p' };
const HOLO = { endpoint: 'h:5432', password: 'p' };
const taskType = 'DI_REALTIME';

const ends: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of ends) await end();
});

/** Data sources and tasks of two projects over a real store and a scripted engine. */
class Scene {
  readonly clock = { time: 1000, now: () => this.clock.time };
  readonly #folder = mkdtempSync(join(tmpdir(), 'disync-sources-'));
  readonly script = new Script().table('shop', 'a').table('shop', 'b').table('log', 'c');
  engine!: ScriptedEngine;
  store!: Store;
  created!: CreatedTasks;

  static async make(): Promise<Scene> {
    const scene = new Scene();
    await scene.open();
    await scene.create('mysql', MYSQL);
    await scene.create('holo', HOLO);
    ends.push(async () => {
      await scene.close();
      rmSync(scene.#folder, { recursive: true });
    });
    return scene;
  }

  async open(): Promise<void> {
    const { clock } = this;
    const connectors = scriptedConnectors(this.script);
    Object.assign(this, openTasks(this.#folder, { connectors, clock, probeTimeoutMs: 200 }));
    await this.created.resumeAll();
  }

  async close(): Promise<void> {
    await this.created.close(100);
    await this.store.close();
  }

  get sources() {
    return this.created.dataSources;
  }

  create(type: 'mysql' | 'holo', content: object, changes: Partial<NewDataSource> = {}, caller = US) {
    return this.sources.create(caller, { ...source(type, content), ...changes });
  }

  async list({ project }: Caller = US, enabled: boolean | null = null): Promise<readonly DataSource[]> {
    const filter = { name: null, type: null, subType: null, env: null, enabled, pageNumber: 1, pageSize: 100 };
    return (await this.sources.list({ project, user: '' }, filter)).rows;
  }

  async named(name: string): Promise<DataSource> {
    const found = (await this.list()).find((row) => row.name === name);
    assert.ok(found !== undefined);
    return found;
  }

  async update(name: string, changes: Partial<DataSourceChanges>) {
    await this.sources.update(REACH, (await this.named(name)).id, { ...NOTHING_GIVEN, ...changes });
  }

  share(shares: readonly DataSourceShare[], name = 'mysql', projects = REACH.projects) {
    return this.sources.share(US, { name, env: null, shares, projects });
  }

  /** A task that reads and writes data sources of these names; or why its plan failed. */
  async task(caller: Caller, from: string, to: string): Promise<TaskId | string> {
    const taskParam = JSON.stringify({
      setting: { taskType: 'oneclick_to_holo', resourceGroup: 'g' },
      steps: [
        {
          stepType: 'mysql',
          category: 'reader',
          parameter: { connection: [{ datasource: from, table: ['a'] }] },
        },
        { stepType: 'holo', category: 'writer', parameter: { datasource: to } },
      ],
    });
    const { tasks } = this.created;
    const process = await tasks.generateForCreating(caller, { taskType, taskParam, idempotence: null });
    const plan = await tasks.processResult(caller, { taskType, process, waitMs: 5000 });
    if (plan.kind !== 'success') return plan.kind === 'fail' ? plan.message : plan.kind;
    const { taskContent } = plan;
    const name = `task ${process}`;
    return tasks.create(caller, { taskType, name, taskContent, taskParam: null, idempotence: null });
  }

  async made(caller: Caller, from: string, to: string): Promise<TaskId> {
    const task = await this.task(caller, from, to);
    if (typeof task === 'string') throw new Error(task);
    return task;
  }

  async begin(caller: Caller, task: TaskId): Promise<void> {
    await this.created.tasks.deploy(caller, { taskType, task });
    await this.created.tasks.start(caller, { taskType, task, startParam: null });
  }
}

function source(type: 'mysql' | 'holo', content: object): NewDataSource {
  return { name: type, type, subType: null, env: 1, description: 'd', content: JSON.stringify(content) };
}

function shareWith(caller: Caller, changes: Partial<DataSourceShare> = {}): DataSourceShare {
  return { project: caller.project, user: null, permission: 'READ', name: 'theirs', ...changes };
}

function is(kind: TaskError['kind'], message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.message, message);
    return true;
  };
}

test('an update changes what is given and keeps the rest, and a start takes the new content', async () => {
  const scene = await Scene.make();
  const before = await scene.named('mysql');
  const task = await scene.made(US, 'mysql', 'holo');
  await scene.begin(US, task);
  scene.clock.time = 2000;
  await scene.update('mysql', { description: 'other' });
  assert.deepEqual(await scene.named('mysql'), { ...before, description: 'other', modifiedAt: 2000, operator: 'us' });
  await scene.update('mysql', { content: JSON.stringify({ ...MYSQL, password: 'q', host: 'new' }) });
  const changed = await scene.named('mysql');
  assert.deepEqual(
    [changed.maskedContent, changed.description],
    [JSON.stringify({ ...MYSQL, password: '***', host: 'new' }), 'other'],
  );
  const settings = () => scene.engine.defs.get(String(task))?.source.settings;
  assert.deepEqual(settings(), MYSQL);
  await scene.created.tasks.stop(US, { taskType, task });
  await scene.created.tasks.start(US, { taskType, task, startParam: null });
  assert.deepEqual(settings(), { ...MYSQL, host: 'new', password: 'q' });
});

test('an update moves a data source to the other environment, but not onto another one', async () => {
  const scene = await Scene.make();
  await scene.update('mysql', { env: 0 });
  assert.equal((await scene.named('mysql')).env, 0);
  assert.equal(typeof (await scene.task(US, 'mysql', 'holo')), 'bigint');
  await scene.create('mysql', MYSQL);
  const [production] = await scene.list();
  assert.ok(production?.name === 'mysql' && production.env === 1);
  await assert.rejects(
    scene.sources.update(REACH, production.id, { ...NOTHING_GIVEN, env: 0 }),
    is('name-taken', /envType 0 and name mysql already exists/),
  );
});

test('the id of a foreign project is answered like one that does not exist', async () => {
  const scene = await Scene.make();
  const { id } = await scene.named('mysql');
  const foreign = { user: 'them', projects: [THEIRS] };
  for (const [unknown, reach] of [
    [id, foreign],
    [999n as DataSourceId, REACH],
  ] as const) {
    const message = new RegExp(`^dataSourceId:\\[${unknown}\\] is invalid\\.$`);
    await assert.rejects(scene.sources.update(reach, unknown, NOTHING_GIVEN), is('not-found', message));
    await assert.rejects(scene.sources.delete(reach, unknown), is('not-found', message));
  }
  assert.deepEqual(await scene.list(THEM), []);
});

test('a mask is not taken for a secret', async () => {
  const scene = await Scene.make();
  const masked = { ...MYSQL, password: '***' };
  const message = /^Content\.password is the mask that lists show/;
  await assert.rejects(scene.create('mysql', masked, { name: 'new' }), is('invalid', message));
  await assert.rejects(scene.update('mysql', { content: JSON.stringify(masked) }), is('invalid', message));
});

test('what is disabled begins nothing; what runs goes on, also when the service is started again', async () => {
  const scene = await Scene.make();
  const task = await scene.made(US, 'mysql', 'holo');
  await scene.begin(US, task);
  const later = await scene.made(US, 'mysql', 'holo');
  await scene.update('holo', { enabled: false });
  assert.deepEqual(
    [await scene.list(US, false), await scene.list(US, true)].map((rows) => rows.map(({ name }) => name)),
    [['holo'], ['mysql']],
  );
  assert.match(String(await scene.task(US, 'mysql', 'holo')), /DataSource\.Disabled: datasource:\[holo\] is disabled/);
  const disabled = is('wrong-state', /datasource:\[holo\] is disabled: .*UpdateConnection, Status ENABLED/);
  await assert.rejects(scene.created.tasks.deploy(US, { taskType, task: later }), disabled);
  await scene.close();
  await scene.open();
  assert.deepEqual(scene.engine.calls, [`resume ${task} v1`]);
  await scene.created.tasks.stop(US, { taskType, task });
  await assert.rejects(scene.created.tasks.start(US, { taskType, task, startParam: null }), disabled);
  await scene.update('holo', { enabled: true });
  await scene.created.tasks.start(US, { taskType, task, startParam: null });
});

test('an import makes what can be made, and names the others and why', async () => {
  const scene = await Scene.make();
  const reasons = await scene.sources.import(US, [
    source('mysql', MYSQL),
    { ...source('mysql', MYSQL), env: 0 },
    { ...source('mysql', MYSQL), name: 'new' },
    { ...source('holo', HOLO), name: 'new' },
    { ...source('mysql', { password: 'secret' }), name: 'broken' },
    { ...source('mysql', { ...MYSQL, password: '***' }), name: 'masked' },
    { ...source('mysql', MYSQL), name: 'oss', type: 'oss' },
  ]);
  assert.deepEqual(reasons, [
    'Data source PROD mysql already exists',
    'Data source PROD new already exists',
    'Data source PROD broken was not imported: jdbcUrl is missing',
    'Data source PROD masked was not imported: Content.password is the mask that lists show in place of the secret: give the secret itself',
    'Data source PROD oss was not imported: DataSourceType oss is not served yet; mysql, holo are',
  ]);
  assert.deepEqual(
    (await scene.list()).map(({ name, type, env }) => [name, type, env]),
    [
      ['new', 'mysql', 1],
      ['mysql', 'mysql', 0],
      ['holo', 'holo', 1],
      ['mysql', 'mysql', 1],
    ],
  );
});

test('a share lets tasks of the other project use a data source by its name there, until it ends', async () => {
  const scene = await Scene.make();
  await scene.create('holo', HOLO, { name: 'own' }, THEM);
  const unknown = /DataSource\.NotFound: datasource:\[theirs\] is invalid: there is no data source of that name/;
  assert.match(String(await scene.task(THEM, 'theirs', 'own')), unknown);
  await scene.share([shareWith(THEM)]);
  assert.deepEqual([(await scene.named('mysql')).shared, (await scene.named('holo')).shared], [true, false]);
  const task = await scene.made(THEM, 'theirs', 'own');
  await scene.begin(THEM, task);
  assert.deepEqual(scene.engine.defs.get(String(task))?.source.settings, MYSQL);

  const { id } = await scene.named('mysql');
  await assert.rejects(scene.sources.delete(REACH, id), is('wrong-state', /used by task task \d+ \(fileId 700001\)/));
  await assert.rejects(
    scene.sources.delete({ ...REACH, projects: [OURS] }, id),
    is('wrong-state', /^The data source mysql is used by a task of a project that it is shared with\. End the share/),
  );

  await scene.share([]);
  assert.equal((await scene.named('mysql')).shared, false);
  await scene.created.tasks.stop(THEM, { taskType, task });
  await assert.rejects(
    scene.created.tasks.start(THEM, { taskType, task, startParam: null }),
    is('wrong-state', /datasource:\[theirs\] is invalid/),
  );
  await scene.sources.delete(REACH, id);
});

test('a share with one user is not there for the other users of the project; what began with it goes on', async () => {
  const scene = await Scene.make();
  await scene.create('holo', HOLO, { name: 'own' }, THEM);
  await scene.share([shareWith(THEM, { user: 'them' })]);
  const unknown = /datasource:\[theirs\] is invalid: there is no data source of that name/;
  assert.match(String(await scene.task(OTHERS, 'theirs', 'own')), unknown);
  const task = await scene.made(THEM, 'theirs', 'own');
  await assert.rejects(scene.begin(OTHERS, task), is('wrong-state', unknown));
  await scene.begin(THEM, task);
  await scene.close();
  await scene.open();
  assert.deepEqual(scene.engine.calls, [`resume ${task} v1`]);
});

test('names of shares are names of the other project: neither hides the other', async () => {
  const scene = await Scene.make();
  await scene.create('holo', HOLO, { name: 'own' }, THEM);
  const taken = is('wrong-state', /^projectId:\[2\] has a data source named own with envType 1 already/);
  await assert.rejects(scene.share([shareWith(THEM, { name: 'own' })]), taken);
  await scene.share([shareWith(THEM)]);
  await scene.share([shareWith(THEM)]);
  await assert.rejects(scene.share([shareWith(THEM)], 'holo'), is('wrong-state', /named theirs .* already/));
  await assert.rejects(
    scene.create('mysql', MYSQL, { name: 'theirs' }, THEM),
    is('name-taken', /name theirs already exists/),
  );
  await scene.create('mysql', MYSQL, { name: 'theirs', env: 0 }, THEM);
});

test('a data source changes its environment only where its shared names are free too', async () => {
  const scene = await Scene.make();
  await scene.share([shareWith(THEM)]);
  const theirs = await scene.create('mysql', MYSQL, { name: 'theirs', env: 0 }, THEM);
  const taken = is('wrong-state', /^projectId:\[2\] has a data source named theirs with envType 0 already/);
  await assert.rejects(scene.update('mysql', { env: 0 }), taken);
  assert.equal((await scene.named('mysql')).env, 1);
  await scene.sources.delete({ ...REACH, projects: [THEM.project] }, theirs);
  await scene.update('mysql', { env: 0 });
  assert.equal((await scene.named('mysql')).env, 0);
});

test('what cannot be shared says why, and a project out of reach is answered like one that does not exist', async () => {
  const scene = await Scene.make();
  await scene.share([shareWith(THEM)]);
  const far = { ...shareWith(THEM), project: 999n as ProjectId };
  await assert.rejects(scene.share([far]), is('not-found', /^projectId:\[999\] is invalid\.$/));
  await assert.rejects(
    scene.share([shareWith(THEM)], 'mysql', [OURS]),
    is('not-found', /^projectId:\[2\] is invalid\.$/),
  );
  await assert.rejects(scene.share([shareWith(US)]), is('wrong-state', /the data source's own project/));
  await assert.rejects(scene.share([shareWith(THEM), shareWith(THEM)]), is('wrong-state', /twice for everyone/));
  await assert.rejects(scene.share([], 'none'), is('not-found', /^datasource:\[none\] is invalid\.$/));
  const request = { name: 'theirs', env: null, shares: [], projects: [] };
  await assert.rejects(scene.sources.share(THEM, request), is('not-found', /^datasource:\[theirs\] is invalid\.$/));
  assert.equal((await scene.named('mysql')).shared, true);
});

test('what is behind a data source is read page by page, also by a project that it is shared with', async () => {
  const scene = await Scene.make();
  const id = [{ name: 'id', type: 'bigint' }];
  const named = { name: 'mysql', env: null };
  const schemas = ['shop', 'log'].map((database) => ({ database, schema: '' }));
  assert.deepEqual(await scene.sources.catalogue(US, { ...named, offset: 1, limit: 1 }), {
    schemas,
    tables: [{ database: 'shop', schema: '', table: 'b', columns: id }],
    total: 3,
  });
  const page = { name: 'theirs', env: 1, offset: 2, limit: 5 } as const;
  await assert.rejects(scene.sources.catalogue(THEM, page), is('not-found', /^datasource:\[theirs\] is invalid\.$/));
  await scene.share([shareWith(THEM, { user: 'them' })]);
  assert.deepEqual(
    (await scene.sources.catalogue(THEM, page)).tables.map(({ table }) => table),
    ['c'],
  );
  await assert.rejects(scene.sources.catalogue(OTHERS, page), is('not-found', /is invalid/));
  await assert.rejects(scene.sources.catalogue(THEM, { ...page, env: 0 }), is('not-found', /is invalid/));
});

test('a server that cannot be read, or does not answer, is told with the code and what to do', async () => {
  const scene = await Scene.make();
  const request = { name: 'mysql', env: null, offset: 0, limit: 1 };
  scene.script.onProbe = () =>
    Promise.reject(new PipelineError('fatal', 'MySQL.Denied', 'no login', { hint: 'Grant it.' }));
  await assert.rejects(scene.sources.catalogue(US, request), {
    kind: 'wrong-state',
    code: 'MySQL.Denied',
    message: 'read data source failed: no login',
    hint: 'Grant it.',
  });
  scene.script.onProbe = () => new Promise(() => {});
  await assert.rejects(scene.sources.catalogue(US, request), {
    code: 'DataSource.Unreadable',
    message: 'read data source time out: no answer within 1 s',
  });
});

test('a probe tells every stage: those behind a failure are skipped, one that hangs has failed', async () => {
  const scene = await Scene.make();
  const shown = async () =>
    (await scene.sources.stages(US, { name: 'mysql', env: 1 })).map(({ stage, outcome, found }) => [
      stage,
      outcome,
      found,
    ]);
  const name = ['name resolution', 'passed', 'h is 10.0.0.1'];
  const notTried = ['TLS', 'login', 'grants'].map((stage) => [
    stage,
    'skipped',
    'not tried, because of what failed before',
  ]);
  scene.script.stages = [failed('TCP', new Error('refused'))];
  assert.deepEqual(await shown(), [name, ['TCP', 'failed', 'refused'], ...notTried]);
  scene.script.onProbe = () => Promise.reject(new Error('a defect'));
  assert.deepEqual(await shown(), [name, ['TCP', 'failed', 'a defect'], ...notTried]);
  scene.script.onProbe = () => new Promise(() => {});
  assert.deepEqual(await shown(), [name, ['TCP', 'failed', 'no answer within 1 s'], ...notTried]);
});
