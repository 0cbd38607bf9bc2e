import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AuditedCall } from '../tasks/audit.ts';
import { CallFile } from './call-file.ts';

const CLOCK = { now: () => 0 };
const DURABLE = { durable: true };
const CALL: AuditedCall = {
  at: 1_767_225_600_123,
  requestId: 'R',
  action: 'StopDIJob',
  version: '2020-05-18',
  access: 'write',
  accessKeyId: 'KEY',
  user: 'ann',
  from: '127.0.0.1',
  userAgent: 'x',
  status: 200,
  code: null,
  ms: 1,
  parameters: {},
};

function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'disync-calls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function named(requestId: string): AuditedCall {
  return { ...CALL, requestId };
}

function ids(calls: CallFile): string[] {
  return [...calls.entries()].map(({ call }) => call.requestId);
}

void test('those that wait for the disk while it is busy share the next sync; the others wait for none', async (t) => {
  const syncs: (() => void)[] = [];
  const calls = new CallFile(freshFolder(t), CLOCK, () => new Promise((resolve) => syncs.push(resolve)));
  const done: string[] = [];
  const append = (id: string, durable: boolean) => calls.append(named(id), { durable }).then(() => done.push(id));
  const first = append('first', true);
  await append('read', false);
  const waiting = [append('second', true), append('third', true)];
  await append('last', false);
  assert.deepEqual([done, syncs.length], [['read', 'last'], 1]);
  syncs[0]?.();
  await first;
  while (syncs.length < 2) await new Promise(setImmediate);
  assert.deepEqual(done, ['read', 'last', 'first']);
  syncs[1]?.();
  await Promise.all(waiting);
  assert.deepEqual([done, syncs.length], [['read', 'last', 'first', 'second', 'third'], 2]);
  const closed = calls.close();
  while (syncs.length < 3) await new Promise(setImmediate);
  syncs[2]?.();
  await closed;
});

void test('after a sync that failed nothing is called durable before the log was moved into its file', async (t) => {
  const folder = freshFolder(t);
  let failures = 1;
  let syncs = 0;
  const calls = new CallFile(folder, CLOCK, async () => {
    syncs += 1;
    if (failures-- > 0) throw new Error('the disk failed');
  });
  await assert.rejects(calls.append(named('lost?'), DURABLE), /the disk failed/);
  await calls.append(named('whole'), DURABLE);
  assert.deepEqual([ids(calls), syncs], [['lost?', 'whole'], 1]);
  await calls.append(named('synced'), DURABLE);
  assert.equal(syncs, 2);
  await calls.close();
});

void test('a file that is closed twice, while others wait for the disk, is closed once, and nobody waits for ever', async (t) => {
  const syncs: (() => void)[] = [];
  const calls = new CallFile(freshFolder(t), CLOCK, () => new Promise((resolve) => syncs.push(resolve)));
  const first = calls.append(named('first'), DURABLE);
  while (syncs.length < 1) await new Promise(setImmediate);
  const closed = [calls.close(), calls.close()];
  const late = calls.append(named('late'), DURABLE);
  for (let round = 0; round < 20; round += 1) {
    for (const finish of syncs.splice(0)) finish();
    await new Promise(setImmediate);
  }
  await Promise.all([first, late, ...closed]);
  await assert.rejects(calls.append(named('after'), DURABLE), /not open/);
  assert.throws(() => calls.noteNonce('K', 'n', 1), /not open/);
});

void test('who comes while the last sync is under way is in the trail, and the process goes on', async (t) => {
  const folder = freshFolder(t);
  const syncs: (() => void)[] = [];
  const calls = new CallFile(folder, CLOCK, () => new Promise((resolve) => syncs.push(resolve)));
  const first = calls.append(named('first'), DURABLE);
  while (syncs.length < 1) await new Promise(setImmediate);
  syncs.shift()?.();
  await first;
  const closed = calls.close();
  while (syncs.length < 1) await new Promise(setImmediate);
  syncs.shift()?.();
  const late = calls.append(named('late'), { durable: false });
  await Promise.all([closed, late]);
  const again = new CallFile(folder, CLOCK);
  assert.deepEqual(ids(again), ['first', 'late']);
  await again.close();
});
