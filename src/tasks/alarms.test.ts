import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLER, is, REACH, Scene } from '../../test/support/task-scene.ts';
import type { AlarmRuleSpec } from './alarm-rule.ts';
import type { AlarmRuleId, ProjectId, TaskId } from './ids.ts';

const FOREIGN = { user: 'STRANGER', projects: [1n as ProjectId] };
const TOKEN = '0123456789abcdef0123456789abcdef';
const URL = 'https://hooks.example/T00/secret-path';
const PAGE = { pageNumber: 1, pageSize: 10 };

function spec(changes: Partial<AlarmRuleSpec> = {}): AlarmRuleSpec {
  return {
    description: 'late',
    enabled: true,
    metric: 'Delay',
    conditions: [{ severity: 'Warning', durationMinutes: 3, threshold: 60, ddl: null }],
    muteMinutes: 5,
    channels: [{ severity: 'Warning', channels: ['Ding', 'Mail'] }],
    receivers: [
      { type: 'DingToken', values: [TOKEN] },
      { type: 'WebHookUrl', values: [URL] },
      { type: 'AliyunUid', values: ['1822931104031845'] },
    ],
    ...changes,
  };
}

const SHOWN = [
  { type: 'DingToken', values: ['***cdef'] },
  { type: 'WebHookUrl', values: ['***path'] },
  { type: 'AliyunUid', values: ['1822931104031845'] },
];

test('a rule is kept with its task, is shown without its secrets, and is there after a restart', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  scene.clock.time = 5000;
  const id = await scene.created.alarms.create(REACH, { task, spec: spec() });
  await scene.restart();
  const rule = await scene.created.alarms.get(REACH, id);
  const made = { id, task, creator: 'KEY', editor: 'KEY', createdAt: 5000, editedAt: 5000 };
  assert.deepEqual(rule, { ...spec({ receivers: SHOWN as never }), ...made });
  assert.deepEqual(await scene.created.alarms.list(REACH, { task, page: PAGE }), { rows: [rule], total: 1 });
  assert.deepEqual(await scene.created.alarms.ofTask(CALLER, task), [rule]);
  const stored = await scene.store.transaction((records) => records.alarms.rule(id));
  assert.deepEqual(stored?.receivers, spec().receivers);
});

test('an update replaces the whole rule', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  const id = await scene.created.alarms.create(REACH, { task, spec: spec() });
  const { createdAt } = await scene.created.alarms.get(REACH, id);
  scene.clock.time = createdAt + 9000;
  const next = spec({
    description: null,
    enabled: false,
    metric: 'Heartbeat',
    conditions: [{ severity: 'Critical', durationMinutes: null, threshold: null, ddl: null }],
    channels: [{ severity: 'Critical', channels: ['Webhook'] }],
    receivers: [{ type: 'WebHookUrl', values: ['http://127.0.0.1:1/x'] }],
  });
  await scene.created.alarms.update({ ...REACH, user: 'OTHER' }, { rule: id, spec: next });
  const receivers = [{ type: 'WebHookUrl' as const, values: ['***:1/x'] }];
  const made = { id, task, creator: 'KEY', editor: 'OTHER', createdAt, editedAt: createdAt + 9000 };
  assert.deepEqual(await scene.created.alarms.get(REACH, id), { ...next, receivers, ...made });
});

test('rules are listed in pages, newest first, of one task alone', async () => {
  const scene = await Scene.make();
  const [one, other] = [await scene.create(['a']), await scene.create(['b'], 'other')];
  const { alarms } = scene.created;
  const ids: AlarmRuleId[] = [];
  for (const task of [one, one, other, one]) ids.push(await alarms.create(REACH, { task, spec: spec() }));
  const page = async (task: TaskId, pageNumber: number) => {
    const { rows, total } = await alarms.list(REACH, { task, page: { pageNumber, pageSize: 2 } });
    return [rows.map(({ id }) => id), total];
  };
  assert.deepEqual(await page(one, 1), [[ids[3], ids[1]], 3]);
  assert.deepEqual(await page(one, 2), [[ids[0]], 3]);
  assert.deepEqual(await page(other, 1), [[ids[2]], 1]);
  await alarms.delete(REACH, ids[1] as AlarmRuleId);
  assert.deepEqual(await page(one, 1), [[ids[3], ids[0]], 2]);
});

test('a task takes its rules with it', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  const id = await scene.created.alarms.create(REACH, { task, spec: spec() });
  await scene.delete(task);
  assert.equal(await scene.store.transaction((records) => records.alarms.rule(id)), null);
  await assert.rejects(scene.created.alarms.get(REACH, id), is('not-found', /^DIAlarmRuleId:\[\d+\] is invalid\.$/));
});

test('what is foreign is answered like what is nowhere', async () => {
  const scene = await Scene.make();
  const task = await scene.create(['a']);
  const { alarms } = scene.created;
  const rule = await alarms.create(REACH, { task, spec: spec() });
  const messages = async (calls: readonly Promise<unknown>[]) => {
    const settled = await Promise.allSettled(calls);
    return settled.map((one) => (one.status === 'rejected' ? String((one.reason as Error).message) : 'answered'));
  };
  const calls = (reach: typeof REACH, ofTask: TaskId, ofRule: AlarmRuleId) =>
    messages([
      alarms.create(reach, { task: ofTask, spec: spec() }),
      alarms.list(reach, { task: ofTask, page: PAGE }),
      alarms.get(reach, ofRule),
      alarms.update(reach, { rule: ofRule, spec: spec() }),
      alarms.delete(reach, ofRule),
    ]);
  const refusals = (ofTask: bigint, ofRule: bigint) => [
    ...Array<string>(2).fill(`DIJobId:[${ofTask}] is invalid.`),
    ...Array<string>(3).fill(`DIAlarmRuleId:[${ofRule}] is invalid.`),
  ];
  assert.deepEqual(await calls(FOREIGN, task, rule), refusals(task, rule));
  assert.deepEqual(await calls(REACH, 4711n as TaskId, 4712n as AlarmRuleId), refusals(4711n, 4712n));
  assert.deepEqual(await alarms.ofTask({ ...CALLER, project: 1n as ProjectId }, task), []);
  assert.equal((await alarms.list(REACH, { task, page: PAGE })).total, 1);
});

const condition = { severity: 'Warning', durationMinutes: 3, threshold: 60, ddl: null } as const;
const webhook = (value: string) => ({
  channels: [{ severity: 'Warning', channels: ['Webhook'] }] as const,
  receivers: [{ type: 'WebHookUrl', values: [value] }] as const,
});
const WRONG: readonly (readonly [string, Partial<AlarmRuleSpec>, RegExp])[] = [
  ['a delay without a limit', { conditions: [{ ...condition, threshold: null }] }, /\[1\]\.Threshold is missing/],
  [
    'failovers that are not counted over a time',
    { metric: 'FailoverCount', conditions: [{ ...condition, durationMinutes: null }] },
    /\[1\]\.Duration is missing/,
  ],
  [
    'a severity that nobody is told of',
    { conditions: [condition, { ...condition, severity: 'Critical' }] },
    /TriggerConditions\[2\]\.Severity: .* no channel with a receiver for Critical/,
  ],
  [
    'a channel without a receiver',
    {
      channels: [{ severity: 'Warning', channels: ['Ding', 'Sms'] }],
      receivers: [{ type: 'DingToken', values: ['t'] }],
    },
    /the channel Sms has no receiver; it needs AliyunUid\./,
  ],
  [
    'a mask for a token',
    {
      channels: [{ severity: 'Warning', channels: ['Ding'] }],
      receivers: [{ type: 'DingToken', values: ['***cdef'] }],
    },
    /is a mask/,
  ],
  ['a webhook that is no URL', webhook('hooks'), /WebHookUrl must be a URL of http or https/],
  ['a webhook of another protocol', webhook('file:///etc/passwd'), /must be a URL of http or https/],
  ['a webhook with a password', webhook('https://u:p@hooks.example/'), /must hold no user and password/],
];

for (const [what, changes, message] of WRONG)
  test(`refuses ${what}`, async () => {
    const scene = await Scene.make();
    const task = await scene.create(['a']);
    await assert.rejects(scene.created.alarms.create(REACH, { task, spec: spec(changes) }), is('invalid', message));
    assert.deepEqual((await scene.created.alarms.list(REACH, { task, page: PAGE })).total, 0);
  });
