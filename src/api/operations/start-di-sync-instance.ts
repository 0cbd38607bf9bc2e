import type { TaskId } from '../../tasks/ids.ts';
import { id, jsonObject, optional } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const startDiSyncInstance = taskOperation({
  name: 'StartDISyncInstance',
  summary: 'starts the deployed version, or resumes it from its checkpoint',
  access: 'write',
  parameters: {
    FileId: id<TaskId>({ meaning: 'the task' }),
    StartParam: optional(
      jsonObject({
        meaning: 'failoverLimit, errorLimit.record, ddlMarkMap, startTime, startPosition, startGtid',
        note: '`startTime` (seconds since the epoch), `startPosition` ({ file, position }) and `startGtid` (a set of MySQL, a position of MariaDB) are our extension: at most one, where a first start begins to read; tables are not loaded then. A task that has a checkpoint goes on from it',
        maxLength: 65_536,
      }),
    ),
  },
  notes: [
    'on a running task the same StartParam succeeds and changes nothing; another one is Status fail',
    'StartParam has no effect on a DI_SOLUTION',
    'of kinds that ddlMarkMap leaves out, the policy is what the project says at the start (UpdateDIProjectConfig)',
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    await tasks.start(caller, { taskType, task: parameters.FileId, startParam: parameters.StartParam });
    return {};
  },
});
