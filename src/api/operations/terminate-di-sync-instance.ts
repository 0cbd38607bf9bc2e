import type { TaskId } from '../../tasks/ids.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const terminateDiSyncInstance = taskOperation({
  name: 'TerminateDISyncInstance',
  summary: 'stops the run, takes the task out of production and forgets its checkpoint',
  access: 'write',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  notes: ['a later start is a first start'],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    await tasks.terminate(caller, { taskType, task: parameters.FileId });
    return {};
  },
});
