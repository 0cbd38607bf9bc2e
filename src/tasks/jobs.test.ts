import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streaming } from '../../test/support/scripted-engine.ts';
import { CALLER, is, param, PROJECT, REALTIME, Scene } from '../../test/support/task-scene.ts';
import { PipelineError } from '../pipeline/pipeline-error.ts';
import type { ProjectId, TaskId } from './ids.ts';
import type { JobStart } from './job-reader.ts';
import type { JobChange, JobSettings, JobSpec, TableMapping } from './job-spec.ts';
import type { TaskType } from './task-service.ts';

const OWNER = { projects: [1n as ProjectId, PROJECT], user: 'OTHER' };
const AS_IS: JobStart = { startTime: null, failover: null };
const SETTINGS: JobSettings = {
  ChannelSettings: null,
  ColumnDataTypeSettings: null,
  CycleScheduleSettings: null,
  DdlHandlingSettings: [{ Type: 'AddColumn', Action: 'Ignore' }],
  ImportRuleSettings: null,
  RuntimeSettings: null,
};

/** Jobs of a scene with shops that are alike, and other tables. */
class JobScene {
  readonly scene: Scene;

  private constructor(scene: Scene) {
    this.scene = scene;
    scene.clock.time = 1_700_000_000_000;
    scene.script.table('shop_a', 'orders').table('shop_a', 'tmp_1').table('shop_b', 'orders').table('crm', 'people');
  }

  static async make(type?: TaskType): Promise<JobScene> {
    return new JobScene(await Scene.make(type));
  }

  get jobs() {
    return this.scene.created.jobs;
  }

  get engine() {
    return this.scene.engine;
  }

  get script() {
    return this.scene.script;
  }

  create(changes: Partial<JobSpec> = {}, name = 'job'): Promise<TaskId> {
    return this.jobs.create(CALLER, { name, spec: spec(changes) });
  }

  start(job: TaskId, start: Partial<JobStart> = {}, again = false): Promise<void> {
    return this.jobs.start(OWNER, { job, again, start: { ...AS_IS, ...start } });
  }

  update(job: TaskId, change: JobChange): Promise<void> {
    return this.jobs.update(OWNER, { job, change });
  }

  async status(job: TaskId): Promise<string> {
    return (await this.jobs.get(OWNER, job)).status;
  }

  /** Tables of what runs, with the version since which each is there and where it goes. */
  routes(job: TaskId): string[] {
    return (this.engine.defs.get(String(job))?.routes ?? []).map(
      ({ table, since, target }) =>
        `${table.database}.${table.table} since ${since} to ${target.schema}.${target.table}`,
    );
  }

  /** As if the run had come so far. */
  async checkpoint(job: TaskId): Promise<void> {
    const owner = this.engine.defs.get(String(job))?.owner;
    assert.ok(owner !== undefined);
    const checkpoint = { sequence: 1, offset: { at: 1 }, version: 1, tables: [streaming('shop_a', 'orders')] };
    await this.scene.store.checkpoints.save(owner, { checkpoint, heldBySink: false });
  }
}

/** Tables of databases by pattern, without those that an expression excludes. */
function mapping(database: string, table: string, exclude?: string): TableMapping {
  const rule = (ObjectType: 'Database' | 'Table', Expression: string, Action: 'Include' | 'Exclude') =>
    ({ ObjectType, Expression, Action, ExpressionType: 'Regex' }) as const;
  return {
    SourceObjectSelectionRules: [
      rule('Database', database, 'Include'),
      rule('Table', table, 'Include'),
      ...(exclude === undefined ? [] : [rule('Table', exclude, 'Exclude')]),
    ],
    TransformationRules: null,
  };
}

function spec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    Description: 'all shops',
    MigrationType: 'FullAndRealtimeIncremental',
    SourceDataSourceType: 'MySQL',
    DestinationDataSourceType: 'Hologres',
    SourceDataSourceSettings: [{ DataSourceName: 'shop_mysql', DataSourceProperties: null }],
    DestinationDataSourceSettings: [{ DataSourceName: 'bi_holo', DataSourceProperties: null }],
    TableMappings: [mapping('shop_[ab]', '.*', 'tmp_.*')],
    TransformationRules: null,
    JobSettings: null,
    ResourceSettings: null,
    ...changes,
  };
}

void test('a job goes from its patterns to a run, is stopped, goes on, and ends deleted', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  const { info: _, ...made } = await scene.jobs.get(OWNER, job);
  assert.deepEqual(made, {
    id: job,
    project: PROJECT,
    name: 'job',
    status: 'Initialized',
    sourceType: 'MySQL',
    sinkType: 'Hologres',
    migrationType: 'FullAndRealtimeIncremental',
    spec: spec(),
    warnings: [],
    failure: null,
    createdAt: 1_700_000_000_000,
    editedAt: 1_700_000_000_000,
    startedAt: null,
    creator: 'KEY',
    editor: 'KEY',
    starter: null,
  });
  await assert.rejects(
    scene.jobs.stop(OWNER, job),
    is('wrong-state', /^DIJobId:\[\d+\] was not started: call StartDIJob\.$/),
  );
  scene.scene.clock.time += 5000;
  await scene.start(job);
  assert.deepEqual(scene.routes(job), [
    'shop_a.orders since 1 to shop_a.orders',
    'shop_b.orders since 1 to shop_b.orders',
  ]);
  const { status, startedAt, starter } = await scene.jobs.get(OWNER, job);
  assert.deepEqual([status, startedAt, starter], ['Running', 1_700_000_005_000, 'OTHER']);
  await scene.start(job);
  await assert.rejects(scene.jobs.delete(OWNER, job), is('wrong-state', /is running: call StopDIJob first/));
  await scene.jobs.stop(OWNER, job);
  assert.equal(await scene.status(job), 'Stopped');
  await scene.start(job);
  await scene.jobs.stop(OWNER, job);
  await scene.jobs.delete(OWNER, job);
  await assert.rejects(scene.jobs.get(OWNER, job), is('not-found', /^DIJobId:\[\d+\] is invalid\.$/));
  assert.deepEqual(scene.engine.calls, [`start ${job} v1`, `stop ${job}`, `start ${job} v1`, `stop ${job}`]);
});

void test('a running job takes tables and loses them without a stop, its patterns looked up anew', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job);
  scene.script.table('shop_a', 'items');
  await scene.update(job, { Description: 'and items' });
  assert.deepEqual(scene.routes(job), [
    'shop_a.orders since 1 to shop_a.orders',
    'shop_b.orders since 1 to shop_b.orders',
    'shop_a.items since 2 to shop_a.items',
  ]);
  await scene.update(job, { TableMappings: [mapping('shop_a', 'items'), mapping('crm', '.*')] });
  assert.deepEqual(scene.routes(job), ['shop_a.items since 2 to shop_a.items', 'crm.people since 3 to crm.people']);
  assert.deepEqual(scene.engine.calls, [`start ${job} v1`, `apply ${job} v2`, `apply ${job} v3`]);
  const { spec: kept, editor } = await scene.jobs.get(OWNER, job);
  assert.deepEqual([kept.Description, kept.TableMappings.length, editor], ['and items', 2, 'OTHER']);
});

void test('an update that changes no table saves the description and leaves the run alone', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job);
  await scene.update(job, { Description: 'other', JobSettings: SETTINGS });
  assert.deepEqual(scene.engine.calls, [`start ${job} v1`]);
  const { spec: kept } = await scene.jobs.get(OWNER, job);
  assert.deepEqual(kept, spec({ Description: 'other', JobSettings: SETTINGS }));
  await assert.rejects(scene.start(job), is('wrong-state', /is running with other settings: call StopDIJob first/));
  await scene.jobs.stop(OWNER, job);
  await scene.start(job);
  assert.equal(scene.engine.defs.get(String(job))?.policies.ddl.ADDCOLUMN, 'IGNORE');
});

void test('an update that was saved and not deployed is deployed by a start of the running job, and by the same update', async (t) => {
  for (const complete of ['start', 'update'] as const) {
    const scene = await JobScene.make();
    const job = await scene.create();
    await scene.start(job);
    const change = { TableMappings: [mapping('crm', '.*')] };
    t.mock.method(scene.scene.tasks, 'deploy', () => Promise.reject(new Error('killed')), { times: 1 });
    await assert.rejects(scene.update(job, change), /killed/);
    await scene.scene.restart();
    await (complete === 'start' ? scene.start(job) : scene.update(job, change));
    assert.deepEqual(scene.routes(job), ['crm.people since 2 to crm.people']);
    assert.deepEqual(scene.engine.calls, [`resume ${job} v1`, `apply ${job} v2`]);
  }
});

void test('what the plan of an update warns of is shown with the job, and so is what waits for its next start', async () => {
  const scene = await JobScene.make();
  scene.script.targetRows.set('shop_b.orders', 7);
  const job = await scene.create();
  const warnings = async () => (await scene.jobs.get(OWNER, job)).warnings;
  const rows = 'shop_b.orders: the target has 7 rows that this task did not write';
  assert.deepEqual(await warnings(), [rows]);
  await scene.start(job);
  await scene.update(job, {
    TableMappings: [mapping('shop_a', 'orders')],
    JobSettings: { ...SETTINGS, ChannelSettings: '{"destinationChannelSettings":{"size":7}}' },
  });
  assert.deepEqual(await warnings(), [
    'JobSettings change: the run has them from its next start on, so call StopDIJob, then StartDIJob',
    'options of the writer change (size): a run has them from its next start on, so stop and start it after the deploy; tables that stay keep their targets',
  ]);
  await scene.update(job, {});
  assert.deepEqual(await warnings(), []);
});

void test('an update of a job that does not run waits for its start', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.update(job, { TableMappings: [mapping('crm', '.*')] });
  assert.equal(await scene.status(job), 'Initialized');
  await scene.start(job);
  assert.deepEqual(scene.routes(job), ['crm.people since 2 to crm.people']);
});

void test('a job that cannot be planned is refused with everything that is wrong, and nothing is stored', async () => {
  const scene = await JobScene.make();
  const exact = (table: string) => ({
    SourceObjectSelectionRules: [
      { ObjectType: 'Database', Expression: 'shop_a', Action: null, ExpressionType: null },
      { ObjectType: 'Table', Expression: table, Action: null, ExpressionType: null },
    ] as const,
    TransformationRules: null,
  });
  await assert.rejects(
    scene.create({ TableMappings: [exact('x'), exact('orders'), exact('y')] }),
    is('invalid', /there is no table `shop_a`\.`x`.* \| .*`shop_a`\.`y`/),
  );
  await assert.rejects(
    scene.create({ TableMappings: [mapping('none', '.*')] }),
    is('invalid', /TableMappings\[1\] picks no table/),
  );
  const renames = { RuleName: 'r', RuleActionType: 'Rename', RuleTargetType: 'Schema' };
  await assert.rejects(
    scene.create({
      TableMappings: [{ ...mapping('shop_.', 'orders'), TransformationRules: [renames] }],
      TransformationRules: [{ ...renames, RuleExpression: '{"expression":"all_shops"}' }],
    }),
    is(
      'invalid',
      /Task\.TargetCollision: `shop_a`\.`orders` and `shop_b`\.`orders` would both go to all_shops\.orders/,
    ),
  );
  const sink = [{ DataSourceName: 'nowhere', DataSourceProperties: null }];
  await assert.rejects(
    scene.create({ DestinationDataSourceSettings: sink }),
    is('invalid', /datasource:\[nowhere\] is invalid/),
  );
  scene.script.onDescribe = () => new Promise(() => {});
  await assert.rejects(scene.create(), is('invalid', /Task\.PlanTimeout/));
  scene.script.onDescribe = () => Promise.reject(new PipelineError('transient', 'Source.Away', 'the server is away'));
  await assert.rejects(scene.create(), is('invalid', /Source\.Away: the server is away/));
  scene.script.onList = () => Promise.reject(new PipelineError('transient', 'Source.Away', 'no names'));
  await assert.rejects(scene.create(), is('invalid', /Source\.Away: no names/));
  scene.script.onList = () => new Promise(() => {});
  await assert.rejects(scene.create(), is('invalid', /Task\.PlanTimeout/));
  const filter = { name: null, sourceType: null, sinkType: null, pageNumber: 1, pageSize: 10 };
  assert.deepEqual(await scene.jobs.list(CALLER, filter), { rows: [], total: 0 });
});

void test('both servers together have the time of one call', async (t) => {
  const scene = await JobScene.make();
  const job = await scene.create();
  const slow = () => new Promise<void>((resolve) => setTimeout(resolve, 120)); // of 200 ms that a scene has
  scene.script.onList = slow;
  await scene.update(job, {});
  scene.script.onDescribe = slow;
  const timeout = is('invalid', /Task\.PlanTimeout/);
  await assert.rejects(scene.create({}, 'other'), timeout);
  await assert.rejects(scene.update(job, {}), timeout);
  t.diagnostic('one that waited for its turn has less of it');
  scene.script.onDescribe = async () => {};
  const [first, second] = await Promise.allSettled([scene.update(job, {}), scene.update(job, {})]);
  assert.deepEqual([first.status, second.status], ['fulfilled', 'rejected']);
});

void test('a defect in planning is no mistake of the caller', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  scene.script.onDescribe = () => Promise.reject(new TypeError('x is undefined'));
  await assert.rejects(scene.create({}, 'other'), TypeError);
  await assert.rejects(scene.update(job, {}), TypeError);
  const taskContent = (await scene.scene.tasks.content(CALLER, { taskType: REALTIME, task: job })).replace(
    '{',
    '{ "x": 1,',
  );
  const call = { taskType: REALTIME, task: job, taskContent, taskParam: null };
  await assert.rejects(scene.scene.tasks.update(CALLER, call), TypeError);
});

void test('an update that cannot be planned changes nothing', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job);
  await assert.rejects(scene.update(job, { TableMappings: [mapping('none', '.*')] }), is('invalid', /picks no table/));
  assert.deepEqual((await scene.jobs.get(OWNER, job)).spec, spec());
  assert.deepEqual(scene.engine.calls, [`start ${job} v1`]);
});

void test('a job is also a task of the older model, and a task is a job', async () => {
  const scene = await JobScene.make();
  const job = await scene.create({ JobSettings: SETTINGS });
  const { tasks } = scene.scene.created;
  const call = { taskType: REALTIME, task: job };
  assert.match(await tasks.content(CALLER, call), /"selectedTables":\[\{"dbName":"shop_a"/);
  await tasks.deploy(CALLER, call);
  await tasks.start(CALLER, { ...call, startParam: null });
  assert.equal(scene.engine.defs.get(String(job))?.policies.ddl.ADDCOLUMN, 'IGNORE');
  const content = JSON.parse(await tasks.content(CALLER, call)) as {
    steps: [{ parameter: { connection: [{ selectedTables: unknown[] }] } }, { parameter: Record<string, unknown> }];
  };
  content.steps[0].parameter.connection[0].selectedTables.splice(0, 1);
  content.steps[1].parameter['size'] = 7;
  delete content.steps[1].parameter['tableMappingRule'];
  await tasks.update(CALLER, { ...call, taskContent: JSON.stringify(content), taskParam: null });
  await tasks.deploy(CALLER, call);
  const { spec: seen } = await scene.jobs.get(OWNER, job);
  const exact = { Action: 'Include', ExpressionType: 'Exact' } as const;
  assert.deepEqual(seen, {
    ...spec(),
    JobSettings: { ...SETTINGS, ChannelSettings: '{"destinationChannelSettings":{"size":7}}' },
    TableMappings: [
      {
        SourceObjectSelectionRules: [
          { ObjectType: 'Database', Expression: 'shop_b', ...exact },
          { ObjectType: 'Table', Expression: 'orders', ...exact },
        ],
        TransformationRules: [],
      },
    ],
    TransformationRules: [],
  });
  await scene.update(job, { Description: 'same tables' });
  assert.deepEqual(scene.routes(job), ['shop_b.orders since 1 to shop_b.orders']);
});

void test('what a task of the older model is as a job, given back, is the same task', async () => {
  const scene = await JobScene.make();
  const taskParam = param(['a'], { initialLoad: 'none' }, { schema: 'ods', size: 3 });
  const { tasks } = scene.scene.created;
  const process = await tasks.generateForCreating(CALLER, { taskType: REALTIME, taskParam, idempotence: null });
  const state = await tasks.processResult(CALLER, { taskType: REALTIME, process, waitMs: 5000 });
  assert.ok(state.kind === 'success', JSON.stringify(state));
  const { taskContent } = state;
  const job = await tasks.create(CALLER, {
    taskType: REALTIME,
    name: 'old',
    taskContent,
    taskParam: null,
    idempotence: null,
  });
  const { spec: seen, migrationType } = await scene.jobs.get(OWNER, job);
  assert.equal(migrationType, 'RealtimeIncremental');
  assert.deepEqual(seen.TransformationRules, [
    {
      RuleName: 'schema_of_task',
      RuleActionType: 'Rename',
      RuleTargetType: 'Schema',
      RuleExpression: '{"expression":"ods"}',
    },
  ]);
  await scene.start(job);
  await scene.update(job, { TableMappings: seen.TableMappings });
  assert.deepEqual(scene.routes(job), ['shop.a since 1 to ods.a']);
  assert.deepEqual(scene.engine.defs.get(String(job))?.sink.options, { schema: 'ods', size: 3 });
  const { definition } = await scene.scene.store.transaction((records) => records.version(job, 2));
  assert.deepEqual(
    [definition.writer, definition.resourceGroup, definition.initialLoad],
    [{ schema: 'ods', size: 3 }, 'g', 'none'],
  );
});

void test('a job starts at a time, keeps its position over a stop, and begins anew when it is forced', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job, { startTime: 1_600_000_000, failover: { count: 2, intervalMinutes: 7 } });
  const first = scene.engine.defs.get(String(job));
  assert.deepEqual(
    [first?.start, first?.policies.failover],
    [
      { kind: 'time', seconds: 1_600_000_000 },
      { count: 2, intervalMinutes: 7 },
    ],
  );
  await scene.start(job, { failover: { count: 2, intervalMinutes: 7 } });
  await assert.rejects(scene.start(job, {}, true), is('wrong-state', /is running: call StopDIJob first/));
  await scene.checkpoint(job);
  await scene.jobs.stop(OWNER, job);
  await assert.rejects(
    scene.start(job, { startTime: 1_650_000_000 }),
    is('wrong-state', /has a position to go on from.*leave it out, or give ForceToRerun/),
  );
  await scene.start(job);
  assert.deepEqual(scene.engine.defs.get(String(job))?.owner, first?.owner);
  await scene.jobs.stop(OWNER, job);
  await scene.start(job, { startTime: 1_650_000_000 }, true);
  const again = scene.engine.defs.get(String(job));
  assert.notEqual(again?.owner.incarnation, first?.owner.incarnation);
  assert.deepEqual([again?.start, scene.script.forgotten], [{ kind: 'time', seconds: 1_650_000_000 }, [String(job)]]);
});

void test('a start time that nothing came of may be another one at the next start', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job, { startTime: 1 });
  scene.engine.fail(String(job), { code: 'Log.Purged', message: 'the log is gone', remedy: 'Start later.' });
  const { status, failure } = await scene.jobs.get(OWNER, job);
  assert.deepEqual([status, failure], ['Failed', 'Log.Purged: the log is gone. Start later.']);
  await scene.start(job, { startTime: 1_600_000_000 });
  assert.equal(await scene.status(job), 'Running');
});

void test('a job is Stopping while it stops', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job);
  let release = () => {};
  scene.engine.stopping = new Promise((resolve) => (release = resolve));
  const stopping = scene.jobs.stop(OWNER, job);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await scene.status(job), 'Stopping');
  release();
  await stopping;
});

void test('a job that only loads is finished once its checkpoint says that all is loaded, and loads anew when it is forced', async () => {
  const scene = await JobScene.make();
  const { finishWatch } = scene.scene.created;
  const job = await scene.create({ MigrationType: 'Full', TableMappings: [mapping('shop_a', 'orders')] });
  await assert.rejects(scene.start(job, { startTime: 5 }), is('invalid', /there is no StartTime to begin at/));
  await scene.start(job);
  const loading = { ...streaming('shop_a', 'orders'), state: 'SNAPSHOTTING' } as const;
  for (const tables of [[], [loading], [{ ...loading, state: 'FAILED' } as const]]) {
    scene.engine.show(String(job), { tables });
    await finishWatch.look();
  }
  assert.deepEqual(scene.engine.calls, [`start ${job} v1`]);
  scene.engine.show(String(job), { tables: [streaming('shop_a', 'orders')] });
  await finishWatch.look();
  assert.deepEqual(scene.engine.calls.splice(0), [`start ${job} v1`, `stop ${job}`, `resume ${job} v1`]);
  assert.equal(await scene.status(job), 'Running', 'nothing of it is durable');
  await scene.checkpoint(job);
  await finishWatch.look();
  await finishWatch.look();
  const { status, failure, migrationType, info } = await scene.jobs.get(OWNER, job);
  assert.deepEqual(
    [status, failure, migrationType, info.message],
    ['Finished', null, 'Full', 'The task is finished: its tables are loaded.'],
  );
  await scene.scene.restart();
  assert.deepEqual([await scene.status(job), scene.engine.calls], ['Finished', []]);
  await assert.rejects(scene.start(job), is('wrong-state', /is finished: give ForceToRerun to load its tables anew/));
  await scene.start(job, {}, true);
  assert.equal(await scene.status(job), 'Running');
  await scene.jobs.stop(OWNER, job);
  assert.equal(await scene.status(job), 'Stopped');
});

void test('a finished job loads the tables that an update added', async () => {
  const scene = await JobScene.make();
  const job = await scene.create({ MigrationType: 'Full', TableMappings: [mapping('shop_a', 'orders')] });
  await scene.start(job);
  scene.engine.show(String(job), { tables: [streaming('shop_a', 'orders')] });
  await scene.checkpoint(job);
  await scene.scene.created.finishWatch.look();
  await scene.update(job, { TableMappings: [mapping('shop_.', 'orders')] });
  assert.equal(await scene.status(job), 'Finished');
  await scene.start(job);
  assert.deepEqual(scene.routes(job), [
    'shop_a.orders since 1 to shop_a.orders',
    'shop_b.orders since 2 to shop_b.orders',
  ]);
  await scene.scene.created.finishWatch.look();
  assert.equal(await scene.status(job), 'Running');
});

void test('a finished job whose update was deployed, and not started, can be started', async () => {
  const scene = await JobScene.make();
  const job = await scene.create({ MigrationType: 'Full', TableMappings: [mapping('shop_a', 'orders')] });
  await scene.start(job);
  scene.engine.show(String(job), { tables: [streaming('shop_a', 'orders')] });
  await scene.checkpoint(job);
  await scene.scene.created.finishWatch.look();
  await scene.update(job, { TableMappings: [mapping('shop_.', 'orders')] });
  await scene.scene.created.tasks.deploy(CALLER, { taskType: 'DI_REALTIME', task: job });
  await scene.start(job);
  assert.equal(await scene.status(job), 'Running');
});

void test('a job that could not be ended is ended with the next look', async (t) => {
  const scene = await JobScene.make();
  const job = await scene.create({ MigrationType: 'Full', TableMappings: [mapping('shop_a', 'orders')] });
  await scene.start(job);
  scene.engine.show(String(job), { tables: [streaming('shop_a', 'orders')] });
  await scene.checkpoint(job);
  const load = t.mock.method(scene.scene.store.checkpoints, 'load', () => Promise.reject(new Error('the disk failed')));
  await scene.scene.created.finishWatch.look();
  load.mock.restore();
  assert.equal(scene.engine.status(String(job))?.phase === 'running', false);
  await scene.scene.created.finishWatch.look();
  assert.equal(await scene.status(job), 'Finished');
});

void test('jobs are listed by name and destination, newest first, in pages', async () => {
  const scene = await JobScene.make();
  const ids: TaskId[] = [];
  for (const name of ['Shop one', 'other', 'shop two']) ids.push(await scene.create({}, name));
  const [one, , two] = ids;
  assert.ok(one !== undefined);
  await scene.start(one);
  const list = async (changes: object) => {
    const filter = { name: null, sourceType: null, sinkType: null, pageNumber: 1, pageSize: 2, ...changes };
    const { rows, total } = await scene.jobs.list(CALLER, filter);
    return [rows.map(({ name, status }) => `${name} ${status}`), total];
  };
  assert.deepEqual(await list({}), [['shop two Initialized', 'other Initialized'], 3]);
  assert.deepEqual(await list({ pageNumber: 2 }), [['Shop one Running'], 3]);
  assert.deepEqual(await list({ name: 'SHOP' }), [['shop two Initialized', 'Shop one Running'], 2]);
  assert.deepEqual(await list({ sinkType: 'Hologres', sourceType: 'MySQL', name: 'two' }), [
    ['shop two Initialized'],
    1,
  ]);
  for (const nothing of [{ sinkType: 'Kafka' }, { sinkType: 'Hive' }, { sourceType: 'Oracle' }])
    assert.deepEqual(await list(nothing), [[], 0]);
  const foreign = { project: 1n as ProjectId, user: 'KEY' };
  const filter = { name: null, sourceType: null, sinkType: null, pageNumber: 1, pageSize: 10 };
  assert.deepEqual(await scene.jobs.list(foreign, filter), { rows: [], total: 0 });
  assert.notEqual(two, one);
});

void test('a job of a foreign project is like one that is nowhere, whatever is asked of it', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  const stranger = { projects: [1n as ProjectId], user: 'KEY' };
  const { jobs } = scene;
  for (const id of [job, 99n as TaskId]) {
    const caller = id === job ? stranger : OWNER;
    const message = new RegExp(`^DIJobId:\\[${id}\\] is invalid\\.$`);
    await assert.rejects(jobs.get(caller, id), is('not-found', message));
    await assert.rejects(jobs.update(caller, { job: id, change: {} }), is('not-found', message));
    await assert.rejects(jobs.start(caller, { job: id, again: true, start: AS_IS }), is('not-found', message));
    await assert.rejects(jobs.stop(caller, id), is('not-found', message));
    await assert.rejects(jobs.delete(caller, id), is('not-found', message));
  }
  assert.equal(await scene.status(job), 'Initialized');
});

void test('two jobs of one name made at once are one, and the other is refused', async () => {
  const scene = await JobScene.make();
  const made = await Promise.allSettled([scene.create(), scene.create()]);
  assert.deepEqual(made.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  await assert.rejects(scene.create(), is('name-taken', /^JobName: a task named job exists/));
});

void test('updates at once are each planned against what the one before saved', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job);
  await Promise.all([
    scene.update(job, { TableMappings: [mapping('crm|shop_a', 'people|orders')] }),
    scene.update(job, { TableMappings: [mapping('crm', 'people')] }),
  ]);
  assert.deepEqual(scene.routes(job), ['crm.people since 2 to crm.people']);
});

void test('a job is stopped while an update of it waits for a server, and the update is saved', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  scene.script.onDescribe = () => held;
  const updating = scene.update(job, { TableMappings: [mapping('crm', '.*')] });
  await scene.jobs.stop(OWNER, job);
  assert.equal(await scene.status(job), 'Stopped');
  release();
  await updating;
  assert.deepEqual(scene.engine.calls, [`start ${job} v1`, `stop ${job}`]);
  await scene.start(job);
  assert.deepEqual(scene.routes(job), ['crm.people since 2 to crm.people']);
});

void test('an update is planned anew when the older model has saved a version meanwhile', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  const call = { taskType: REALTIME, task: job };
  const { tasks } = scene.scene;
  const content = JSON.parse(await tasks.content(CALLER, call)) as {
    steps: [{ parameter: { connection: [{ selectedTables: unknown[] }] } }, { parameter: Record<string, unknown> }];
  };
  content.steps[0].parameter.connection[0].selectedTables.splice(0, 1);
  delete content.steps[1].parameter['tableMappingRule'];
  scene.script.onList = async () => {
    scene.script.onList = async () => {};
    await tasks.update(CALLER, { ...call, taskContent: JSON.stringify(content), taskParam: null });
  };
  await scene.update(job, { TableMappings: [mapping('shop_b|crm', 'orders|people')] });
  await scene.start(job);
  assert.deepEqual(scene.routes(job), ['shop_b.orders since 1 to shop_b.orders', 'crm.people since 3 to crm.people']);
});

void test('a job runs on after a restart of the service', async () => {
  const scene = await JobScene.make();
  const job = await scene.create();
  await scene.start(job);
  await scene.scene.restart();
  assert.deepEqual([await scene.status(job), scene.engine.calls], ['Running', [`resume ${job} v1`]]);
});

void test('a solution is a job too, takes tables while it runs, and refuses settings that it would not follow', async () => {
  const scene = await JobScene.make('DI_SOLUTION');
  const job = await scene.scene.create(['a'], 'sol');
  await assert.rejects(
    scene.start(job, { startTime: 1 }),
    is('invalid', /is a solution, which takes no RealtimeStartSettings/),
  );
  await scene.start(job);
  await scene.update(job, { TableMappings: [mapping('shop', '[ab]')] });
  assert.deepEqual(scene.routes(job), ['shop.a since 1 to shop.a', 'shop.b since 2 to shop.b']);
  await scene.jobs.stop(OWNER, job);
  assert.equal(await scene.status(job), 'Stopped');
});
