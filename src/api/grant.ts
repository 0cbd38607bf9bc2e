import type { AccessKey, AccessService } from '../tasks/access-service.ts';
import type { ProjectId } from '../tasks/ids.ts';
import type { Caller } from '../tasks/task-service.ts';
import { noPrivilege } from './errors.ts';

/** What an authenticated caller may touch. */
export interface Grant {
  readonly accessKeyId: string;
  /** Errors: ApiError 403, the same for a foreign project and for one that does not exist. */
  enter(project: ProjectId): Promise<Caller>;
  projects(): Promise<readonly ProjectId[]>;
}

/** The projects that the key was made for. */
export function grantOfKey(key: AccessKey, access: AccessService): Grant {
  return {
    accessKeyId: key.id,
    enter: async (project) => {
      if (!key.projects.includes(project) || !(await access.projectExists(project))) throw noPrivilege();
      return { project, accessKeyId: key.id };
    },
    projects: async () => key.projects,
  };
}

/** With `--dev` any key opens every project that exists. */
export function grantOfEverything(accessKeyId: string, access: AccessService): Grant {
  return {
    accessKeyId,
    enter: async (project) => {
      if (!(await access.projectExists(project))) throw noPrivilege();
      return { project, accessKeyId };
    },
    projects: async () => (await access.listProjects()).map(({ id }) => id),
  };
}
