import type { TaskId } from '../../tasks/ids.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const stopDiSyncInstance = taskOperation({
  name: 'StopDISyncInstance',
  summary: 'flushes, saves the checkpoint, and pauses the run',
  access: 'write',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  notes: [
    'a later start resumes from the checkpoint',
    'DI_SOLUTION is our extension: without it nobody could stop one',
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    await tasks.stop(caller, { taskType, task: parameters.FileId });
    return {};
  },
});
