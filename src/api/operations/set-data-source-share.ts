import type { DataSourceShare } from '../../tasks/data-source-service.ts';
import type { ProjectId } from '../../tasks/ids.ts';
import { NAME, namedDataSourceOperation, environmentText, projectId } from '../data-source-operation.ts';
import { optional, structure } from '../parameter.ts';
import { line, listOf, objectOf, oneOf, required, whole } from '../shape.ts';

const PERMISSION = required(oneOf(['READ', 'WRITE']), 'READ: tasks may use it', 'WRITE gives no more than READ');
const PROJECT = required(whole({ min: 0 }), 'a workspace that the key opens too');
const SHARED_NAME = required(line({ maxLength: 255 }), 'what it is called there');

export const setDataSourceShare = namedDataSourceOperation({
  name: 'SetDataSourceShare',
  summary: 'lets tasks of other workspaces use a data source, all of them or those of single users',
  access: 'write',
  parameters: {
    ProjectId: projectId,
    DatasourceName: NAME,
    EnvType: optional(environmentText('without it production, else development')),
    ProjectPermissions: optional(
      structure({
        meaning: 'workspaces that may use it',
        maxLength: 65_536,
        shape: listOf(objectOf({ projectId: PROJECT, permission: PERMISSION, sharedName: SHARED_NAME }), { max: 100 }),
      }),
    ),
    UserPermissions: optional(
      structure({
        meaning: 'single users of workspaces who may use it',
        maxLength: 65_536,
        shape: listOf(
          objectOf({
            projectId: PROJECT,
            users: required(
              listOf(
                objectOf({
                  userId: required(
                    line({ maxLength: 128 }),
                    'name of the user who plans, deploys and starts the tasks; a key made for a project has a user of its own name',
                  ),
                  permission: PERMISSION,
                }),
                { min: 1, max: 100 },
              ),
              'users of that workspace',
            ),
            sharedName: SHARED_NAME,
          }),
          { max: 100 },
        ),
      }),
    ),
  },
  fields: [],
  notes: [
    'replaces all shares before; both permissions empty: shared with nobody. What runs with a share that ended goes on until its next start',
    'a data source that the workspace itself has under that name and environment stands in the way of a share, and the other way round',
  ],
  handle: async ({ parameters, grant, dataSources }) => {
    const caller = await grant.enter(parameters.ProjectId);
    const withProjects = (parameters.ProjectPermissions ?? []).map(
      ({ projectId: project, permission, sharedName }): DataSourceShare => ({
        project: BigInt(project) as ProjectId,
        user: null,
        permission,
        name: sharedName,
      }),
    );
    const withUsers = (parameters.UserPermissions ?? []).flatMap(({ projectId: project, users, sharedName }) =>
      users.map(
        ({ userId, permission }): DataSourceShare => ({
          project: BigInt(project) as ProjectId,
          user: userId,
          permission,
          name: sharedName,
        }),
      ),
    );
    await dataSources.share(caller, {
      name: parameters.DatasourceName,
      env: parameters.EnvType,
      shares: [...withProjects, ...withUsers],
      projects: await grant.projects(),
    });
    return {};
  },
});
