import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { makeOldStore } from '../../test/support/old-store.ts';
import type { ProjectId, TaskId } from '../tasks/ids.ts';
import type { TaskType } from '../tasks/task-service.ts';
import type { NewTask, TaskRecord, VersionRecord } from '../tasks/task-store.ts';
import { Store } from './store.ts';

const PROJECT = 7n as ProjectId;
const OTHER = 8n as ProjectId;
let now = 1000;

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function freshFolder(): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'disync-task-records-')), 'data');
  folders.push(folder);
  mkdirSync(folder);
  return folder;
}

function open(folder = freshFolder()): Store {
  return Store.open({ folder, masterKey: null, masterKeyFile: null, clock: { now: () => now }, exclusive: true });
}

function version(sourceName = 's', sinkName = 't'): VersionRecord {
  return {
    version: 1,
    definition: {
      name: null,
      resourceGroup: '',
      route: 'oneclick_to_holo',
      sourceName,
      sinkName,
      form: 'table',
      initialLoad: 'all',
      reader: {},
      writer: {},
      tables: [],
    },
    content: '{"of":"version 1"}',
    shown: { added: [], removed: [] },
  };
}

function newTask(name: string, changes: Partial<NewTask> = {}): NewTask {
  return { project: PROJECT, name, type: 'DI_REALTIME', settings: '{}', folder: '', creator: 'KEY', ...changes };
}

void test('a task comes back with who made it and when, and with what changed since', async () => {
  const folder = freshFolder();
  const store = open(folder);
  now = 2000;
  const id = await store.transaction((records) => records.insertTask(newTask('n', { folder: 'a/b' }), version()));
  const made: TaskRecord = {
    id,
    project: PROJECT,
    name: 'n',
    type: 'DI_REALTIME',
    settings: '{}',
    folder: 'a/b',
    sourceName: 's',
    sinkName: 't',
    route: 'oneclick_to_holo',
    initialLoad: 'all',
    creator: 'KEY',
    editor: 'KEY',
    starter: null,
    createdAt: 2000,
    editedAt: 2000,
    submittedAt: null,
    startedAt: null,
    finishedAt: null,
    state: 'SAVED',
    saved: 1,
    deployed: null,
    incarnation: null,
    startParam: null,
    ddlPolicies: null,
    failure: null,
  };
  const find = (from: Store) => from.transaction((records) => records.task(PROJECT, id));
  assert.deepEqual(await find(store), made);
  const change = {
    editor: 'OTHER',
    editedAt: 3000,
    submittedAt: 4000,
    startedAt: 5000,
    finishedAt: 6000,
    starter: 'THIRD',
    state: 'RUN',
    deployed: 1,
    incarnation: 'i',
    startParam: '{}',
    failure: { code: 'A.B', message: 'm', remedy: null },
  } as const;
  await store.transaction((records) => records.updateTask(id, change));
  await store.close();
  const again = open(folder);
  assert.deepEqual(await find(again), { ...made, ...change });
  assert.equal(await again.transaction((records) => records.content(id, 1)), '{"of":"version 1"}');
  const saved = (project: bigint, type: TaskType) =>
    again.transaction((records) => records.savedContent(project as ProjectId, type, id));
  const other = made.type === 'DI_REALTIME' ? 'DI_SOLUTION' : 'DI_REALTIME';
  assert.deepEqual(
    [await saved(made.project, made.type), await saved(made.project, other), await saved(1n, 'DI_REALTIME')],
    ['{"of":"version 1"}', null, null],
  );
  await again.close();
});

void test('a task is found by either data source, in its project, until it is deleted', async () => {
  const store = open();
  const insert = (task: NewTask, from: string, to: string) =>
    store.transaction((records) => records.insertTask(task, version(from, to)));
  const one = await insert(newTask('one'), 'shop', 'bi');
  await insert(newTask('foreign', { project: OTHER }), 'crm', 'lake');
  const using = (name: string) =>
    store.transaction(async (records) => (await records.taskUsing(PROJECT, name))?.id ?? null);
  assert.deepEqual([await using('shop'), await using('bi'), await using('crm')], [one, one, null]);
  await store.transaction((records) => records.deleteTask(one));
  assert.equal(await using('shop'), null);
  await store.close();
});

void test('running tasks are those of every project that are to run and are not deleted', async () => {
  const store = open();
  const insert = async (name: string, project: ProjectId, state: 'RUN' | 'PAUSE'): Promise<TaskId> =>
    store.transaction(async (records) => {
      const id = await records.insertTask(newTask(name, { project }), version());
      await records.updateTask(id, { state });
      return id;
    });
  const [a, b, c, d] = [
    await insert('a', PROJECT, 'RUN'),
    await insert('b', OTHER, 'RUN'),
    await insert('c', PROJECT, 'PAUSE'),
    await insert('d', PROJECT, 'RUN'),
  ];
  await store.transaction((records) => records.deleteTask(d));
  const ids = await store.transaction(async (records) => (await records.runningTasks()).map(({ id }) => id));
  assert.deepEqual(ids, [a, b]);
  const one = (id: TaskId) => store.transaction(async (records) => (await records.runningTask(id))?.id ?? null);
  assert.deepEqual([await one(b), await one(c), await one(d)], [b, null, null]);
  await store.close();
});

void test('tasks of the first shape of the store are found by their data sources and folder', async () => {
  const folder = freshFolder();
  const database = makeOldStore(folder, 1);
  const insert = database.prepare(
    "INSERT INTO task (project, name, type, settings, state, saved, created_at) VALUES (7, ?, 'DI_REALTIME', ?, 'SAVED', 2, 500)",
  );
  insert.run('old', '{"FileFolderPath":"Business Flow/x/"}');
  insert.run('odd', '{"FileFolderPath":7}');
  const insertVersion = database.prepare('INSERT INTO task_version VALUES (?, ?, ?, ?, ?, 500)');
  for (const task of [700_001, 700_002])
    for (const [number, name] of [
      [1, 'before'],
      [2, 'shop'],
    ] as const)
      insertVersion.run(
        task,
        number,
        JSON.stringify(version(name, 'bi').definition),
        '{}',
        '{"added":[],"removed":[]}',
      );
  database.close();
  const store = open(folder);
  const found = await store.transaction(async (records) => [
    await records.taskUsing(PROJECT, 'before'),
    await records.taskUsing(PROJECT, 'shop'),
    await records.taskNamed(PROJECT, 'odd'),
  ]);
  const told = found.map((task) => task && [task.name, task.folder, task.sinkName, task.creator, task.editedAt]);
  assert.deepEqual(told, [null, ['old', 'Business Flow/x', 'bi', null, 500], ['odd', '', 'bi', null, 500]]);
  await store.close();
});

void test('what lists, finds and reads tasks reads no definition, however many versions there are', async () => {
  const folder = freshFolder();
  const store = open(folder);
  const id = await store.transaction(async (records) => {
    const task = await records.insertTask(newTask('n', { folder: 'here' }), version('shop', 'bi'));
    await records.updateTask(task, { state: 'RUN', deployed: 1 });
    return task;
  });
  await store.close();
  const database = new DatabaseSync(join(folder, 'disync.db'));
  database.exec("UPDATE task_version SET definition = 'unreadable'");
  database.close();
  const again = open(folder);
  const found = await again.transaction(async (records) => [
    (await records.task(PROJECT, id))?.id,
    (await records.taskUsing(PROJECT, 'bi'))?.id,
    (await records.runningTasks())[0]?.id,
    (await records.runningTask(id))?.id,
    (await records.listTasks(PROJECT, { folder: 'here', sourceName: 'shop' }, { pageNumber: 1, pageSize: 1 })).rows[0]
      ?.id,
    await records.content(id, 1),
  ]);
  assert.deepEqual(found, [id, id, id, id, id, '{"of":"version 1"}']);
  await assert.rejects(again.transaction((records) => records.version(id, 1)));
  await again.close();
});
