import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiClient, popCoreClient, query, send, textOf } from '../../test/support/api-clients.ts';
import { ALARM_RULE, BIG_ID, KEY_ID, openGateway, PROJECT, USER } from '../../test/support/gateway-under-test.ts';
import type { JsonObject } from '../lib/json-value.ts';
import { TaskError } from '../tasks/task-error.ts';

const shared = await openGateway();
const REACH = { projects: [PROJECT], user: USER };
const TOKEN = '0123456789abcdef';

const SETTINGS = {
  InhibitionInterval: 15,
  NotificationChannels: [{ Severity: 'Warning', Channels: ['Mail', 'Ding'] }],
  NotificationReceivers: [
    { ReceiverType: 'DingToken', ReceiverValues: [TOKEN] },
    { ReceiverType: 'AliyunUid', ReceiverValues: ['1822931104031845'] },
  ],
};
const CONDITIONS = [{ Severity: 'Warning', Duration: 3, Threshold: 60 }];
const GIVEN = {
  Description: 'late',
  Enabled: 'true',
  MetricType: 'Delay',
  NotificationSettings: JSON.stringify(SETTINGS),
  TriggerConditions: JSON.stringify(CONDITIONS),
};
const SPEC = {
  description: 'late',
  enabled: true,
  metric: 'Delay',
  conditions: [{ severity: 'Warning', durationMinutes: 3, threshold: 60, ddl: null }],
  muteMinutes: 15,
  channels: [{ severity: 'Warning', channels: ['Mail', 'Ding'] }],
  receivers: [
    { type: 'DingToken', values: [TOKEN] },
    { type: 'AliyunUid', values: ['1822931104031845'] },
  ],
};
const SHOWN = {
  DIAlarmRuleId: BIG_ID,
  DIJobId: BIG_ID,
  Description: 'late',
  Enabled: true,
  MetricType: 'Delay',
  NotificationSettings: {
    InhibitionInterval: 15,
    MuteInterval: 15,
    NotificationChannels: [{ Severity: 'Warning', Channels: ['Ding'] }],
    NotificationReceivers: [{ ReceiverType: 'DingToken', ReceiverValues: ['***abcd'] }],
  },
  TriggerConditions: [{ Severity: 'Warning', Duration: 3, Threshold: 60 }],
};

async function body(action: string, parameters: Record<string, string> = {}): Promise<JsonObject> {
  const { RequestId: _, ...rest } = (await send(shared.port, query(action, parameters))).body;
  return rest;
}

/** What reaches the alarms for this call. */
async function called(action: string, parameters: Record<string, string>): Promise<unknown> {
  shared.calls.length = 0;
  await body(action, parameters);
  return shared.calls;
}

test('a rule reaches the alarms whatever client sends it', async () => {
  const call = [{ method: 'createAlarmRule', args: [REACH, { task: 7n, spec: SPEC }] }];
  for (const client of [openApiClient(shared.port, 'v3'), popCoreClient(shared.port, 'POST')]) {
    shared.calls.length = 0;
    const answer = await client('CreateDIAlarmRule', { DIJobId: '7', ...GIVEN });
    assert.deepEqual(Object.keys(answer).toSorted(), ['DIAlarmRuleId', 'RequestId']);
    assert.deepEqual(shared.calls, call);
  }
});

test('an update gives every field again, and what is left out has its default', async () => {
  const { Description: _, Enabled: __, ...rest } = GIVEN;
  const NotificationSettings = JSON.stringify({ ...SETTINGS, InhibitionInterval: undefined });
  const spec = { ...SPEC, description: null, enabled: false, muteMinutes: 5 };
  assert.deepEqual(await called('UpdateDIAlarmRule', { DIAlarmRuleId: '9', ...rest, NotificationSettings }), [
    { method: 'updateAlarmRule', args: [REACH, { rule: 9n, spec }] },
  ]);
});

test('names of the newer version are taken too', async () => {
  const sent = {
    MetricType: 'DdlReport',
    TriggerConditions: JSON.stringify([
      { Severity: 'Critical', DdlTypes: ['AddColumn', 'DropTable'] },
      { Severity: 'Critical', DdlReportTags: ['RenameColumn'] },
    ]),
    NotificationSettings: JSON.stringify({
      MuteInterval: '30',
      NotificationChannels: [{ Severity: 'Critical', Channels: ['Webhook'] }],
      NotificationReceivers: [{ ReceiverType: 'WebHookUrl', ReceiverValues: ['https://hooks.example/a'] }],
    }),
  };
  const condition = { severity: 'Critical', durationMinutes: null, threshold: null };
  const spec = {
    description: null,
    enabled: false,
    metric: 'DdlReport',
    conditions: [
      { ...condition, ddl: ['ADDCOLUMN', 'DROPTABLE'] },
      { ...condition, ddl: ['RENAMECOLUMN'] },
    ],
    muteMinutes: 30,
    channels: [{ severity: 'Critical', channels: ['Webhook'] }],
    receivers: [{ type: 'WebHookUrl', values: ['https://hooks.example/a'] }],
  };
  assert.deepEqual(await called('CreateDIAlarmRule', { DIJobId: '7', Description: '', ...sent }), [
    { method: 'createAlarmRule', args: [REACH, { task: 7n, spec }] },
  ]);
});

test('a rule is shown whole, alone and in a page', async () => {
  assert.deepEqual(await body('GetDIAlarmRule'), {
    DIAlarmRule: {
      ...SHOWN,
      CreatedTime: 1663573162,
      CreatedUid: KEY_ID,
      UpdatedTime: 1663573163,
      UpdatedUid: 'other',
    },
  });
  const parameters = { DIJobId: '7', PageNumber: '2', PageSize: '5' };
  assert.deepEqual(await body('ListDIAlarmRules', parameters), {
    DIAlarmRulePaging: { DIJobAlarmRules: [SHOWN], PageNumber: 2, PageSize: 5, TotalCount: 12 },
  });
  assert.deepEqual(await called('ListDIAlarmRules', { DIJobId: '7' }), [
    { method: 'listAlarmRules', args: [REACH, { task: 7n, page: { pageNumber: 1, pageSize: 10 } }] },
  ]);
  assert.deepEqual(await body('DeleteDIAlarmRule'), {});
});

test('a task shows its rules in the older form', async () => {
  const under = await openGateway();
  under.alarmRules = [
    ALARM_RULE,
    {
      ...ALARM_RULE,
      metric: 'Heartbeat',
      conditions: [{ severity: 'Critical', durationMinutes: null, threshold: null, ddl: null }],
      channels: [{ severity: 'Critical', channels: ['Webhook'] }],
      receivers: [{ type: 'WebHookUrl', values: ['***path'] }],
    },
  ];
  const { body: answer } = await send(under.port, query('GetDISyncTask'));
  const same = { Id: BIG_ID, Description: 'late', Enabled: true };
  assert.deepEqual((answer['Data'] as JsonObject)['AlarmList'], [
    {
      ...same,
      RuleName: `Delay ${BIG_ID}`,
      Metric: 'bizDelay',
      AlarmRuleList: [{ Level: 'WARNING', Threshold: 60, Duration: 3, Aggregator: 'max', Comparator: '>' }],
      NotifyRule: { Warning: ['***abcd'], Critical: [], Interval: 15 },
    },
    {
      ...same,
      RuleName: `Heartbeat ${BIG_ID}`,
      Metric: 'taskStatus',
      AlarmRuleList: [{ Level: 'CRITICAL', Threshold: 1, Duration: 0, Aggregator: 'max', Comparator: '=' }],
      NotifyRule: { Warning: [], Critical: ['***path'], Interval: 15 },
    },
  ]);
});

test('a value that is none is refused with its place, before anything is asked', async () => {
  const wrong = async (parameters: Record<string, string>) => {
    shared.calls.length = 0;
    const answer = await send(shared.port, query('CreateDIAlarmRule', { ...GIVEN, ...parameters }));
    assert.deepEqual([answer.status, answer.body['Code'], shared.calls], [400, 'Invalid.DI.Parameter', []]);
    return textOf(answer.body['Message']);
  };
  const settings = (changes: object) => ({ NotificationSettings: JSON.stringify({ ...SETTINGS, ...changes }) });
  const conditions = (changes: object) => ({
    TriggerConditions: JSON.stringify([{ ...CONDITIONS[0], ...changes }]),
  });
  for (const [parameters, message] of [
    [{ MetricType: 'Throughput' }, /MetricType must be one of Heartbeat/],
    [{ TriggerConditions: '[]' }, /TriggerConditions must be a list of 1 to 10/],
    [conditions({ Severity: 'Fatal' }), /TriggerConditions\[1\]\.Severity must be one of Warning, Critical/],
    [conditions({ Duration: 0 }), /TriggerConditions\[1\]\.Duration must be a whole number from 1 to 1440/],
    [conditions({ Threshold: -1 }), /TriggerConditions\[1\]\.Threshold must be a whole number from 1/],
    [conditions({ DdlTypes: ['Grant'] }), /TriggerConditions\[1\]\.DdlTypes\[1\] must be one of CreateTable/],
    [settings({ InhibitionInterval: 1441 }), /InhibitionInterval must be a whole number from 1 to 1440/],
    [settings({ NotificationReceivers: [] }), /NotificationReceivers must be a list of 1 to 10/],
    [
      settings({ NotificationReceivers: [{ ReceiverType: 'Fax', ReceiverValues: ['x'] }] }),
      /ReceiverType must be one of AliyunUid, DingToken, FeishuToken, WebHookUrl/,
    ],
  ] as const)
    assert.match(await wrong(parameters), message);
});

test('a rule that is not there is refused, not answered', async () => {
  shared.failure = new TaskError('not-found', 'Alarm.NotFound', 'DIAlarmRuleId:[9] is invalid.');
  const answer = await send(shared.port, query('GetDIAlarmRule', { DIAlarmRuleId: '9' }));
  assert.deepEqual(
    [answer.status, answer.body['Code'], answer.body['Message']],
    [400, 'Invalid.DI.Parameter', 'The parameter is invalid. DIAlarmRuleId:[9] is invalid.'],
  );
});

test('the audit trail has no receiver', async () => {
  const under = await openGateway();
  await send(under.port, query('CreateDIAlarmRule', GIVEN));
  assert.equal(under.audited[0]?.parameters?.['NotificationSettings'], '***');
  assert.ok(!JSON.stringify(under.audited[0]?.parameters).includes(TOKEN));
});
