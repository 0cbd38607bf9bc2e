import type { TaskId } from '../../tasks/ids.ts';
import { invalidParameter } from '../errors.ts';
import { clientToken, id, jsonObject } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';
import { SCRIPT_LENGTH_MAX } from './script-length.ts';

export const generateDiSyncTaskConfigForUpdating = taskOperation({
  name: 'GenerateDISyncTaskConfigForUpdating',
  summary: 'plans a change of the tables of a task in the background, running or not',
  access: 'write',
  parameters: {
    TaskId: id<TaskId>({ meaning: 'the task' }),
    TaskParam: jsonObject({
      meaning: 'the tables wanted, not the difference; the reader alone is enough',
      maxLength: SCRIPT_LENGTH_MAX,
    }),
    ClientToken: clientToken(),
  },
  data: [
    { name: 'ProcessId', type: 'long', meaning: 'the process to ask about with QueryDISyncTaskConfigProcessResult' },
  ],
  notes: ['TaskType DI_OFFLINE is refused: batch tasks are updated with UpdateDISyncTask'],
  handle: async ({ parameters, taskType, caller, tasks, idempotence }) => {
    if (taskType === 'DI_OFFLINE') {
      throw invalidParameter('TaskType must not be DI_OFFLINE here: batch tasks are updated with UpdateDISyncTask.');
    }
    const { TaskId: task, TaskParam: taskParam } = parameters;
    return { ProcessId: await tasks.generateForUpdating(caller, { taskType, task, taskParam, idempotence }) };
  },
});
