import type { DdlKind } from '../pipeline/policies.ts';
import type { AlarmRuleId, TaskId } from './ids.ts';
import { TaskError } from './task-error.ts';

export type { DdlKind };

export const ALARM_METRICS = ['Heartbeat', 'FailoverCount', 'Delay', 'DdlReport'] as const;
export type AlarmMetric = (typeof ALARM_METRICS)[number];

export const SEVERITIES = ['Warning', 'Critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const ALARM_CHANNELS = ['Mail', 'Phone', 'Sms', 'Ding', 'Webhook'] as const;
export type AlarmChannel = (typeof ALARM_CHANNELS)[number];

export const RECEIVER_TYPES = ['AliyunUid', 'DingToken', 'FeishuToken', 'WebHookUrl'] as const;
export type ReceiverType = (typeof RECEIVER_TYPES)[number];

/** When a rule is to be told of. */
export interface AlarmCondition {
  readonly severity: Severity;
  /** Delay, Heartbeat: how long it must hold; FailoverCount: the time that is counted over. Null: at once. */
  readonly durationMinutes: number | null;
  /** FailoverCount: failovers; Delay: seconds. Null, and not looked at, for the others. */
  readonly threshold: number | null;
  /** DdlReport: of which kinds; null is every kind. */
  readonly ddl: readonly DdlKind[] | null;
}

export interface AlarmReceivers {
  readonly type: ReceiverType;
  /** Account ids; tokens or whole URLs of robots; URLs. All but the first are secrets. */
  readonly values: readonly string[];
}

/** What a user says of a rule. */
export interface AlarmRuleSpec {
  readonly description: string | null;
  readonly enabled: boolean;
  readonly metric: AlarmMetric;
  readonly conditions: readonly AlarmCondition[];
  /** How long a condition of the rule is quiet after it was told of. */
  readonly muteMinutes: number;
  readonly channels: readonly { readonly severity: Severity; readonly channels: readonly AlarmChannel[] }[];
  readonly receivers: readonly AlarmReceivers[];
}

export interface AlarmRule extends AlarmRuleSpec {
  readonly id: AlarmRuleId;
  readonly task: TaskId;
  /** Users. */
  readonly creator: string;
  readonly editor: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly editedAt: number;
}

/** By which channels each kind of receiver is reached: a webhook and Feishu also by Ding, because the API has no channel for them. */
const REACHED_BY: Readonly<Record<ReceiverType, readonly AlarmChannel[]>> = {
  AliyunUid: ['Mail', 'Phone', 'Sms'],
  DingToken: ['Ding'],
  FeishuToken: ['Webhook', 'Ding'],
  WebHookUrl: ['Webhook', 'Ding'],
};

/** Whom a rule tells when something of this severity holds. */
export function receiversOf(
  { channels, receivers }: Pick<AlarmRuleSpec, 'channels' | 'receivers'>,
  severity: Severity,
): readonly AlarmReceivers[] {
  const named = new Set(channels.filter((one) => one.severity === severity).flatMap((one) => one.channels));
  return receivers.filter(({ type }) => REACHED_BY[type].some((channel) => named.has(channel)));
}

/** A rule that would never tell anybody anything is refused. Errors: TaskError `invalid`, which names the place. */
export function checkAlarmRule(spec: AlarmRuleSpec): void {
  spec.conditions.forEach((condition, index) => checkCondition(spec, condition, `TriggerConditions[${index + 1}]`));
  for (const { channels } of spec.channels) for (const channel of channels) checkChannel(spec, channel);
  for (const { type, values } of spec.receivers) for (const value of values) checkReceiver(type, value);
}

/** As it may be shown: of a secret no more than its end, and of what a robot's calls are signed with nothing. */
export function maskReceiver(type: ReceiverType, value: string): string {
  if (type === 'AliyunUid') return value;
  const known = value.replaceAll(/([?&])secret=[^&#]*/g, '$1');
  return known.length < SHOWN_FROM ? MASK : `${MASK}${known.replace(/[?&]+$/, '').slice(-SHOWN_LENGTH)}`;
}

const MASK = '***';
const SHOWN_LENGTH = 4;
/** Of a shorter one the end would be too much of it. */
const SHOWN_FROM = 16;

function checkCondition(spec: AlarmRuleSpec, { severity, threshold, durationMinutes }: AlarmCondition, place: string) {
  const { metric } = spec;
  if ((metric === 'FailoverCount' || metric === 'Delay') && threshold === null)
    throw invalid(
      `${place}.Threshold is missing: ${metric} compares with ${metric === 'Delay' ? 'seconds' : 'a count'}.`,
    );
  if (metric === 'FailoverCount' && durationMinutes === null)
    throw invalid(`${place}.Duration is missing: the minutes that failovers are counted over.`);
  if (receiversOf(spec, severity).length === 0)
    throw invalid(`${place}.Severity: NotificationSettings names no channel with a receiver for ${severity}.`);
}

function checkChannel({ receivers }: AlarmRuleSpec, channel: AlarmChannel): void {
  if (receivers.some(({ type }) => REACHED_BY[type].includes(channel))) return;
  const types = RECEIVER_TYPES.filter((type) => REACHED_BY[type].includes(channel));
  throw invalid(`NotificationSettings: the channel ${channel} has no receiver; it needs ${types.join(' or ')}.`);
}

function checkReceiver(type: ReceiverType, value: string): void {
  if (value.startsWith(MASK))
    throw invalid(`a value of ${type} is a mask. Give what it stands for: an update replaces the whole rule.`);
  switch (type) {
    case 'AliyunUid':
      return;
    case 'DingToken':
    case 'FeishuToken':
      if (!/^[\w-]{1,256}(?:&secret=[\w-]{1,256})?$/.test(value)) checkUrl(type, value);
      return;
    case 'WebHookUrl':
      checkUrl(type, value);
  }
}

/** The value is a secret: no message holds it. Where it may lead is looked at each time it is connected to. */
function checkUrl(type: ReceiverType, value: string): void {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid(`a value of ${type} must be ${type === 'WebHookUrl' ? '' : 'a token, or '}a URL of http or https.`);
  if (url.username !== '' || url.password !== '') throw invalid(`a value of ${type} must hold no user and password.`);
}

function invalid(message: string): TaskError {
  return new TaskError('invalid', 'Alarm.Invalid', message);
}
