import { alarmRuleId } from '../alarm-shapes.ts';
import { jobOperation } from '../job-operation.ts';

export const deleteDiAlarmRule = jobOperation({
  name: 'DeleteDIAlarmRule',
  summary: 'removes an alarm rule',
  access: 'write',
  parameters: { DIAlarmRuleId: alarmRuleId },
  notes: ['the rules of a task go with it'],
  handle: ({ parameters: { DIAlarmRuleId }, caller, alarms }) => alarms.delete(caller, DIAlarmRuleId),
});
