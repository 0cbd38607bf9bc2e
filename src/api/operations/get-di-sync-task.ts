import type { TaskId } from '../../tasks/ids.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const getDiSyncTask = taskOperation({
  name: 'GetDISyncTask',
  summary: 'reads the saved script of a task',
  access: 'read',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  data: [
    { name: 'Code', type: 'string', meaning: 'JSON: the saved TaskContent' },
    { name: 'SolutionDetail', type: 'object', meaning: 'null: of DI_SOLUTION only, which is not there yet' },
    { name: 'AlarmList', type: 'list', meaning: 'empty: there are no alarm rules yet' },
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    const code = await tasks.content(caller, { taskType, task: parameters.FileId });
    return { Code: code, AlarmList: [] };
  },
});
