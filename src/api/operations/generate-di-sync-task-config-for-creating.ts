import { invalidParameter } from '../errors.ts';
import { clientToken, jsonObject } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';
import { SCRIPT_LENGTH_MAX } from './script-length.ts';

export const generateDiSyncTaskConfigForCreating = taskOperation({
  name: 'GenerateDISyncTaskConfigForCreating',
  summary: 'plans a new task in the background',
  access: 'write',
  parameters: {
    TaskParam: jsonObject({
      meaning: 'source, sink and tables: the wanted state',
      note: '`setting.initialLoad` is our extension',
      maxLength: SCRIPT_LENGTH_MAX,
    }),
    ClientToken: clientToken(),
  },
  data: [
    { name: 'ProcessId', type: 'long', meaning: 'the process to ask about with QueryDISyncTaskConfigProcessResult' },
  ],
  notes: ['TaskType DI_OFFLINE is refused: batch tasks are made with CreateDISyncTask'],
  handle: async ({ parameters, taskType, caller, tasks, idempotence }) => {
    if (taskType === 'DI_OFFLINE') {
      throw invalidParameter('TaskType must not be DI_OFFLINE here: batch tasks are made with CreateDISyncTask.');
    }
    const taskParam = parameters.TaskParam;
    return { ProcessId: await tasks.generateForCreating(caller, { taskType, taskParam, idempotence }) };
  },
});
