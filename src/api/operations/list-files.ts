import type { TaskId } from '../../tasks/ids.ts';
import type { TaskType } from '../../tasks/task-service.ts';
import { describeFile, FILE_FIELDS, FILE_TYPES, fileOperation } from '../file-operation.ts';
import { describePage, PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from '../page.ts';
import { choice, flag, id, numbers, optional, text } from '../parameter.ts';

export const listFiles = fileOperation({
  name: 'ListFiles',
  summary: 'lists tasks as files, newest first',
  access: 'read',
  parameters: {
    FileFolderPath: optional(
      text({ meaning: 'a folder and those below it', maxLength: 1024, note: 'as CreateDISyncTask was told it' }),
    ),
    FileTypes: optional(
      numbers({ meaning: 'kinds of files', max: 100, note: '900 and 23; other kinds of files are not there' }),
    ),
    Keyword: optional(text({ meaning: 'within the name, in any case', maxLength: 255 })),
    ExactFileName: optional(text({ meaning: 'the whole name', maxLength: 255 })),
    FileIdIn: optional(numbers({ meaning: 'only these', max: 1000 })),
    NodeId: optional(id<TaskId>({ meaning: 'only the file of this node' })),
    Owner: optional(text({ meaning: 'the user who made it', maxLength: 128 })),
    LastEditUser: optional(text({ meaning: 'the user who last saved it', maxLength: 128 })),
    UseType: optional(
      choice({
        meaning: 'where it is used',
        values: ['NORMAL', 'MANUAL', 'MANUAL_BIZ', 'SKIP', 'ADHOCQUERY', 'COMPONENT'],
        note: 'every file is NORMAL, so that the others list none',
      }),
    ),
    NeedAbsoluteFolderPath: optional(flag({ meaning: 'answer AbsoluteFolderPath', note: 'default false' })),
    NeedContent: optional(flag({ meaning: 'answer Content', note: 'default false' })),
    ...PAGE_PARAMETERS,
  },
  answer: [
    {
      name: 'Data',
      type: 'object',
      meaning: 'a page',
      fields: [{ name: 'Files', type: 'list', meaning: 'the page', fields: FILE_FIELDS }, ...PAGE_FIELDS],
    },
  ],
  handle: async ({ parameters, caller, files }) => {
    const page = pageOf(parameters);
    const isUsed = parameters.UseType === null || parameters.UseType === 'NORMAL';
    const { rows, total } = await files.list(caller, {
      filter: {
        types: isUsed ? typesOf(parameters.FileTypes) : [],
        folder: parameters.FileFolderPath?.replace(/\/+$/, '') ?? null,
        keyword: parameters.Keyword,
        name: parameters.ExactFileName,
        ids: parameters.FileIdIn,
        node: parameters.NodeId,
        creator: parameters.Owner,
        editor: parameters.LastEditUser,
      },
      page,
      withContent: parameters.NeedContent ?? false,
    });
    const withFolder = parameters.NeedAbsoluteFolderPath ?? false;
    return {
      Data: { Files: rows.map((file) => describeFile(file, { withFolder })), ...describePage(page, total) },
    };
  },
});

function typesOf(numbersWanted: readonly bigint[] | null): readonly TaskType[] | null {
  if (numbersWanted === null) return null;
  const types = Object.keys(FILE_TYPES) as TaskType[];
  return types.filter((type) => numbersWanted.includes(BigInt(FILE_TYPES[type])));
}
