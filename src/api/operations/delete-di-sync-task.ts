import type { TaskId } from '../../tasks/ids.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const deleteDiSyncTask = taskOperation({
  name: 'DeleteDISyncTask',
  summary: 'deletes a task that does not run, and the checkpoint at its sink',
  access: 'write',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  notes: ['DI_SOLUTION is our extension', 'DI_OFFLINE is refused: batch tasks are deleted with DeleteFile'],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    await tasks.delete(caller, { taskType, task: parameters.FileId });
    return {};
  },
});
