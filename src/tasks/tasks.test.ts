import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streaming } from '../../test/support/scripted-engine.ts';
import { CALLER, is, param, REACH, REALTIME, Scene } from '../../test/support/task-scene.ts';
import { PipelineError } from '../pipeline/pipeline-error.ts';
import type { ProcessId, ProjectId, TaskId } from './ids.ts';
import type { Idempotence } from './task-service.ts';

void test('a task goes from its plan to a run, through every state, and ends deleted', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a', 'b']);
  assert.deepEqual(await scene.info(task), {
    name: 'task',
    status: 'NORUN',
    message: 'The task is saved and not deployed.',
    appliedVersion: null,
    deployedVersion: null,
    run: null,
    solution: null,
  });
  await assert.rejects(scene.start(task), is('wrong-state', /call DeployDISyncTask first/));
  await assert.rejects(scene.stop(task), is('wrong-state', /saved but not deployed/));
  await scene.deploy(task);
  assert.equal(await scene.status(task), 'NORUN');
  await scene.start(task);
  assert.equal(await scene.status(task), 'RUN');
  assert.deepEqual(scene.routes(task), ['a1', 'b1']);
  await assert.rejects(scene.delete(task), is('wrong-state', /is running: call StopDISyncInstance first/));
  await scene.stop(task);
  assert.deepEqual([await scene.status(task), (await scene.info(task)).message], ['PAUSE', 'The task was stopped.']);
  await scene.stop(task);
  await scene.start(task);
  await scene.terminate(task);
  assert.equal(await scene.status(task), 'NORUN');
  await scene.delete(task);
  await assert.rejects(scene.info(task), is('not-found', /^fileId:\[700001\] is invalid\.$/));
  assert.deepEqual(scene.engine.calls, [
    `start ${task} v1`,
    `stop ${task}`,
    `stop ${task}`,
    `start ${task} v1`,
    `stop ${task}`,
  ]);
});

void test('a table is added and another removed while the task runs, and the plan said so', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a', 'b']);
  const state = await scene.plan(['a', 'c'], task);
  assert.ok(state.kind === 'success');
  const { tables } = JSON.parse(state.plan) as { tables: Record<string, { table: string; load?: string }[]> };
  assert.deepEqual(
    Object.fromEntries(Object.entries(tables).map(([kind, list]) => [kind, list.map(({ table }) => table)])),
    { added: ['c'], removed: ['b'], kept: ['a'] },
  );
  await scene.save(task, state.taskContent);
  assert.deepEqual(scene.routes(task), ['a1', 'b1']);
  await scene.deploy(task);
  assert.deepEqual(scene.routes(task), ['a1', 'c2']);
  assert.equal((await scene.info(task)).message, 'Version 2 is being applied.');
});

void test('a table that left and came back counts from its return, and one that stayed from its beginning', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a', 'b']);
  await scene.update(task, ['a']);
  await scene.update(task, ['a', 'b']);
  await scene.deploy(task);
  assert.deepEqual(scene.routes(task), ['a1', 'b3']);
});

void test('a content planned against a version that moved is stale: the answer says what happened since', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a', 'b']);
  const first = await scene.content(['a', 'b', 'c'], task);
  const second = await scene.content(['a', 'd'], task);
  await scene.save(task, first);
  await assert.rejects(
    scene.save(task, second),
    is(
      'stale',
      /planned against version 1, and the saved version is 2: version 2 added shop\.c and removed none\. Generate again/,
    ),
  );
  await scene.deploy(task);
  await scene.start(task);
  assert.deepEqual(scene.routes(task), ['a1', 'b1', 'c2']);
});

void test('an update with the content that is saved already changes nothing, however it is spaced', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  const content = await scene.content(['a', 'b'], task);
  await scene.save(task, content);
  await scene.save(task, content);
  await scene.save(task, JSON.stringify(JSON.parse(content), null, 2));
  await scene.tasks.update(CALLER, { taskType: REALTIME, task, taskContent: null, taskParam: null });
  await scene.deploy(task);
  assert.equal((await scene.info(task)).deployedVersion, 2);
});

void test('two updates at once: one is saved, the other is stale', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  const contents = [await scene.content(['a', 'b'], task), await scene.content(['a', 'c'], task)];
  const results = await Promise.allSettled(contents.map((content) => scene.save(task, content)));
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

void test('a content edited by hand, or made elsewhere, is planned anew', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a', 'b']);
  const json = JSON.parse(await scene.content(['a', 'b', 'c'], task)) as {
    extend: Record<string, unknown>;
    steps: [{ parameter: { connection: [{ table: string[] }] } }, { parameter: Record<string, unknown> }];
  };
  json.steps[0].parameter.connection[0].table = ['a', 'd'];
  await scene.save(task, JSON.stringify(json));
  delete json.extend['disync'];
  delete json.steps[1].parameter['tableMappingRule'];
  json.steps[0].parameter.connection[0].table = ['a', 'd', 'b'];
  await scene.save(task, JSON.stringify(json));
  await scene.deploy(task);
  await scene.start(task);
  assert.deepEqual(scene.routes(task), ['a1', 'd2', 'b3']);
  json.steps[0].parameter.connection[0].table = ['nowhere'];
  await assert.rejects(
    scene.save(task, JSON.stringify(json)),
    is('stale', /Table\.Unknown: there is no table `shop`\.`nowhere`/),
  );
  json.steps[1].parameter['datasource'] = 'another';
  await assert.rejects(
    scene.save(task, JSON.stringify(json)),
    is('invalid', /the destination cannot be changed from bi_holo/),
  );
});

void test('a target named by hand is refused where it is not the planned one', async () => {
  const scene = await Scene.make();
  const content = (await scene.content(['a'])).replace('"schemaName":"shop"', '"schemaName":"elsewhere"');
  await assert.rejects(
    scene.tasks.create(CALLER, {
      taskType: REALTIME,
      name: 'n',
      taskContent: content,
      taskParam: null,
      idempotence: null,
    }),
    is('stale', /Task\.TargetFixed: `shop`\.`a`: .*names the target elsewhere\.a, and it goes to shop\.a/),
  );
});

void test('a plan fails with everything that is wrong, and nothing changes', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  const state = await scene.plan(['a', 'x', 'y'], task);
  assert.ok(state.kind === 'fail');
  assert.match(state.message, /`shop`\.`x`.*\|.*`shop`\.`y`.*Generate again with a new ClientToken/s);
  await scene.deploy(task);
  assert.equal((await scene.info(task)).deployedVersion, 1);
});

void test('a plan that fails tells what is wrong at both ends, whichever cannot be asked', async () => {
  const scene = await Scene.make();
  const away = (code: string) => () => Promise.reject(new PipelineError('transient', code, `${code} is away`));
  const told = async (tables: string[]) => {
    const state = await scene.plan(tables);
    return state.kind === 'fail' ? state.message : state.kind;
  };
  scene.script.onPlan = away('Sink.Away');
  assert.match(
    await told(['a', 'x']),
    /^Table\.Unknown: there is no table `shop`\.`x`.* \| Sink\.Away: Sink\.Away is away\. Check/s,
  );
  scene.script.onDescribe = away('Source.Away');
  assert.match(await told(['a']), /^Source\.Away: .* \| Sink\.Away: /s);
});

void test('a plan that changes options of a task says when a run has them', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  const planned = async (writer: object) => {
    const taskParam = param(['a'], {}, writer);
    const request = { taskType: REALTIME, task, taskParam, idempotence: null };
    const state = await scene.result(await scene.tasks.generateForUpdating(CALLER, request));
    assert.ok(state.kind === 'success');
    return (JSON.parse(state.plan) as { warnings: string[] }).warnings;
  };
  assert.deepEqual(await planned({}), []);
  assert.deepEqual(await planned({ schema: 'other', size: 1 }), [
    'options of the writer change (schema, size): a run has them from its next start on, so stop and start it after the deploy; tables that stay keep their targets',
  ]);
});

void test('a plan that removes more than half of the tables says so', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a', 'b', 'c']);
  const state = await scene.plan(['a'], task);
  assert.match(state.kind === 'success' ? (state.message ?? '') : '', /removes 2 of 3 tables/);
});

void test('a plan warns of rows in a target that the task did not write, and not of its own', async () => {
  const scene = await Scene.make();
  scene.script.targetRows.set('shop.a', 7);
  const warnings = async (task: TaskId | null) => {
    const state = await scene.plan(['a'], task);
    return state.kind === 'success' ? /the target has 7 rows that this task did not write/.test(state.plan) : null;
  };
  assert.equal(await warnings(null), true);
  const task = await scene.create(['b']);
  assert.equal(await warnings(task), true);
  await scene.store.transaction((records) => records.insertFilled(task, [{ schema: 'shop', table: 'a' }]));
  assert.equal(await warnings(task), false);
});

void test('a config process ends in fail when a server is away, refuses, hangs, or a connector has a defect', async () => {
  const scene = await Scene.make();
  const away = new PipelineError('transient', 'Source.Away', 'the server is away');
  const cases: readonly (readonly [() => Promise<void>, RegExp])[] = [
    [() => Promise.reject(away), /Source\.Away: the server is away\. Check its address and that it is up/],
    [() => Promise.reject(new TypeError('x is undefined')), /Task\.PlanFailed: x is undefined/],
    [() => new Promise(() => {}), /Task\.PlanTimeout: the servers did not answer within 1 seconds/],
  ];
  for (const [fate, message] of cases) {
    scene.script.onDescribe = fate;
    const state = await scene.plan(['a']);
    assert.match(state.kind === 'fail' ? state.message : state.kind, message);
  }
  scene.script.onDescribe = async () => {};
  scene.script.onPlan = () => new Promise(() => {});
  const state = await scene.plan(['a']);
  assert.match(state.kind === 'fail' ? state.message : state.kind, /Task\.PlanTimeout/);
  scene.script.onPlan = async () => {};
  assert.equal((await scene.plan(['a'])).kind, 'success');
});

void test('plans that hang hold up no other for longer than their time', async () => {
  const scene = await Scene.make();
  scene.script.onDescribe = () => new Promise(() => {});
  const request = { taskType: REALTIME, taskParam: param(['a']), idempotence: null };
  const hanging = await Promise.all(Array.from({ length: 9 }, () => scene.tasks.generateForCreating(CALLER, request)));
  const states = await Promise.all(hanging.map((process) => scene.result(process)));
  assert.deepEqual(new Set(states.map(({ kind }) => kind)), new Set(['fail']));
});

void test('a config process that a restart cut short is taken up again and ends', async () => {
  const scene = await Scene.make();
  let isAway = true;
  scene.script.onDescribe = async () => {
    if (isAway) await new Promise((resolve) => setTimeout(resolve, 150));
  };
  const request = { taskType: REALTIME, taskParam: param(['a', 'b']), idempotence: null };
  const process = await scene.tasks.generateForCreating(CALLER, request);
  const early = await scene.tasks.processResult(CALLER, { taskType: REALTIME, process, waitMs: 0 });
  assert.deepEqual(early, { kind: 'running' });
  await scene.restart();
  isAway = false;
  assert.equal((await scene.result(process)).kind, 'success');
  assert.ok(scene.script.descriptions >= 2);
  await scene.restart();
  assert.equal((await scene.result(process)).kind, 'success');
});

void test('a process of another type, project or number is not found', async () => {
  const scene = await Scene.make();
  const request = { taskType: REALTIME, taskParam: param(['a']), idempotence: null };
  const process = await scene.tasks.generateForCreating(CALLER, request);
  const other = { project: 5n as ProjectId, user: 'KEY' };
  const message = new RegExp(`^processId:\\[${process}\\] is invalid\\.$`);
  const find = (caller: typeof CALLER, taskType: 'DI_REALTIME' | 'DI_SOLUTION', id: ProcessId) =>
    scene.tasks.processResult(caller, { taskType, process: id, waitMs: 0 });
  await assert.rejects(find(other, REALTIME, process), is('not-found', message));
  await assert.rejects(find(CALLER, 'DI_SOLUTION', process), is('not-found', message));
  await assert.rejects(find(CALLER, REALTIME, (2n ** 63n - 1n) as ProcessId), is('not-found', /9223372036854775807/));
});

void test('a process stays readable for seven days, and its content is planned anew after them', async () => {
  const scene = await Scene.make();
  const request = { taskType: REALTIME, taskParam: param(['a']), idempotence: null };
  const process = await scene.tasks.generateForCreating(CALLER, request);
  const state = await scene.result(process);
  const day = 24 * 3600 * 1000;
  scene.clock.time += 7 * day - 1000;
  await scene.restart();
  assert.deepEqual(await scene.result(process), state);
  scene.clock.time += 2000;
  await scene.restart();
  await assert.rejects(scene.result(process), is('not-found', /processId/));
  const taskContent = state.kind === 'success' ? state.taskContent : '';
  await scene.tasks.create(CALLER, { taskType: REALTIME, name: 'n', taskContent, taskParam: null, idempotence: null });
});

void test('a repeated ClientToken replays its process, also while that runs, after it failed and after a restart', async () => {
  const scene = await Scene.make();
  const idempotence: Idempotence = { token: 't', operation: 'Generate', parameters: '{"a":1}' };
  const request = { taskType: REALTIME, taskParam: param(['nowhere']), idempotence };
  const all = await Promise.all(Array.from({ length: 5 }, () => scene.tasks.generateForCreating(CALLER, request)));
  assert.equal(new Set(all).size, 1);
  const [first] = all;
  assert.ok(first !== undefined);
  assert.equal((await scene.result(first)).kind, 'fail');
  assert.equal(await scene.tasks.generateForCreating(CALLER, request), first);
  await scene.restart();
  assert.equal(await scene.tasks.generateForCreating(CALLER, request), first);
  const another = { ...request, idempotence: { ...idempotence, operation: 'GenerateOther' } };
  assert.notEqual(await scene.tasks.generateForCreating(CALLER, another), first);
  const changed = { ...request, idempotence: { ...idempotence, parameters: '{"a":2}' } };
  await assert.rejects(
    scene.tasks.generateForCreating(CALLER, changed),
    is('invalid', /used before with other parameters/),
  );
  scene.clock.time += 7 * 24 * 3600 * 1000 + 1000;
  await scene.restart();
  assert.notEqual(await scene.tasks.generateForCreating(CALLER, changed), first);
});

void test('a repeated ClientToken makes one task, and a call that failed may be repeated with it', async () => {
  const scene = await Scene.make();
  const taskContent = await scene.content(['a']);
  const idempotence: Idempotence = { token: 't', operation: 'CreateDISyncTask', parameters: '{}' };
  const request = { taskType: REALTIME, name: 'n', taskContent, taskParam: null, idempotence };
  await assert.rejects(
    scene.tasks.create(CALLER, { ...request, taskContent: '{' }),
    is('invalid', /TaskContent is not a JSON object/),
  );
  const ids = await Promise.all([scene.tasks.create(CALLER, request), scene.tasks.create(CALLER, request)]);
  assert.equal(ids[0], ids[1]);
  await assert.rejects(
    scene.tasks.create(CALLER, { ...request, idempotence: null }),
    is('name-taken', /a task named n exists/),
  );
});

void test('a name is free again once its task is deleted, and a plan that asks for a taken one is refused', async () => {
  const scene = await Scene.make();
  const first = await scene.create(['a'], 'same');
  await assert.rejects(
    scene.create(['a'], 'same'),
    is('name-taken', /^TaskName: a task named same exists\. Choose another name\.$/),
  );
  const request = { taskType: REALTIME, taskParam: param(['a'], { name: 'same' }), idempotence: null };
  await assert.rejects(scene.tasks.generateForCreating(CALLER, request), is('name-taken', /^TaskParam\.setting\.name/));
  await scene.delete(first);
  assert.notEqual(await scene.create(['a'], 'same'), first);
});

void test('a deploy that removes or reloads a table which no plan showed is refused, and nothing is deployed', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a', 'b']);
  await scene.update(task, ['a', 'b', 'c']);
  // As if the saved version had lost what its plan showed.
  await scene.store.transaction(async (records) => {
    const version = await records.version(task, 2);
    const tables = version.definition.tables.filter(({ table }) => table.table !== 'a');
    const shown = { added: [], removed: [] };
    await records.insertVersion(task, { ...version, version: 3, definition: { ...version.definition, tables }, shown });
    await records.updateTask(task, { saved: 3 });
  });
  await assert.rejects(
    scene.deploy(task),
    is('wrong-state', /it would remove or reload shop\.a, which no plan showed\. Generate and update again/),
  );
  assert.deepEqual([(await scene.info(task)).deployedVersion, scene.routes(task)], [1, ['a1', 'b1']]);
});

void test('several versions deployed as one show everything that any of their plans showed', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a', 'b']);
  await scene.update(task, ['a']);
  await scene.update(task, ['a', 'c']);
  await scene.deploy(task);
  assert.deepEqual(scene.routes(task), ['a1', 'c3']);
});

void test('a deploy on a stopped task takes effect at the next start', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  await scene.stop(task);
  await scene.update(task, ['a', 'b']);
  await scene.deploy(task);
  assert.deepEqual(
    [await scene.status(task), scene.engine.calls.filter((call) => call.startsWith('apply'))],
    ['PAUSE', []],
  );
  await scene.start(task);
  assert.deepEqual(scene.routes(task), ['a1', 'b2']);
});

void test('a saved version that is not deployed does not run, whatever is started or restarted', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  await scene.update(task, ['a', 'b']);
  await scene.stop(task);
  await scene.start(task);
  assert.deepEqual(scene.routes(task), ['a1']);
  await scene.restart();
  assert.deepEqual(scene.routes(task), ['a1']);
});

void test('a data source in use is not deleted, by the saved or by the deployed version; afterwards it is', async () => {
  const scene = await Scene.make();
  const { dataSources } = scene.created;
  const { rows } = await dataSources.list(CALLER, {
    name: 'bi_holo',
    type: null,
    subType: null,
    env: null,
    enabled: null,
    pageNumber: 1,
    pageSize: 10,
  });
  const id = rows[0]?.id;
  assert.ok(id !== undefined);
  const task = await scene.running(['a']);
  await assert.rejects(
    dataSources.delete(REACH, id),
    is('wrong-state', /bi_holo is used by task task \(fileId 700001\)/),
  );
  await assert.rejects(dataSources.delete({ ...REACH, projects: [] }, id), is('not-found', /dataSourceId/));
  await scene.terminate(task);
  await scene.delete(task);
  await dataSources.delete(REACH, id);
  const state = await scene.plan(['a']);
  assert.match(
    state.kind === 'fail' ? state.message : state.kind,
    /datasource:\[bi_holo\] is invalid.*CreateDataSource/,
  );
});

void test('a StartParam is checked and kept: the same one on a running task is fine, another is not', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  await scene.deploy(task);
  await assert.rejects(scene.start(task, '{"errorLimit":5}'), is('invalid', /StartParam\.errorLimit/));
  assert.equal(await scene.status(task), 'NORUN');
  await scene.start(task, '{"errorLimit":{"record":"5"},"failoverLimit":{"count":2,"interval":1}}');
  await scene.start(task, ' {"failoverLimit":{"interval":1,"count":2}, "errorLimit":{"record":"5"}}');
  await assert.rejects(scene.start(task), is('wrong-state', /running with another StartParam: stop first/));
  const policies = scene.engine.defs.get(String(task))?.policies;
  assert.deepEqual([policies?.errorLimit, policies?.failover], [5, { count: 2, intervalMinutes: 1 }]);
  await scene.restart();
  assert.deepEqual(scene.engine.defs.get(String(task))?.policies, policies);
});

void test('a run that ends by itself is PAUSE with its reason, also after a restart, until it is started again', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a', 'b']);
  scene.engine.show(String(task), { tables: [streaming('shop', 'a')] });
  scene.engine.fail(String(task), { code: 'Log.Purged', message: 'the log is gone', remedy: 'Load again.' });
  const expected = ['PAUSE', 'Log.Purged: the log is gone. Load again.'];
  const shown = async () => {
    const { status, message } = await scene.info(task);
    return [status, message];
  };
  assert.deepEqual(await shown(), expected);
  assert.deepEqual(
    (await scene.info(task)).run?.tables.map(({ state }) => state),
    ['PAUSED'],
  );
  await scene.restart();
  assert.deepEqual(await shown(), expected);
  assert.equal(scene.engine.defs.size, 0);
  await scene.stop(task);
  assert.deepEqual(await shown(), expected);
  await scene.start(task);
  assert.equal(await scene.status(task), 'RUN');
  await scene.stop(task);
  assert.deepEqual(await shown(), ['PAUSE', 'The task was stopped.']);
});

void test('a failure that a stop or a terminate has overtaken changes nothing any more', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  const failure = { code: 'X.Y', message: 'late', remedy: null };
  let release = () => {};
  scene.engine.stopping = new Promise((resolve) => (release = resolve));
  const stopping = scene.stop(task);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await scene.status(task), 'KILLING');
  scene.engine.fail(String(task), failure);
  release();
  await stopping;
  assert.equal((await scene.info(task)).status, 'PAUSE');
  await scene.terminate(task);
  assert.equal(await scene.status(task), 'NORUN');
});

void test('running tasks, and no others, go on by themselves after a restart, in their incarnation', async () => {
  const scene = await Scene.make();
  const runs = await scene.running(['a']);
  const stopped = await scene.create(['b'], 'stopped');
  await scene.deploy(stopped);
  await scene.start(stopped);
  await scene.stop(stopped);
  const saved = await scene.create(['c'], 'saved');
  const incarnation = scene.engine.defs.get(String(runs))?.owner;
  await scene.restart();
  assert.deepEqual(scene.engine.calls, [`resume ${runs} v1`]);
  assert.deepEqual(scene.engine.defs.get(String(runs))?.owner, incarnation);
  assert.deepEqual(await Promise.all([runs, stopped, saved].map((task) => scene.status(task))), [
    'RUN',
    'PAUSE',
    'NORUN',
  ]);
});

void test('a task that cannot go on after a restart is PAUSE with the reason; the others go on', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  const other = await scene.create(['b'], 'other');
  await scene.deploy(other);
  await scene.start(other);
  const refuse = async (id: TaskId) => {
    const { store } = scene;
    await store.transaction(async (records) => {
      const version = await records.version(id, 1);
      const definition = { ...version.definition, sinkName: 'gone' };
      await records.insertVersion(id, { ...version, version: 9, definition });
      await records.updateTask(id, { saved: 9, deployed: 9 });
    });
  };
  await refuse(task);
  await scene.restart();
  assert.deepEqual([await scene.status(task), await scene.status(other)], ['PAUSE', 'RUN']);
  assert.match((await scene.info(task)).message ?? '', /Run\.NotResumed: datasource:\[gone\] is invalid/);
});

void test('a run that the engine cannot start is PAUSE, not waiting for ever', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  await scene.deploy(task);
  scene.engine.refusal = new Error('no threads left');
  await assert.rejects(scene.start(task), /no threads left/);
  assert.match((await scene.info(task)).message ?? '', /Run\.NotStarted: no threads left\. Settle the cause/);
  assert.equal(await scene.status(task), 'PAUSE');
  await scene.start(task);
  assert.equal(await scene.status(task), 'RUN');
});

void test('after a terminate the next start is a first one: another incarnation, and no checkpoint anywhere', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  const first = scene.engine.defs.get(String(task))?.owner;
  assert.ok(first !== undefined);
  const checkpoint = { sequence: 1, offset: { at: 1 }, version: 1, tables: [streaming('shop', 'a')] };
  await scene.store.checkpoints.save(first, { checkpoint, heldBySink: false });
  await scene.terminate(task);
  assert.deepEqual([await scene.store.checkpoints.load(first), scene.script.forgotten], [null, [String(task)]]);
  await assert.rejects(scene.start(task), is('wrong-state', /call DeployDISyncTask first/));
  await scene.deploy(task);
  await scene.start(task);
  assert.notEqual(scene.engine.defs.get(String(task))?.owner.incarnation, first.incarnation);
});

void test('a terminate that was cut short has terminated all the same', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  const first = scene.engine.defs.get(String(task))?.owner.incarnation;
  scene.engine.stopping = new Promise(() => {});
  void scene.terminate(task).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 30));
  await scene.restart();
  assert.deepEqual([await scene.status(task), scene.engine.calls], ['NORUN', []]);
  await scene.deploy(task);
  await scene.start(task);
  assert.notEqual(scene.engine.defs.get(String(task))?.owner.incarnation, first);
});

void test('targets that a run filled are told to the next one', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  assert.deepEqual(scene.engine.defs.get(String(task))?.filled, []);
  await scene.store.transaction((records) => records.insertFilled(task, [{ schema: 'shop', table: 'a' }]));
  await scene.terminate(task);
  await scene.deploy(task);
  await scene.start(task);
  assert.deepEqual(scene.engine.defs.get(String(task))?.filled, [{ schema: 'shop', table: 'a' }]);
});

void test('what a stopped task last did is known after a restart, from its checkpoint', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a']);
  const owner = scene.engine.defs.get(String(task))?.owner;
  assert.ok(owner !== undefined);
  const checkpoint = { sequence: 1, offset: { at: 2n ** 60n }, version: 1, tables: [streaming('shop', 'a')] };
  await scene.store.checkpoints.save(owner, { checkpoint, heldBySink: false });
  await scene.stop(task);
  await scene.restart();
  const { status, appliedVersion, run } = await scene.info(task);
  assert.deepEqual(
    [status, appliedVersion, run?.offset, run?.tables.map(({ state }) => state)],
    ['PAUSE', 1, '{"at":1152921504606846976}', ['PAUSED']],
  );
});

void test('messages of a run say which tables failed, and when the next try is', async () => {
  const scene = await Scene.make();
  const task = await scene.running(['a', 'b']);
  const failure = { code: 'Table.Odd', message: 'odd', remedy: 'Even it.' };
  scene.engine.show(String(task), {
    tables: [{ ...streaming('shop', 'a'), state: 'FAILED', failure }, streaming('shop', 'b')],
  });
  assert.deepEqual(
    [await scene.status(task), (await scene.info(task)).message],
    ['RUN', 'A table failed, the others flow: shop.a: Table.Odd: odd. Even it.'],
  );
  scene.engine.show(String(task), { phase: 'backing-off', failure, nextTryAt: 0 });
  assert.deepEqual(
    [await scene.status(task), (await scene.info(task)).message],
    ['RUN', 'Table.Odd: odd. Even it. The next try is at 1970-01-01T00:00:00.000Z.'],
  );
  scene.engine.show(String(task), { phase: 'starting' });
  assert.equal(await scene.status(task), 'WAIT');
});

void test('batch tasks are refused, each call with what to do or what is not there yet', async () => {
  const scene = await Scene.make();
  const taskType = 'DI_OFFLINE' as const;
  const task = await scene.running(['a']);
  const { tasks } = scene;
  const generate = { taskType, taskParam: param(['a']), idempotence: null };
  const batch = is('invalid', /batch tasks are updated with UpdateDISyncTask/);
  await assert.rejects(tasks.generateForCreating(CALLER, generate), batch);
  await assert.rejects(tasks.generateForUpdating(CALLER, { ...generate, task }), batch);
  const content = { taskContent: '{}', taskParam: null };
  const calls = [
    tasks.processResult(CALLER, { taskType, process: 1n as ProcessId, waitMs: 0 }),
    tasks.create(CALLER, { taskType, name: 'n', ...content, idempotence: null }),
    tasks.update(CALLER, { taskType, task, ...content }),
    tasks.content(CALLER, { taskType, task }),
    tasks.deploy(CALLER, { taskType, task }),
    tasks.start(CALLER, { taskType, task, startParam: null }),
    tasks.stop(CALLER, { taskType, task }),
    tasks.terminate(CALLER, { taskType, task }),
    tasks.info(CALLER, { taskType, task }),
    tasks.delete(CALLER, { taskType, task }),
  ];
  for (const call of calls)
    await assert.rejects(
      call,
      is('not-built', /^TaskType DI_OFFLINE: batch tasks are not there yet; DI_REALTIME and DI_SOLUTION are\.$/),
    );
});

void test('the same table named bare and with its database is one table', async () => {
  const scene = await Scene.make();
  const json = JSON.parse(param(['a'])) as { steps: [{ parameter: { connection: [Record<string, unknown>] } }] };
  json.steps[0].parameter.connection[0]['selectedTables'] = [
    { dbName: 'shop', schema: [{ tableInfos: [{ table: 'a' }, { table: 'b' }] }] },
  ];
  const request = { taskType: REALTIME, taskParam: JSON.stringify(json), idempotence: null };
  const state = await scene.result(await scene.tasks.generateForCreating(CALLER, request));
  assert.ok(state.kind === 'success', JSON.stringify(state));
  const { tables } = JSON.parse(state.plan) as { tables: { added: { table: string }[] } };
  assert.deepEqual(
    tables.added.map(({ table }) => table),
    ['a', 'b'],
  );
});
