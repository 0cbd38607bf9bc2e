import type { JsonObject } from '../lib/json-value.ts';
import {
  type AlarmCondition,
  type AlarmMetric,
  type AlarmRule,
  receiversOf,
  type Severity,
} from '../tasks/alarm-rule.ts';
import type { Field } from './operation.ts';

/** The older names. */
const METRICS: Readonly<Record<AlarmMetric, string>> = {
  Heartbeat: 'taskStatus',
  Delay: 'bizDelay',
  FailoverCount: 'taskFailoverCount',
  DdlReport: 'ddlReport',
};

export const ALARM_LIST_FIELDS: readonly Field[] = [
  { name: 'Id', type: 'long', meaning: 'the rule: its DIAlarmRuleId' },
  { name: 'RuleName', type: 'string', meaning: 'made of its metric and id: rules have no names' },
  { name: 'Description', type: 'string', meaning: 'free text' },
  { name: 'Enabled', type: 'boolean', meaning: 'whether it is watched' },
  { name: 'Metric', type: 'string', meaning: 'taskStatus, bizDelay, taskFailoverCount or ddlReport' },
  {
    name: 'AlarmRuleList',
    type: 'list',
    meaning: 'limits',
    fields: [
      { name: 'Level', type: 'string', meaning: 'WARNING or CRITICAL' },
      { name: 'Threshold', type: 'long', meaning: 'a count, or seconds; 1 of taskStatus and ddlReport' },
      { name: 'Duration', type: 'long', meaning: 'minutes; 0 is at once' },
      { name: 'Aggregator', type: 'string', meaning: 'max' },
      { name: 'Comparator', type: 'string', meaning: '= of taskStatus; > else, where reaching the limit is enough' },
    ],
  },
  {
    name: 'NotifyRule',
    type: 'object',
    meaning: 'who is told',
    fields: [
      { name: 'Warning', type: 'list', meaning: 'receivers; secrets as *** and their last four characters' },
      { name: 'Critical', type: 'list', meaning: 'the same' },
      { name: 'Interval', type: 'long', meaning: 'quiet minutes after a notification' },
    ],
  },
];

/** A rule in the form that tasks show. */
export function oldFormOf(rule: AlarmRule): JsonObject {
  const told = (severity: Severity) => receiversOf(rule, severity).flatMap(({ values }) => [...values]);
  return {
    Id: rule.id,
    RuleName: `${rule.metric} ${rule.id}`,
    Description: rule.description,
    Enabled: rule.enabled,
    Metric: METRICS[rule.metric],
    AlarmRuleList: rule.conditions.map((condition) => oldCondition(rule.metric, condition)),
    NotifyRule: { Warning: told('Warning'), Critical: told('Critical'), Interval: rule.muteMinutes },
  };
}

function oldCondition(metric: AlarmMetric, { severity, durationMinutes, threshold }: AlarmCondition): JsonObject {
  const hasLimit = metric === 'Delay' || metric === 'FailoverCount';
  return {
    Level: severity.toUpperCase(),
    Threshold: hasLimit ? threshold : 1,
    Duration: durationMinutes ?? 0,
    Aggregator: 'max',
    Comparator: metric === 'Heartbeat' ? '=' : '>',
  };
}
