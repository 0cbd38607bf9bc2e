import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLER, is, Scene } from '../../test/support/task-scene.ts';
import { DEFAULT_DDL_POLICIES } from '../pipeline/policies.ts';
import type { ProjectId, TaskId } from './ids.ts';

const MYSQL = { sinkType: 'holo', sourceType: 'mysql' };
const ANY = { sinkType: 'holo', sourceType: null };

function policiesOf(scene: Scene, task: TaskId) {
  return scene.engine.defs.get(String(task))?.policies.ddl;
}

void test('each kind of DDL is what the narrowest scope says, and built in where none does', async () => {
  const scene = await Scene.make();
  const { projectConfigs } = scene.created;
  const read = (scope: typeof MYSQL | typeof ANY) => projectConfigs.ddlPolicies(CALLER, scope);
  assert.deepEqual(await read(MYSQL), DEFAULT_DDL_POLICIES);
  await projectConfigs.replaceDdlPolicies(CALLER, ANY, '{"DROPTABLE":"CRITICAL","ADDCOLUMN":"IGNORE"}');
  await projectConfigs.replaceDdlPolicies(CALLER, MYSQL, '{"addcolumn":"critical"}');
  assert.deepEqual(await read(ANY), { ...DEFAULT_DDL_POLICIES, DROPTABLE: 'CRITICAL', ADDCOLUMN: 'IGNORE' });
  assert.deepEqual(await read(MYSQL), { ...DEFAULT_DDL_POLICIES, DROPTABLE: 'CRITICAL', ADDCOLUMN: 'CRITICAL' });
  await projectConfigs.replaceDdlPolicies(CALLER, ANY, '{"TRUNCATETABLE":"NORMAL"}');
  assert.deepEqual(await read(ANY), { ...DEFAULT_DDL_POLICIES, TRUNCATETABLE: 'NORMAL' }, 'replaced, not merged');
  const others = [
    await projectConfigs.ddlPolicies(CALLER, { sinkType: 'kafka', sourceType: 'mysql' }),
    await projectConfigs.ddlPolicies({ ...CALLER, project: 2n as ProjectId }, MYSQL),
  ];
  assert.deepEqual(others, [DEFAULT_DDL_POLICIES, DEFAULT_DDL_POLICIES], 'of other sinks and projects');
});

void test('an unknown kind or policy is refused by its name, and nothing is changed', async () => {
  const scene = await Scene.make();
  const { projectConfigs } = scene.created;
  const replace = (config: string) => projectConfigs.replaceDdlPolicies(CALLER, ANY, config);
  await replace('{"DROPTABLE":"IGNORE"}');
  await assert.rejects(
    replace('{"ADDCOLUMN":"IGNORE","DROPINDEX":"IGNORE"}'),
    is('invalid', /^ProjectConfig: DROPINDEX is unknown; the kinds are CREATETABLE, /),
  );
  await assert.rejects(
    replace('{"ADDCOLUMN":"ALERT"}'),
    is('invalid', /^ProjectConfig\.ADDCOLUMN must be one of NORMAL, IGNORE, WARNING, CRITICAL$/),
  );
  assert.deepEqual(await projectConfigs.ddlPolicies(CALLER, ANY), { ...DEFAULT_DDL_POLICIES, DROPTABLE: 'IGNORE' });
});

void test('a run takes it at its start, under StartParam, and keeps it through deploys and restarts of the service', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  await scene.deploy(task);
  const replace = (config: string) => scene.created.projectConfigs.replaceDdlPolicies(CALLER, MYSQL, config);
  await replace('{"ADDCOLUMN":"CRITICAL","DROPTABLE":"IGNORE"}');
  const startParam = '{"ddlMarkMap":{"DROPTABLE":"NORMAL"}}';
  await scene.start(task, startParam);
  const taken = { ...DEFAULT_DDL_POLICIES, ADDCOLUMN: 'CRITICAL', DROPTABLE: 'NORMAL' };
  assert.deepEqual(policiesOf(scene, task), taken);
  await replace('{"ADDCOLUMN":"WARNING"}');
  await scene.update(task, ['a', 'b']);
  await scene.deploy(task);
  assert.deepEqual(policiesOf(scene, task), taken, 'after a deploy');
  await scene.restart();
  assert.deepEqual(policiesOf(scene, task), taken, 'after a restart of the service');
  await scene.stop(task);
  await scene.start(task, startParam);
  assert.deepEqual(policiesOf(scene, task), {
    ...DEFAULT_DDL_POLICIES,
    ADDCOLUMN: 'WARNING',
    DROPTABLE: 'NORMAL',
  });
});
