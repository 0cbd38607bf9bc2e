import type { TaskId } from '../../tasks/ids.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const deployDiSyncTask = taskOperation({
  name: 'DeployDISyncTask',
  summary: 'makes the saved version the deployed one; a running task takes it over live',
  access: 'write',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  notes: [
    'fails when what runs has moved so that the shown plan no longer holds',
    'on a stopped task it takes effect at the next start',
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    await tasks.deploy(caller, { taskType, task: parameters.FileId });
    return {};
  },
});
