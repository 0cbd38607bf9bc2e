import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLER, is, PROJECT, Scene } from '../../test/support/task-scene.ts';
import type { FileFilter } from './file-service.ts';
import type { ProjectId, TaskId } from './ids.ts';

const NO_FILTER: FileFilter = {
  types: null,
  folder: null,
  keyword: null,
  name: null,
  ids: null,
  node: null,
  creator: null,
  editor: null,
};
const OTHER = { project: 2n as ProjectId, user: 'KEY' };

/** A task that is saved in a folder, by a caller. */
async function save(scene: Scene, name: string, folder: string, caller = CALLER): Promise<TaskId> {
  const taskContent = await scene.content(['a']);
  const taskParam = JSON.stringify({ FileFolderPath: folder });
  return scene.tasks.create(caller, { taskType: scene.type, name, taskContent, taskParam, idempotence: null });
}

async function names(scene: Scene, filter: Partial<FileFilter>, caller = CALLER): Promise<string[]> {
  const page = { pageNumber: 1, pageSize: 100 };
  const { rows, total } = await scene.created.files.list(caller, {
    filter: { ...NO_FILTER, ...filter },
    page,
    withContent: false,
  });
  assert.equal(total, rows.length);
  return rows.map(({ name }) => name);
}

void test('files are found by each filter, and by all of them together', async () => {
  const scene = await Scene.make();
  const orders = await save(scene, 'Orders_rt', 'Business Flow/shop');
  const items = await save(scene, 'items', 'Business Flow/shop/low/', { ...CALLER, user: 'OTHER' });
  await save(scene, 'orders', 'Business Flow/shopping');
  await save(scene, '100%_done', "it's");
  await scene.tasks.deploy(CALLER, { taskType: scene.type, task: orders });
  const all = ['100%_done', 'orders', 'items', 'Orders_rt'];
  const found: [filter: Partial<FileFilter>, names: string[]][] = [
    [{}, all],
    [{ folder: 'Business Flow/shop' }, ['items', 'Orders_rt']],
    [{ folder: 'Business Flow' }, ['orders', 'items', 'Orders_rt']],
    [{ folder: 'Flow/shop' }, []],
    [{ folder: "it's" }, ['100%_done']],
    [{ keyword: 'ORDER' }, ['orders', 'Orders_rt']],
    [{ keyword: '%_d' }, ['100%_done']],
    [{ name: 'orders' }, ['orders']],
    [{ ids: [items, 1n, 2n ** 63n - 1n] }, ['items']],
    [{ ids: [] }, []],
    [{ node: orders }, ['Orders_rt']],
    [{ node: items }, []],
    [{ creator: 'OTHER' }, ['items']],
    [{ types: ['DI_REALTIME', 'DI_SOLUTION'] }, all],
    [{ types: ['DI_OFFLINE'] }, []],
    [{ types: [] }, []],
    [{ folder: 'Business Flow', keyword: 'order', creator: 'KEY', types: ['DI_REALTIME'] }, ['orders', 'Orders_rt']],
  ];
  for (const [filter, expected] of found)
    assert.deepEqual(await names(scene, filter), expected, JSON.stringify(Object.keys(filter)));
  assert.deepEqual(await names(scene, {}, OTHER), [], 'of another project');
});

void test('a page is a part of what the filter leaves, with the number of all', async () => {
  const scene = await Scene.make();
  for (const name of ['a', 'b', 'c', 'x']) await save(scene, name, name === 'x' ? 'other' : 'here');
  const page = async (pageNumber: number) => {
    const filter = { ...NO_FILTER, folder: 'here' };
    const { rows, total } = await scene.created.files.list(CALLER, {
      filter,
      page: { pageNumber, pageSize: 2 },
      withContent: true,
    });
    return [total, ...rows.map(({ name, content }) => `${name} ${content?.slice(0, 13) ?? 'none'}`)];
  };
  assert.deepEqual(await page(1), [3, 'c {"type":"job"', 'b {"type":"job"']);
  assert.deepEqual(await page(2), [3, 'a {"type":"job"']);
  assert.deepEqual(await page(3), [3]);
});

void test('a file follows its task: saved, deployed, changed by another, deployed again', async () => {
  const scene = await Scene.make();
  const { files } = scene.created;
  const task = await save(scene, 'rt', 'here');
  const createdAt = scene.clock.time;
  const made = {
    id: task,
    name: 'rt',
    type: 'DI_REALTIME',
    folder: 'here',
    creator: 'KEY',
    editor: 'KEY',
    createdAt,
    editedAt: createdAt,
    version: 1,
    isDeployed: false,
    isCommitted: false,
  };
  const file = async () => {
    const { content, ...facts } = await files.file(CALLER, { file: task, node: null });
    assert.equal(content, await scene.tasks.content(CALLER, { taskType: scene.type, task }));
    return facts;
  };
  assert.deepEqual(await file(), made);
  await assert.rejects(
    files.file(CALLER, { file: null, node: task }),
    is('not-found', /^nodeId:\[700001\] is invalid\.$/),
  );
  await scene.deploy(task);
  assert.deepEqual(await file(), { ...made, isDeployed: true, isCommitted: true });
  assert.equal((await files.file(CALLER, { file: null, node: task })).name, 'rt');
  const editedAt = (scene.clock.time += 5000);
  const taskContent = await scene.content(['a', 'b'], task);
  const change = { taskType: scene.type, task, taskContent, taskParam: '{"ResourceGroup":"g"}' };
  await scene.tasks.update({ ...CALLER, user: 'OTHER' }, change);
  const edited = { ...made, version: 2, editor: 'OTHER', editedAt, isDeployed: true };
  assert.deepEqual(await file(), edited);
  await scene.deploy(task);
  assert.deepEqual(await file(), { ...edited, isCommitted: true });
});

void test('deleting a file deletes its task, but not one that runs, nor one of another project', async () => {
  const scene = await Scene.make('DI_SOLUTION');
  const { files } = scene.created;
  const task = await scene.running(['a']);
  await assert.rejects(files.delete(CALLER, task), is('wrong-state', /is running: call StopDISyncInstance first/));
  await assert.rejects(files.delete(OTHER, task), is('not-found', /^fileId:\[700001\] is invalid\.$/));
  await assert.rejects(
    files.file(OTHER, { file: task, node: null }),
    is('not-found', /^fileId:\[700001\] is invalid\.$/),
  );
  await scene.stop(task);
  await files.delete(CALLER, task);
  await assert.rejects(scene.info(task), is('not-found', /is invalid/));
  await assert.rejects(files.delete(CALLER, task), is('not-found', /is invalid/));
  assert.deepEqual(await names(scene, {}), []);
});

void test('a project is found by its name among those that a key opens, when only one has it', async () => {
  const scene = await Scene.make();
  const { access } = scene.store;
  for (const [id, name] of [
    [1n, 'shop'],
    [2n, 'shop'],
    [3n, 'crm'],
  ] as const)
    await access.createProject(id as ProjectId, name);
  const find = (name: string, ...among: bigint[]) => scene.created.files.projectNamed(name, among as ProjectId[]);
  assert.deepEqual([await find('shop', 1n, 3n), await find('crm', 1n, 2n), await find('none', 1n)], [1n, null, null]);
  await assert.rejects(find('shop', 1n, 2n), is('invalid', /shop is the name of several projects: give ProjectId/));
});

void test('tasks are listed by the data source at either end', async () => {
  const scene = await Scene.make();
  const first = await scene.create(['a'], 'first');
  const second = await scene.create(['b'], 'second');
  const using = async (dataSource: string, end: 'source' | 'sink', pageSize = 10, caller = CALLER) => {
    const page = { pageNumber: 1, pageSize };
    return scene.tasks.using(caller, { taskType: 'DI_REALTIME', dataSource, end, page });
  };
  const use = (id: TaskId, name: string) => ({
    id,
    name,
    type: 'DI_REALTIME',
    sourceName: 'shop_mysql',
    sinkName: 'bi_holo',
  });
  assert.deepEqual(await using('shop_mysql', 'source'), [use(second, 'second'), use(first, 'first')]);
  assert.deepEqual(await using('bi_holo', 'sink', 1), [use(second, 'second')]);
  assert.deepEqual(await using('shop_mysql', 'sink'), []);
  assert.deepEqual(await using('shop_mysql', 'source', 10, { ...OTHER, project: PROJECT + 1n } as typeof CALLER), []);
  await scene.delete(second);
  assert.deepEqual(await using('bi_holo', 'sink'), [use(first, 'first')]);
});
