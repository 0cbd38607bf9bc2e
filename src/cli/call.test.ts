import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KEY_ID, openGateway, PROJECT, SECRET } from '../../test/support/gateway-under-test.ts';
import { parseJson } from '../lib/json.ts';
import { TaskError } from '../tasks/task-error.ts';
import { readPairs, runCall } from './call.ts';

const folder = mkdtempSync(join(tmpdir(), 'disync-call-'));
after(() => rmSync(folder, { recursive: true }));
const gateway = await openGateway();

const options = {
  endpoint: `127.0.0.1:${gateway.port}`,
  accessKeyId: KEY_ID,
  accessKeySecret: SECRET,
  apiVersion: '2020-05-18',
};
const task = [`ProjectId=${PROJECT}`, 'TaskType=DI_REALTIME', 'FileId=100'];

for (const v1 of [false, true]) {
  test(`calls an operation, signed with ${v1 ? 'V1' : 'V3'}, and prints the answer`, async () => {
    const { exit, stdout, stderr } = await runCall('GetDISyncTask', task, { ...options, v1 });
    assert.deepEqual([exit, stderr], [0, '']);
    const { RequestId: _, ...answer } = parseJson(stdout) as Record<string, unknown>;
    assert.deepEqual(answer, {
      Success: true,
      Data: { Status: 'success', Message: null, Code: '{"type":"job"}', SolutionDetail: null, AlarmList: [] },
    });
  });
}

test('sends the text of a file, however odd or long', async () => {
  const text = JSON.stringify({ name: "a b+c*d~e/中文\n'()!", filler: 'x'.repeat(1_000_000) });
  writeFileSync(join(folder, 'content.json'), text);
  gateway.calls.length = 0;
  const { exit } = await runCall(
    'UpdateDISyncTask',
    [...task, `TaskContent=@${join(folder, 'content.json')}`],
    options,
  );
  assert.equal(exit, 0);
  const [call] = gateway.calls;
  const given = { taskType: 'DI_REALTIME', task: 100n, taskContent: text, taskParam: null };
  assert.deepEqual(call?.args[1], given);
});

test('says with its exit status what became of the call', async () => {
  const refused = await runCall('GetDISyncTask', ['TaskType=x'], options);
  assert.equal(refused.exit, 4);
  assert.match(refused.stdout, /MissingProjectId/);
  gateway.failure = new TaskError('not-found', 'Task.NotFound', 'fileId:[100] is invalid.');
  assert.equal((await runCall('GetDISyncTask', task, options)).exit, 4);
  gateway.failure = new Error('a defect');
  assert.equal((await runCall('GetDISyncTask', task, options)).exit, 1);
  const unreachable = await runCall('GetDISyncTask', task, { ...options, endpoint: '127.0.0.1:1' });
  assert.equal(unreachable.exit, 1);
  assert.match(unreachable.stderr, /no answer from http:\/\/127\.0\.0\.1:1: /);
  for (const wrong of [['FileId'], ['=1'], ['a=1', 'a=2'], ['a=@/does/not/exist']]) {
    assert.equal((await runCall('GetDISyncTask', wrong, options)).exit, 2, wrong[0]);
  }
  assert.equal((await runCall('GetDISyncTask', task, { ...options, endpoint: 'http://x/y' })).exit, 2);
});

test('takes a value that begins with @ when it is doubled', () => {
  assert.deepEqual(
    [...readPairs(['a=@@b', 'c=d=e', 'f='])],
    [
      ['a', '@b'],
      ['c', 'd=e'],
      ['f', ''],
    ],
  );
});
