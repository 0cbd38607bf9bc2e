import { describeRule, RULE_FIELDS } from '../alarm-shapes.ts';
import { diJobId, jobOperation } from '../job-operation.ts';
import { describePage, PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from '../page.ts';

export const listDiAlarmRules = jobOperation({
  name: 'ListDIAlarmRules',
  summary: 'lists the alarm rules of a task, newest first',
  access: 'read',
  parameters: {
    DIJobId: diJobId,
    ...PAGE_PARAMETERS,
  },
  answer: [
    {
      name: 'DIAlarmRulePaging',
      type: 'object',
      meaning: 'a page',
      fields: [{ name: 'DIJobAlarmRules', type: 'list', meaning: 'the page', fields: RULE_FIELDS }, ...PAGE_FIELDS],
    },
  ],
  handle: async ({ parameters: { DIJobId: task, ...paging }, caller, alarms }) => {
    const page = pageOf(paging);
    const { rows, total } = await alarms.list(caller, { task, page });
    return { DIAlarmRulePaging: { DIJobAlarmRules: rows.map(describeRule), ...describePage(page, total) } };
  },
});
