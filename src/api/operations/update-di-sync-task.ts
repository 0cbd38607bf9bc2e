import type { TaskId } from '../../tasks/ids.ts';
import { id, jsonObject, optional } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';
import { SCRIPT_LENGTH_MAX } from './script-length.ts';

export const updateDiSyncTask = taskOperation({
  name: 'UpdateDISyncTask',
  summary: 'saves a new version of a task',
  access: 'write',
  parameters: {
    FileId: id<TaskId>({ meaning: 'the task' }),
    TaskContent: optional(
      jsonObject({ meaning: 'the new script; left out to keep the saved one', maxLength: SCRIPT_LENGTH_MAX }),
    ),
    TaskParam: optional(
      jsonObject({
        meaning: 'ResourceGroup, Cu; left out to keep them',
        note: 'any resource group is accepted and echoed',
        maxLength: 65_536,
      }),
    ),
  },
  notes: [
    'Status fail when the saved version has moved since the script was planned',
    'repeating it with identical content succeeds',
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    const { FileId: task, TaskContent: taskContent, TaskParam: taskParam } = parameters;
    await tasks.update(caller, { taskType, task, taskContent, taskParam });
    return {};
  },
});
