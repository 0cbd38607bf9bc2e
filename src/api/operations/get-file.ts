import type { TaskId } from '../../tasks/ids.ts';
import { missingParameter } from '../errors.ts';
import { describeFile, FILE_FIELDS, fileOperation } from '../file-operation.ts';
import { id, optional } from '../parameter.ts';

export const getFile = fileOperation({
  name: 'GetFile',
  summary: 'reads a task as a file',
  access: 'read',
  parameters: {
    FileId: optional(id<TaskId>({ meaning: 'the task', note: 'required, unless NodeId is given' })),
    NodeId: optional(id<TaskId>({ meaning: 'the node of a deployed task' })),
  },
  answer: [
    {
      name: 'Data',
      type: 'object',
      meaning: 'the file',
      fields: [
        { name: 'File', type: 'object', meaning: 'with AbsoluteFolderPath and Content', fields: FILE_FIELDS },
        { name: 'NodeConfiguration', type: 'object', meaning: 'null: of batch tasks, which are not there yet' },
      ],
    },
  ],
  handle: async ({ parameters, caller, files }) => {
    const { FileId: file, NodeId: node } = parameters;
    if (file === null && node === null) throw missingParameter('FileId');
    const found = await files.file(caller, { file, node });
    return { Data: { File: describeFile(found, { withFolder: true }), NodeConfiguration: null } };
  },
});
