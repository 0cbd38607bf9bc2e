import { alarmRuleId, describeRule, RULE_FIELDS } from '../alarm-shapes.ts';
import { jobOperation } from '../job-operation.ts';
import { seconds } from '../seconds.ts';

export const getDiAlarmRule = jobOperation({
  name: 'GetDIAlarmRule',
  summary: 'shows an alarm rule',
  access: 'read',
  parameters: { DIAlarmRuleId: alarmRuleId },
  answer: [
    {
      name: 'DIAlarmRule',
      type: 'object',
      meaning: 'the rule',
      fields: [
        ...RULE_FIELDS,
        { name: 'CreatedTime', type: 'long', meaning: 'seconds since the epoch' },
        { name: 'CreatedUid', type: 'string', meaning: 'user' },
        { name: 'UpdatedTime', type: 'long', meaning: 'seconds since the epoch' },
        { name: 'UpdatedUid', type: 'string', meaning: 'user' },
      ],
    },
  ],
  handle: async ({ parameters: { DIAlarmRuleId }, caller, alarms }) => {
    const rule = await alarms.get(caller, DIAlarmRuleId);
    return {
      DIAlarmRule: {
        ...describeRule(rule),
        CreatedTime: seconds(rule.createdAt),
        CreatedUid: rule.creator,
        UpdatedTime: seconds(rule.editedAt),
        UpdatedUid: rule.editor,
      },
    };
  },
});
