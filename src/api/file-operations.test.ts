import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABSENT, query, send, textOf } from '../../test/support/api-clients.ts';
import { BIG_ID, FOREIGN_PROJECT, USER, openGateway, PROJECT } from '../../test/support/gateway-under-test.ts';
import type { JsonObject } from '../lib/json-value.ts';
import { TaskError } from '../tasks/task-error.ts';

const shared = await openGateway();
const CALLER = { project: PROJECT, user: USER };

/** The fake's file, as typed clients decode it. */
const FILE = {
  FileId: BIG_ID,
  FileName: 'rt',
  FileType: 900,
  TaskType: 'DI_REALTIME',
  UseType: 'NORMAL',
  NodeId: BIG_ID,
  CommitStatus: 0,
  CurrentVersion: 2,
  CreateTime: 1000,
  CreateUser: USER,
  Owner: USER,
  LastEditTime: 2000,
  LastEditUser: 'other',
  AbsoluteFolderPath: null,
  Content: null,
  FileDescription: null,
  FileFolderId: null,
  ConnectionName: null,
  BusinessId: null,
  BizId: null,
  ParentId: null,
  AutoParsing: null,
  IsMaxCompute: null,
};
const WORKED = { Success: true, HttpStatusCode: 200, ErrorCode: null, ErrorMessage: null };

async function call(action: string, parameters: Record<string, string> = {}): Promise<[number, JsonObject]> {
  shared.calls.length = 0;
  const answer = await send(shared.port, query(action, parameters));
  const { RequestId: _, ...body } = answer.body;
  return [answer.status, body];
}

test('files are listed in the shape that typed clients decode', async () => {
  const [, body] = await call('ListFiles', { NeedAbsoluteFolderPath: 'true', PageNumber: '2', PageSize: '5' });
  const Files = [{ ...FILE, AbsoluteFolderPath: 'Business Flow/a' }];
  assert.deepEqual(body, { ...WORKED, Data: { Files, PageNumber: 2, PageSize: 5, TotalCount: 12 } });
});

test('every filter of ListFiles reaches the tasks, and none is made up', async () => {
  const none = {
    types: null,
    folder: null,
    keyword: null,
    name: null,
    ids: null,
    node: null,
    creator: null,
    editor: null,
  };
  await call('ListFiles');
  const page = { pageNumber: 1, pageSize: 10 };
  assert.deepEqual(shared.calls[0]?.args, [CALLER, { filter: none, page, withContent: false }]);
  await call('ListFiles', {
    FileFolderPath: 'Business Flow/a/',
    FileTypes: '10, 23,900',
    Keyword: 'k',
    ExactFileName: 'n',
    FileIdIn: `${BIG_ID},7`,
    NodeId: '8',
    Owner: 'o',
    LastEditUser: 'e',
    UseType: 'NORMAL',
    NeedContent: 'true',
  });
  const filter = {
    types: ['DI_OFFLINE', 'DI_REALTIME', 'DI_SOLUTION'],
    folder: 'Business Flow/a',
    keyword: 'k',
    name: 'n',
    ids: [BIG_ID, 7n],
    node: 8n,
    creator: 'o',
    editor: 'e',
  };
  assert.deepEqual(shared.calls[0]?.args, [CALLER, { filter, page, withContent: true }]);
  for (const [name, text] of [
    ['UseType', 'MANUAL'],
    ['FileTypes', '10'],
  ] as const) {
    await call('ListFiles', { [name]: text });
    assert.deepEqual(shared.calls[0]?.args, [CALLER, { filter: { ...none, types: [] }, page, withContent: false }]);
  }
});

test('a file is read by its id or by its node, with folder and content', async () => {
  const [, body] = await call('GetFile');
  const File = { ...FILE, AbsoluteFolderPath: 'Business Flow/a', Content: '{}' };
  assert.deepEqual(body, { ...WORKED, Data: { File, NodeConfiguration: null } });
  assert.deepEqual(shared.calls, [{ method: 'file', args: [CALLER, { file: 100n, node: null }] }]);
  await call('GetFile', { FileId: ABSENT, NodeId: '7' });
  assert.deepEqual(shared.calls, [{ method: 'file', args: [CALLER, { file: null, node: 7n }] }]);
  const [status, { Code }] = await call('GetFile', { FileId: ABSENT });
  assert.deepEqual([status, Code, shared.calls], [400, 'MissingFileId', []]);
});

test('a file is deleted, or the answer says why not', async () => {
  assert.deepEqual(await call('DeleteFile'), [200, { ...WORKED, DeploymentId: null }]);
  assert.deepEqual(shared.calls, [{ method: 'deleteFile', args: [CALLER, 100n] }]);
  shared.failure = new TaskError('wrong-state', 'Task.WrongState', 'fileId:[100] is running');
  assert.deepEqual(await call('DeleteFile'), [
    200,
    {
      Success: false,
      HttpStatusCode: 400,
      ErrorCode: 'Task.WrongState',
      ErrorMessage: 'fileId:[100] is running.',
      DeploymentId: null,
    },
  ]);
});

test('a project is named by its id or its identifier, and one that the key does not open is refused alike', async () => {
  for (const action of ['ListFiles', 'GetFile', 'DeleteFile']) {
    const [worked] = await call(action, { ProjectId: ABSENT, ProjectIdentifier: 'ours' });
    assert.equal(worked, 200);
    assert.deepEqual(shared.calls[0], { method: 'projectNamed', args: ['ours', [PROJECT]] });
    assert.deepEqual(shared.calls[1]?.args[0], CALLER);
    const [status, { Code, Message }] = await call(action, { ProjectId: ABSENT, ProjectIdentifier: 'theirs' });
    const [, foreign] = await call(action, { ProjectId: String(FOREIGN_PROJECT) });
    assert.deepEqual([status, Code], [403, 'Forbidden.DI.NoPrivilege']);
    assert.equal(Message, foreign['Message']);
    const [none, missing] = await call(action, { ProjectId: ABSENT });
    assert.deepEqual([none, missing['Code'], shared.calls], [400, 'MissingProjectId', []]);
  }
});

test('tasks that use a data source are listed with the names of both ends', async () => {
  const [, body] = await call('ListRefDISyncTasks', { RefType: 'to', PageNumber: '100', PageSize: '20' });
  assert.deepEqual(body, {
    Success: true,
    Data: {
      DISyncTasks: [
        {
          NodeId: BIG_ID,
          NodeName: 'rt',
          TaskType: 'DI_REALTIME',
          DiSourceDatasource: '["shop"]',
          DiDestinationDatasource: '["bi"]',
        },
      ],
    },
  });
  const page = { pageNumber: 100, pageSize: 20 };
  assert.deepEqual(shared.calls[0]?.args, [CALLER, { taskType: 'DI_REALTIME', dataSource: 'shop', end: 'sink', page }]);
  const [status, refused] = await call('ListRefDISyncTasks', { PageNumber: '101' });
  assert.equal(status, 400);
  assert.match(textOf(refused['Message']), /PageNumber must be a whole number from 1 to 100\./);
});
