import { describeRule, RULE_FIELDS } from '../alarm-shapes.ts';
import { diJobId, jobOperation } from '../job-operation.ts';
import { integer, optional } from '../parameter.ts';

export const listDiAlarmRules = jobOperation({
  name: 'ListDIAlarmRules',
  summary: 'lists the alarm rules of a task, newest first',
  access: 'read',
  parameters: {
    DIJobId: diJobId,
    PageNumber: optional(integer({ meaning: 'page, from 1', min: 1, max: 1_000_000, note: 'default 1' })),
    PageSize: optional(integer({ meaning: 'rows per page', min: 1, max: 100, note: 'default 10' })),
  },
  answer: [
    {
      name: 'DIAlarmRulePaging',
      type: 'object',
      meaning: 'a page',
      fields: [
        { name: 'DIJobAlarmRules', type: 'list', meaning: 'the page', fields: RULE_FIELDS },
        { name: 'PageNumber', type: 'integer', meaning: 'page' },
        { name: 'PageSize', type: 'integer', meaning: 'rows per page' },
        { name: 'TotalCount', type: 'integer', meaning: 'rows over all pages' },
      ],
    },
  ],
  handle: async ({ parameters: { DIJobId: task, PageNumber, PageSize }, caller, alarms }) => {
    const page = { pageNumber: PageNumber ?? 1, pageSize: PageSize ?? 10 };
    const { rows, total } = await alarms.list(caller, { task, page });
    return {
      DIAlarmRulePaging: {
        DIJobAlarmRules: rows.map(describeRule),
        PageNumber: page.pageNumber,
        PageSize: page.pageSize,
        TotalCount: total,
      },
    };
  },
});
