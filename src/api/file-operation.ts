import type { Json, JsonObject } from '../lib/json-value.ts';
import type { FileService, TaskFile } from '../tasks/file-service.ts';
import type { ProjectId } from '../tasks/ids.ts';
import type { Caller, TaskType } from '../tasks/task-service.ts';
import { defineOperation, type OperationSpec } from './define-operation.ts';
import { answerSyncTaskError, missingParameter, noPrivilege } from './errors.ts';
import type { Grant } from './grant.ts';
import { type Field, type Operation, SUCCESS } from './operation.ts';
import { id, optional, type Parameters, type ParameterValues, text } from './parameter.ts';

const COMMON = {
  ProjectId: optional(id<ProjectId>({ meaning: 'workspace', note: 'required, unless ProjectIdentifier is given' })),
  ProjectIdentifier: optional(
    text({ meaning: 'name of the workspace', maxLength: 255, note: 'read where there is no ProjectId' }),
  ),
};
/** What every answer has: the operations on files say there why one failed. */
const ENVELOPE: readonly Field[] = [
  SUCCESS,
  { name: 'HttpStatusCode', type: 'integer', meaning: '200, or 400 when it failed' },
  { name: 'ErrorCode', type: 'string', meaning: 'why it failed: Task.NotFound, Task.WrongState; null when it worked' },
  { name: 'ErrorMessage', type: 'string', meaning: 'the same for people' },
];

/** Defines an operation on files. Project parameters need not be said. The handler returns the keys that `answer` names. */
export function fileOperation<P extends Parameters>(
  spec: OperationSpec<P> & {
    readonly answer: readonly Field[];
    handle(request: {
      readonly parameters: ParameterValues<P>;
      readonly caller: Caller;
      readonly files: FileService;
    }): Promise<JsonObject>;
  },
): Operation {
  const empty = Object.fromEntries(spec.answer.map((field) => [field.name, null]));
  return defineOperation(spec, {
    common: COMMON,
    answer: [...ENVELOPE, ...spec.answer],
    run: async (parameters, { grant, services: { files } }) => {
      const caller = await enter(parameters, grant, files);
      const known = await spec.handle({ parameters, caller, files });
      return { Success: true, HttpStatusCode: 200, ErrorCode: null, ErrorMessage: null, ...empty, ...known };
    },
    failed: (error) => {
      const answer = answerSyncTaskError(error);
      if (typeof answer !== 'string') throw answer;
      return { Success: false, HttpStatusCode: 400, ErrorCode: error.code, ErrorMessage: answer, ...empty };
    },
  });
}

async function enter(
  { ProjectId: project, ProjectIdentifier: name }: ParameterValues<typeof COMMON>,
  grant: Grant,
  files: FileService,
): Promise<Caller> {
  if (project !== null) return grant.enter(project);
  if (name === null) throw missingParameter('ProjectId');
  const named = await files.projectNamed(name, await grant.projects());
  if (named === null) throw noPrivilege();
  return grant.enter(named);
}

/** The vendor's numbers: 23 batch, 900 real-time, which is also what runs a solution. */
export const FILE_TYPES: Readonly<Record<TaskType, number>> = { DI_OFFLINE: 23, DI_REALTIME: 900, DI_SOLUTION: 900 };

export const FILE_FIELDS: readonly Field[] = [
  { name: 'FileId', type: 'long', meaning: 'the task' },
  { name: 'FileName', type: 'string', meaning: 'its name' },
  { name: 'FileType', type: 'integer', meaning: '900 real-time task or solution, 23 batch task' },
  { name: 'TaskType', type: 'string', meaning: 'our extension: DI_REALTIME or DI_SOLUTION' },
  { name: 'UseType', type: 'string', meaning: 'NORMAL' },
  { name: 'NodeId', type: 'long', meaning: 'the same number as FileId, once it is deployed; else null' },
  { name: 'CommitStatus', type: 'integer', meaning: '1 when the saved version is the deployed one, else 0' },
  { name: 'CurrentVersion', type: 'integer', meaning: 'number of the saved version' },
  { name: 'CreateTime', type: 'long', meaning: 'milliseconds since the epoch' },
  { name: 'CreateUser', type: 'string', meaning: 'the user who made it' },
  { name: 'Owner', type: 'string', meaning: 'the same' },
  { name: 'LastEditTime', type: 'long', meaning: 'milliseconds since the epoch' },
  { name: 'LastEditUser', type: 'string', meaning: 'the user who last saved it' },
  {
    name: 'AbsoluteFolderPath',
    type: 'string',
    meaning: 'FileFolderPath of CreateDISyncTask; null when not asked for',
  },
  { name: 'Content', type: 'string', meaning: 'JSON: the saved TaskContent; null when not asked for' },
  ...['FileDescription', 'FileFolderId', 'ConnectionName'].map(
    (name): Field => ({ name, type: 'string', meaning: 'null: nothing here has one' }),
  ),
  ...['BusinessId', 'BizId', 'ParentId'].map(
    (name): Field => ({ name, type: 'long', meaning: 'null: nothing here has one' }),
  ),
  ...['AutoParsing', 'IsMaxCompute'].map(
    (name): Field => ({ name, type: 'boolean', meaning: 'null: nothing here has one' }),
  ),
];
const NO_FIELDS = Object.fromEntries(FILE_FIELDS.map(({ name }): [string, Json] => [name, null]));

export function describeFile(file: TaskFile, { withFolder }: { readonly withFolder: boolean }): JsonObject {
  return {
    ...NO_FIELDS,
    FileId: file.id,
    FileName: file.name,
    FileType: FILE_TYPES[file.type],
    TaskType: file.type,
    UseType: 'NORMAL',
    NodeId: file.isDeployed ? file.id : null,
    CommitStatus: file.isCommitted ? 1 : 0,
    CurrentVersion: file.version,
    CreateTime: file.createdAt,
    CreateUser: file.creator,
    Owner: file.creator,
    LastEditTime: file.editedAt,
    LastEditUser: file.editor,
    AbsoluteFolderPath: withFolder ? file.folder : null,
    Content: file.content,
  };
}
