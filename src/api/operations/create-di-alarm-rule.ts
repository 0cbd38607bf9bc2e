import { RULE_PARAMETERS, ruleSpecOf } from '../alarm-shapes.ts';
import { diJobId, jobOperation } from '../job-operation.ts';

export const createDiAlarmRule = jobOperation({
  name: 'CreateDIAlarmRule',
  summary: 'makes an alarm rule of a task',
  access: 'write',
  parameters: { DIJobId: diJobId, ...RULE_PARAMETERS },
  answer: [{ name: 'DIAlarmRuleId', type: 'long', meaning: 'the new rule' }],
  notes: ['a rule that could tell nobody anything is refused; at most 100 of a task; see docs/alarms.md'],
  handle: async ({ parameters: { DIJobId: task, ...rule }, caller, alarms }) => {
    return { DIAlarmRuleId: await alarms.create(caller, { task, spec: ruleSpecOf(rule) }) };
  },
});
