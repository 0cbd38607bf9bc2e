import type { AccessKey } from '../tasks/access-service.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { type AccessRequest, isAllowed } from '../tasks/policy.ts';
import type { Caller, Reach } from '../tasks/task-service.ts';
import { noPrivilege } from './errors.ts';

/** What one authenticated call may touch. */
export interface Grant {
  readonly user: string;
  /** Errors: ApiError 403, the same for a foreign project, for one that does not exist, and where policies deny. */
  enter(project: ProjectId): Promise<Caller>;
  /** Where this call would be allowed. */
  projects(): Promise<readonly ProjectId[]>;
  /** Of a call that names no project. */
  reach(): Reach;
}

/**
 * What a key may do with this action from this address: its user must be a member of the project, and the policies,
 * those of the user and those that temporary credentials were narrowed to, must allow it.
 * Errors: ApiError 403 when there is no project where it is allowed.
 */
export function authorise(key: AccessKey, call: Omit<AccessRequest, 'resource'>): Grant {
  const { policy, session } = key;
  const projects = key.projects.filter((project) => {
    const request = { ...call, resource: `project/${project}` };
    return isAllowed(policy, request) && (session === null || isAllowed(session, request));
  });
  if (projects.length === 0) throw noPrivilege();
  return {
    user: key.user,
    enter: async (project) => {
      if (!projects.includes(project)) throw noPrivilege();
      return { project, user: key.user };
    },
    projects: async () => projects,
    reach: () => ({ user: key.user, projects }),
  };
}
