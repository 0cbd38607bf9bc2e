import { alarmRuleId, RULE_PARAMETERS, ruleSpecOf } from '../alarm-shapes.ts';
import { jobOperation } from '../job-operation.ts';

export const updateDiAlarmRule = jobOperation({
  name: 'UpdateDIAlarmRule',
  summary: 'replaces an alarm rule: every field is given again',
  access: 'write',
  parameters: { DIAlarmRuleId: alarmRuleId, ...RULE_PARAMETERS },
  notes: [
    'receivers in clear: what GetDIAlarmRule shows of them is refused',
    'what was quiet after a notification is not any more',
  ],
  handle: ({ parameters: { DIAlarmRuleId, ...rule }, caller, alarms }) =>
    alarms.update(caller, { rule: DIAlarmRuleId, spec: ruleSpecOf(rule) }),
});
