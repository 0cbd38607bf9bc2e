import type { ProjectId, TaskId } from './ids.ts';
import type { Page } from './page.ts';
import type { Caller, TaskType } from './task-service.ts';

/** A task as a file among the files of its project: its saved version. */
export interface TaskFile {
  readonly id: TaskId;
  readonly name: string;
  readonly type: TaskType;
  /** Empty without one. */
  readonly folder: string;
  /** Users; null when that was not remembered yet. */
  readonly creator: string | null;
  readonly editor: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly editedAt: number;
  readonly version: number;
  /** Any version of it is deployed: then it is a node. */
  readonly isDeployed: boolean;
  /** The saved version is the deployed one. */
  readonly isCommitted: boolean;
  /** TaskContent; null when it was not asked for. */
  readonly content: string | null;
}

/** What is not null narrows. */
export interface FileFilter {
  readonly types: readonly TaskType[] | null;
  /** This folder and those below it. */
  readonly folder: string | null;
  /** Within the name, in any case. */
  readonly keyword: string | null;
  /** The whole name. */
  readonly name: string | null;
  readonly ids: readonly bigint[] | null;
  /** The id of one that is deployed. */
  readonly node: TaskId | null;
  readonly creator: string | null;
  readonly editor: string | null;
}

/** Tasks as files. Methods throw TaskError; an id of another project is `not-found`. */
export interface FileService {
  /** Newest first. */
  list(
    caller: Caller,
    request: { readonly filter: FileFilter; readonly page: Page; readonly withContent: boolean },
  ): Promise<{ rows: readonly TaskFile[]; total: number }>;
  /** With its content. `file` or `node` is given. */
  file(caller: Caller, request: { readonly file: TaskId | null; readonly node: TaskId | null }): Promise<TaskFile>;
  /** Deletes the task, as its own operation does. */
  delete(caller: Caller, file: TaskId): Promise<void>;
  /** The one of these projects that has this name; null when none has. Errors: TaskError `invalid` when several have. */
  projectNamed(name: string, among: readonly ProjectId[]): Promise<ProjectId | null>;
}
