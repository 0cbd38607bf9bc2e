import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KEY_ID, openGateway, PROJECT, SECRET } from '../../test/support/gateway-under-test.ts';
import { parseJson } from '../lib/json.ts';
import { TaskError } from '../tasks/task-error.ts';
import { readPairs, runCall } from './call.ts';

const run = promisify(execFile);
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
  const refused = await runCall('GetDISyncTask', ['TaskType=x'], { ...options, check: false });
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

test('looks into the catalogue of the service before it sends', async () => {
  gateway.calls.length = 0;
  const says = async (action: string, pairs: readonly string[]) => {
    const { exit, stderr } = await runCall(action, pairs, options);
    assert.equal(exit, 2);
    return stderr.trim();
  };
  assert.equal(await says('getdisynctask', task), 'getdisynctask is no operation; is it GetDISyncTask?');
  assert.match(await says('Nonsense', task), /^Nonsense is no operation; there are CreateDataSource, /);
  assert.equal(
    await says('GetDISyncTask', ['ProjectId=1', 'FileID=2', 'TaskType=DI_REALTIME']),
    'FileId (the task) is missing\nGetDISyncTask has no parameter FileID; it has ProjectId, TaskType, FileId',
  );
  const version = await runCall('GetDISyncTask', task, { ...options, apiVersion: '2024-05-18' });
  assert.deepEqual([version.exit, version.stderr], [2, 'version 2024-05-18 is not served\n']);
  assert.deepEqual(gateway.calls, []);
});

test('prints the call for curl, which makes it', async () => {
  const content = `{"a":"it's $HOME"}`;
  const call = ['UpdateDISyncTask', [...task, `TaskContent=${content}`]] as const;
  for (const v1 of [false, true]) {
    const { exit, stdout } = await runCall(...call, { ...options, v1, print: 'curl' });
    assert.equal(exit, 0);
    assert.equal(stdout.includes(SECRET), false);
    gateway.calls.length = 0;
    // The words of the line as a shell takes them.
    const { stdout: words } = await run('sh', [
      '-c',
      `curl() { for word; do printf '%s\\0' "$word"; done; }; ${stdout}`,
    ]);
    const [, url = '', ...rest] = words.split('\0');
    const values = (flag: string) => rest.flatMap((word, at) => (word === flag ? [rest[at + 1] ?? ''] : []));
    const headers = values('-H').map((line) => line.split(': ') as [string, string]);
    const answer = await fetch(url, { method: 'POST', headers, body: values('--data-raw')[0] ?? '' });
    assert.equal(answer.status, 200);
    assert.equal((gateway.calls[0]?.args[1] as { taskContent: string } | undefined)?.taskContent, content);
  }
});

test("prints the call for the vendor's command line", async () => {
  const { stdout } = await runCall('GetDISyncTask', task, { ...options, print: 'aliyun' });
  assert.equal(
    stdout,
    `aliyun dataworks-public GetDISyncTask --version 2020-05-18 --force --method POST --region cn-shanghai --endpoint 127.0.0.1:${gateway.port} --insecure --ProjectId 10000 --TaskType DI_REALTIME --FileId 100\n`,
  );
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
