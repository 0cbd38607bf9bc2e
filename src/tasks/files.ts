import type { FileFilter, FileService, TaskFile } from './file-service.ts';
import type { ProjectId, TaskId } from './ids.ts';
import type { Page } from './page.ts';
import { TaskError } from './task-error.ts';
import { unknownTask } from './task-lookup.ts';
import type { Caller, TaskService } from './task-service.ts';
import type { TaskRecord, TaskRecords, TaskStore } from './task-store.ts';

/** Tasks as the files that scripts look for. */
export class Files implements FileService {
  readonly #store: TaskStore;
  readonly #tasks: Pick<TaskService, 'delete'>;

  constructor(options: { readonly store: TaskStore; readonly tasks: Pick<TaskService, 'delete'> }) {
    this.#store = options.store;
    this.#tasks = options.tasks;
  }

  async list(
    { project }: Caller,
    { filter, page, withContent }: { filter: FileFilter; page: Page; withContent: boolean },
  ): Promise<{ rows: readonly TaskFile[]; total: number }> {
    return this.#store.transaction(async (records) => {
      const { rows, total } = await records.listTasks(project, filter, page);
      const files: TaskFile[] = [];
      for (const task of rows) files.push(await fileOf(records, task, withContent));
      return { rows: files, total };
    });
  }

  async file({ project }: Caller, { file, node }: { file: TaskId | null; node: TaskId | null }): Promise<TaskFile> {
    return this.#store.transaction(async (records) => {
      const id = file ?? node;
      const task = id === null ? null : await records.task(project, id);
      if (task === null || (node !== null && (task.id !== node || task.deployed === null)))
        throw file === null ? unknownNode(node) : unknownTask(file);
      return fileOf(records, task, true);
    });
  }

  async delete(caller: Caller, file: TaskId): Promise<void> {
    const task = await this.#store.transaction((records) => records.task(caller.project, file));
    if (task === null) throw unknownTask(file);
    await this.#tasks.delete(caller, { taskType: task.type, task: file });
  }

  async projectNamed(name: string, among: readonly ProjectId[]): Promise<ProjectId | null> {
    const named = await this.#store.transaction((records) => records.projectsNamed(name));
    const [first = null, second] = named.filter((project) => among.includes(project));
    if (second !== undefined)
      throw new TaskError(
        'invalid',
        'Project.Ambiguous',
        `ProjectIdentifier ${name} is the name of several projects: give ProjectId.`,
      );
    return first;
  }
}

async function fileOf(records: TaskRecords, task: TaskRecord, withContent: boolean): Promise<TaskFile> {
  const { id, name, type, folder, creator, editor, createdAt, editedAt, saved, deployed } = task;
  return {
    id,
    name,
    type,
    folder,
    creator,
    editor,
    createdAt,
    editedAt,
    version: saved,
    isDeployed: deployed !== null,
    isCommitted: deployed === saved,
    content: withContent ? await records.content(id, saved) : null,
  };
}

function unknownNode(node: TaskId | null): TaskError {
  return new TaskError('not-found', 'Task.NotFound', `nodeId:[${node}] is invalid.`);
}
