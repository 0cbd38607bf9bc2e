import type { TaskId } from '../../tasks/ids.ts';
import { id, jsonObject, optional } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const startDiSyncInstance = taskOperation({
  name: 'StartDISyncInstance',
  summary: 'starts the deployed version, or resumes it from its checkpoint',
  parameters: {
    FileId: id<TaskId>({ meaning: 'the task' }),
    StartParam: optional(
      jsonObject({
        meaning: 'failoverLimit, errorLimit.record, ddlMarkMap, startTime',
        note: '`startTime` is our extension: seconds since the epoch',
        maxLength: 65_536,
      }),
    ),
  },
  notes: ['on a running task the same StartParam succeeds and changes nothing; another one is Status fail'],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    await tasks.start(caller, { taskType, task: parameters.FileId, startParam: parameters.StartParam });
    return {};
  },
});
