import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streaming } from '../../test/support/scripted-engine.ts';
import { CALLER, is, param, PROJECT, REALTIME, Scene } from '../../test/support/task-scene.ts';

const SOLUTION = 'DI_SOLUTION' as const;
const FAILURE = { code: 'Test.Failed', message: 'it failed', remedy: null };

void test('a solution goes through the same calls as a task, and shows its steps on the way', async () => {
  const scene = await Scene.make(SOLUTION);
  const task = await scene.create(['a', 'b']);
  const steps = async () => {
    const { solution } = await scene.info(task);
    return [solution?.status, ...(solution?.steps ?? []).map(({ kind, status }) => `${kind} ${status}`)];
  };
  assert.deepEqual(await steps(), ['wait', 'structure wait', 'load wait', 'stream wait']);
  await scene.deploy(task);
  await scene.start(task);
  assert.deepEqual(await steps(), ['run', 'structure run', 'load wait', 'stream wait']);
  const loading = { ...streaming('shop', 'b'), state: 'SNAPSHOTTING', chunksAll: 2 } as const;
  scene.engine.show(String(task), { tables: [streaming('shop', 'a'), loading] });
  assert.deepEqual(await steps(), ['run', 'structure success', 'load run', 'stream run']);
  scene.engine.show(String(task), { tables: [streaming('shop', 'a'), streaming('shop', 'b')] });
  assert.deepEqual(await steps(), ['run', 'structure success', 'load success', 'stream run']);
  await scene.update(task, ['a', 'b', 'c']);
  assert.deepEqual(await steps(), ['run', 'structure success', 'load success', 'stream run']);
  await scene.deploy(task);
  assert.deepEqual(scene.routes(task), ['a1', 'b1', 'c2']);
  assert.deepEqual(await steps(), ['run', 'structure run', 'load run', 'stream run']);
  scene.engine.fail(String(task), FAILURE);
  await scene.until(task, 'PAUSE');
  assert.deepEqual(await steps(), ['fail', 'structure fail', 'load wait', 'stream wait']);
  await scene.start(task);
  await scene.terminate(task);
  await scene.delete(task);
  await assert.rejects(scene.info(task), is('not-found', /is invalid/));
});

void test('a solution loads its tables unless it is told otherwise', async () => {
  const scene = await Scene.make(SOLUTION);
  const task = await scene.running(['a']);
  assert.deepEqual(
    scene.engine.defs.get(String(task))?.routes.map(({ load }) => load),
    ['full'],
  );
});

void test('StartParam has no effect on a solution, whatever it says', async () => {
  const scene = await Scene.make(SOLUTION);
  const task = await scene.create(['a']);
  await scene.deploy(task);
  await scene.start(task, '{"ddlMarkMap":{"ADDCOLUMN":"CRITICAL"},"startTime":1}');
  const { policies, start } = scene.engine.defs.get(String(task)) ?? {};
  assert.deepEqual([policies?.ddl.ADDCOLUMN, start], ['NORMAL', null]);
  await scene.start(task, '{"ddlMarkMap":{"NO_KIND":"x"}}');
});

void test('a solution is described with who made it, when it was submitted and started, and how it stands', async () => {
  const scene = await Scene.make(SOLUTION);
  const task = await scene.create(['a'], 'whole shop');
  const described = () => scene.tasks.solution(CALLER, task);
  const { processContent, processExtra, ...saved } = await described();
  const facts = {
    id: task,
    name: 'whole shop',
    project: PROJECT,
    creator: 'KEY',
    sourceType: 'mysql',
    sinkType: 'holo',
  };
  assert.deepEqual(saved, { ...facts, state: 'idle', submittedAt: null, startedAt: null });
  assert.deepEqual(JSON.parse(processExtra), { processType: 'new', tableNum: 1 });
  const content = JSON.parse(processContent) as Record<string, unknown>;
  assert.deepEqual(Object.keys(content), [
    'srcType',
    'holoDatasource',
    'processRuleId',
    'readerConcurrent',
    'offlineSyncConfig',
    'realtimeSyncConfig',
    'setting',
    'tableMappingRuleFromRealtimeSyncConfig',
  ]);
  const standing = async () => {
    const { state, submittedAt, startedAt } = await described();
    return [state, submittedAt, startedAt];
  };
  const deployedAt = (scene.clock.time += 1000);
  await scene.deploy(task);
  assert.deepEqual(await standing(), ['submitted', deployedAt, null]);
  const startedAt = (scene.clock.time += 1000);
  await scene.start(task);
  scene.engine.show(String(task), { phase: 'starting' });
  assert.deepEqual(await standing(), ['waiting', deployedAt, startedAt]);
  scene.engine.show(String(task), { phase: 'running' });
  assert.deepEqual(await standing(), ['running', deployedAt, startedAt]);
  await scene.stop(task);
  assert.deepEqual(await standing(), ['idle', deployedAt, startedAt]);
  await scene.start(task);
  scene.engine.show(String(task), { phase: 'failed', failure: FAILURE });
  assert.deepEqual(await standing(), ['failed', deployedAt, startedAt], 'before the store knows it');
  scene.engine.fail(String(task), FAILURE);
  await scene.until(task, 'PAUSE');
  await scene.restart();
  assert.deepEqual(await standing(), ['failed', deployedAt, startedAt]);
  await scene.terminate(task);
  assert.deepEqual(await standing(), ['idle', null, null]);
});

void test('a solution is unknown as a real-time task, a real-time task as a solution, and its process as well', async () => {
  const scene = await Scene.make(SOLUTION);
  const task = await scene.create(['a']);
  const unknown = is('not-found', /^(fileId|processId):\[\d+\] is invalid\.$/);
  await assert.rejects(scene.tasks.deploy(CALLER, { taskType: REALTIME, task }), unknown);
  await assert.rejects(scene.tasks.info(CALLER, { taskType: REALTIME, task }), unknown);
  const request = { taskType: SOLUTION, taskParam: param(['b']), idempotence: null };
  const process = await scene.tasks.generateForCreating(CALLER, request);
  await assert.rejects(scene.tasks.processResult(CALLER, { taskType: REALTIME, process, waitMs: 0 }), unknown);
  const realtime = await Scene.make(REALTIME);
  const other = await realtime.create(['a']);
  await assert.rejects(realtime.tasks.solution(CALLER, other), unknown);
});
