import { clientToken, jsonObject, optional, text } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';
import { SCRIPT_LENGTH_MAX } from './script-length.ts';

export const createDiSyncTask = taskOperation({
  name: 'CreateDISyncTask',
  summary: 'saves a new task',
  access: 'write',
  parameters: {
    TaskName: text({ meaning: 'name of the task, unique in the project', maxLength: 128 }),
    TaskContent: jsonObject({ meaning: 'the script, as the process gave it', maxLength: SCRIPT_LENGTH_MAX }),
    TaskParam: optional(
      jsonObject({
        meaning: 'FileFolderPath, ResourceGroup, Cu',
        note: 'any folder and resource group is accepted and echoed',
        maxLength: 65_536,
      }),
    ),
    ClientToken: clientToken(),
  },
  data: [{ name: 'FileId', type: 'long', meaning: 'the new task' }],
  notes: ['a script edited by hand, or without our block in `extend`, is validated and planned anew'],
  handle: async ({ parameters, taskType, caller, tasks, idempotence }) => {
    const { TaskName: name, TaskContent: taskContent, TaskParam: taskParam } = parameters;
    return { FileId: await tasks.create(caller, { taskType, name, taskContent, taskParam, idempotence }) };
  },
});
