import type { TaskId } from '../../tasks/ids.ts';
import { fileOperation } from '../file-operation.ts';
import { id } from '../parameter.ts';

export const deleteFile = fileOperation({
  name: 'DeleteFile',
  summary: 'deletes the task behind a file, as DeleteDISyncTask does',
  access: 'write',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  answer: [{ name: 'DeploymentId', type: 'long', meaning: 'null: it is deleted, there is nothing to wait for' }],
  notes: ['one that runs is not deleted: Success false, Task.WrongState'],
  handle: async ({ parameters, caller, files }) => {
    await files.delete(caller, parameters.FileId);
    return {};
  },
});
