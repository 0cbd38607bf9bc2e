import type { Json, JsonObject } from '../lib/json-value.ts';
import {
  ALARM_CHANNELS,
  ALARM_METRICS,
  type AlarmCondition,
  type AlarmRule,
  type AlarmRuleSpec,
  type DdlKind,
  RECEIVER_TYPES,
  SEVERITIES,
} from '../tasks/alarm-rule.ts';
import type { AlarmRuleId } from '../tasks/ids.ts';
import type { Field } from './operation.ts';
import { choice, flag, id, optional, type ParameterValues, structure, text } from './parameter.ts';
import { line, listOf, maybe, objectOf, oneOf, required, whole } from './shape.ts';

const TEXT_LENGTH_MAX = 100_000;
const MUTE_MINUTES = 5;
const DAY_MINUTES = 1440;
const MINUTES = whole({ min: 1, max: DAY_MINUTES });
const SEVERITY = required(oneOf(SEVERITIES), 'severity');
/** The API's spellings. */
const DDL_TYPES: Readonly<Record<string, DdlKind>> = {
  CreateTable: 'CREATETABLE',
  DropTable: 'DROPTABLE',
  RenameTable: 'RENAMETABLE',
  TruncateTable: 'TRUNCATETABLE',
  AddColumn: 'ADDCOLUMN',
  DropColumn: 'DROPCOLUMN',
  RenameColumn: 'RENAMECOLUMN',
  ModifyColumn: 'MODIFYCOLUMN',
};
const DDL_LIST = listOf(oneOf(Object.keys(DDL_TYPES)), { min: 1, max: 20 });

const TRIGGER_CONDITIONS = listOf(
  objectOf({
    Severity: SEVERITY,
    Duration: maybe(
      MINUTES,
      'minutes',
      'Heartbeat, Delay: how long it must hold, at once without it; FailoverCount: minutes that are counted over, needed; DdlReport: ignored',
    ),
    Threshold: maybe(
      whole({ min: 1, max: 1_000_000_000 }),
      'limit: told of when it is reached',
      'FailoverCount: a count, Delay: seconds; needed there, ignored elsewhere',
    ),
    DdlTypes: maybe(DDL_LIST, 'kinds of DDL', 'of the newer version; DdlReport: without it every kind'),
    DdlReportTags: maybe(DDL_LIST, 'the same, older', 'of the newer version; DdlTypes win'),
  }),
  { min: 1, max: 10 },
);

const NOTIFICATION_SETTINGS = objectOf({
  InhibitionInterval: maybe(MINUTES, 'quiet minutes after a notification', 'default 5'),
  MuteInterval: maybe(MINUTES, 'the same', 'of the newer version; wins'),
  NotificationChannels: required(
    listOf(
      objectOf({
        Severity: SEVERITY,
        Channels: required(listOf(oneOf(ALARM_CHANNELS), { min: 1, max: 10 }), 'channels'),
      }),
      { min: 1, max: 10 },
    ),
    'channels of each severity',
    'Ding and Webhook are served, see docs/alarms.md; Mail, Phone and Sms are accepted and shown, ignored: nothing is delivered',
  ),
  NotificationReceivers: required(
    listOf(
      objectOf({
        ReceiverType: required(
          oneOf(RECEIVER_TYPES),
          'kind of receiver',
          'WebHookUrl and FeishuToken are of the newer version',
        ),
        ReceiverValues: required(
          listOf(line({ maxLength: 2000 }), { min: 1, max: 20 }),
          'account ids; tokens, or whole URLs, of robots; URLs',
          'tokens and URLs are stored sealed, and shown by their last four characters',
        ),
      }),
      { min: 1, max: 10 },
    ),
    'who is told',
  ),
});

/** A rule, but for its task or its id. */
export const RULE_PARAMETERS = {
  Description: optional(text({ meaning: 'free text', maxLength: 2000, lines: true })),
  Enabled: optional(flag({ meaning: 'whether it is watched', note: 'default false' })),
  MetricType: choice({
    meaning: 'what is watched',
    values: ALARM_METRICS,
    note: 'DdlReport is of the newer version',
  }),
  NotificationSettings: structure({
    meaning: 'who is told, how, how often',
    shape: NOTIFICATION_SETTINGS,
    maxLength: TEXT_LENGTH_MAX,
    secret: true,
  }),
  TriggerConditions: structure({ meaning: 'limits', shape: TRIGGER_CONDITIONS, maxLength: TEXT_LENGTH_MAX }),
};

export const alarmRuleId = id<AlarmRuleId>({ meaning: 'the rule' });

export function ruleSpecOf(values: ParameterValues<typeof RULE_PARAMETERS>): AlarmRuleSpec {
  const { Description, Enabled, MetricType, NotificationSettings: settings, TriggerConditions } = values;
  return {
    description: Description,
    enabled: Enabled ?? false,
    metric: MetricType,
    conditions: TriggerConditions.map(({ Severity, Duration, Threshold, DdlTypes, DdlReportTags }) => ({
      severity: Severity,
      durationMinutes: Duration,
      threshold: Threshold,
      ddl: (DdlTypes ?? DdlReportTags)?.flatMap((type) => DDL_TYPES[type] ?? []) ?? null,
    })),
    muteMinutes: settings.MuteInterval ?? settings.InhibitionInterval ?? MUTE_MINUTES,
    channels: settings.NotificationChannels.map(({ Severity, Channels }) => ({
      severity: Severity,
      channels: Channels,
    })),
    receivers: settings.NotificationReceivers.map(({ ReceiverType, ReceiverValues }) => ({
      type: ReceiverType,
      values: ReceiverValues,
    })),
  };
}

const CHANNEL_FIELDS: readonly Field[] = [
  { name: 'Severity', type: 'string', meaning: 'Warning or Critical' },
  { name: 'Channels', type: 'list', meaning: 'names of channels' },
];
const RECEIVER_FIELDS: readonly Field[] = [
  { name: 'ReceiverType', type: 'string', meaning: 'AliyunUid, DingToken, FeishuToken or WebHookUrl' },
  { name: 'ReceiverValues', type: 'list', meaning: 'texts; secrets as *** and their last four characters' },
];

/** What is shown of a rule, in a list too. */
export const RULE_FIELDS: readonly Field[] = [
  { name: 'DIAlarmRuleId', type: 'long', meaning: 'the rule' },
  { name: 'DIJobId', type: 'long', meaning: 'the job, which is a task' },
  { name: 'Description', type: 'string', meaning: 'free text' },
  { name: 'Enabled', type: 'boolean', meaning: 'whether it is watched' },
  { name: 'MetricType', type: 'string', meaning: 'what is watched' },
  {
    name: 'NotificationSettings',
    type: 'object',
    meaning: 'who is told, how, how often',
    fields: [
      { name: 'InhibitionInterval', type: 'integer', meaning: 'quiet minutes after a notification' },
      { name: 'MuteInterval', type: 'integer', meaning: 'the same, as the newer version calls it' },
      { name: 'NotificationChannels', type: 'list', meaning: 'channels of each severity', fields: CHANNEL_FIELDS },
      { name: 'NotificationReceivers', type: 'list', meaning: 'who is told', fields: RECEIVER_FIELDS },
    ],
  },
  {
    name: 'TriggerConditions',
    type: 'list',
    meaning: 'limits; keys that were not given are left out',
    fields: [
      { name: 'Severity', type: 'string', meaning: 'Warning or Critical' },
      { name: 'Duration', type: 'long', meaning: 'minutes' },
      { name: 'Threshold', type: 'long', meaning: 'a count, or seconds' },
      { name: 'DdlTypes', type: 'list', meaning: 'kinds of DDL' },
    ],
  },
];

export function describeRule(rule: AlarmRule): JsonObject {
  return {
    DIAlarmRuleId: rule.id,
    DIJobId: rule.task,
    Description: rule.description,
    Enabled: rule.enabled,
    MetricType: rule.metric,
    NotificationSettings: {
      InhibitionInterval: rule.muteMinutes,
      MuteInterval: rule.muteMinutes,
      NotificationChannels: rule.channels.map(({ severity, channels }) => ({
        Severity: severity,
        Channels: [...channels],
      })),
      NotificationReceivers: rule.receivers.map(({ type, values }) => ({
        ReceiverType: type,
        ReceiverValues: [...values],
      })),
    },
    TriggerConditions: rule.conditions.map(describeCondition),
  };
}

function describeCondition({ severity, durationMinutes, threshold, ddl }: AlarmCondition): JsonObject {
  const shown: Record<string, Json> = { Severity: severity };
  if (durationMinutes !== null) shown['Duration'] = durationMinutes;
  if (threshold !== null) shown['Threshold'] = threshold;
  if (ddl !== null)
    shown['DdlTypes'] = Object.keys(DDL_TYPES).filter((type) => ddl.some((kind) => kind === DDL_TYPES[type]));
  return shown;
}
