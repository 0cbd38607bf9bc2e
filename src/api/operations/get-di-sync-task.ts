import type { JsonObject } from '../../lib/json-value.ts';
import type { TaskId } from '../../tasks/ids.ts';
import type { SolutionDetail, SolutionState } from '../../tasks/task-service.ts';
import { ALARM_LIST_FIELDS, oldFormOf } from '../alarm-list.ts';
import type { Field } from '../operation.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

/** The API's digits; those that never occur here: 0 succeeded, 5 and 6 confirmation by hand, 7 other, 9 deleted. */
const DIGITS: Readonly<Record<SolutionState, string>> = {
  idle: '1',
  running: '2',
  failed: '3',
  submitted: '4',
  waiting: '8',
};

const SOLUTION: readonly Field[] = [
  { name: 'Id', type: 'long', meaning: 'the solution: its FileId' },
  { name: 'Name', type: 'string', meaning: 'its name' },
  { name: 'CreatorName', type: 'string', meaning: 'the user who made it' },
  { name: 'ProjectId', type: 'long', meaning: 'its workspace' },
  { name: 'SourceType', type: 'string', meaning: 'mysql' },
  { name: 'Type', type: 'string', meaning: 'kind of destination: holo or kafka' },
  {
    name: 'Status',
    type: 'string',
    meaning: '1 not running, 2 running, 3 failed, 4 committed, 8 waiting',
  },
  { name: 'SubmitTime', type: 'string', meaning: 'YYYY-MM-DD hh:mm:ss, UTC, of the last deploy; null before it' },
  { name: 'StartTime', type: 'string', meaning: 'the same of the last start' },
  { name: 'ProcessContent', type: 'string', meaning: 'JSON: how it is configured, as saved' },
  { name: 'ProcessExtra', type: 'string', meaning: 'JSON: processType, tableNum' },
];

export const getDiSyncTask = taskOperation({
  name: 'GetDISyncTask',
  summary: 'reads the saved script of a task, or the details of a solution',
  access: 'read',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  data: [
    { name: 'Code', type: 'string', meaning: 'JSON: the saved TaskContent; null for DI_SOLUTION' },
    { name: 'SolutionDetail', type: 'object', meaning: 'of DI_SOLUTION; null for DI_REALTIME', fields: SOLUTION },
    { name: 'AlarmList', type: 'list', meaning: 'its alarm rules, in the older form', fields: ALARM_LIST_FIELDS },
  ],
  handle: async ({ parameters, taskType, caller, tasks, alarms }) => {
    const task = parameters.FileId;
    const known: JsonObject =
      taskType === 'DI_SOLUTION'
        ? { SolutionDetail: describe(await tasks.solution(caller, task)) }
        : { Code: await tasks.content(caller, { taskType, task }) };
    return { ...known, AlarmList: (await alarms.ofTask(caller, task)).map(oldFormOf) };
  },
});

function describe(detail: SolutionDetail): JsonObject {
  return {
    Id: detail.id,
    Name: detail.name,
    CreatorName: detail.creator,
    ProjectId: detail.project,
    SourceType: detail.sourceType,
    Type: detail.sinkType,
    Status: DIGITS[detail.state],
    SubmitTime: timeText(detail.submittedAt),
    StartTime: timeText(detail.startedAt),
    ProcessContent: detail.processContent,
    ProcessExtra: detail.processExtra,
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
