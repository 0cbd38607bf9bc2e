import { dataSourceOperation, dataSourceType, environment, projectId, subType } from '../data-source-operation.ts';
import { jsonObject, optional, text } from '../parameter.ts';

export const createDataSource = dataSourceOperation({
  name: 'CreateDataSource',
  summary: 'registers a connection; its secrets are stored encrypted',
  access: 'write',
  parameters: {
    ProjectId: projectId,
    Name: text({ meaning: 'name, unique in project and environment', maxLength: 255 }),
    DataSourceType: dataSourceType('types that are not there yet are refused'),
    SubType: optional(subType('kept and shown')),
    EnvType: environment,
    Description: optional(text({ meaning: 'free text', maxLength: 3000, lines: true })),
    Content: jsonObject({ meaning: 'how to connect; keys depend on the type', maxLength: 65_536 }),
  },
  data: { type: 'long', meaning: 'the new data source' },
  httpStatusCode: '200',
  handle: async ({ parameters, grant, dataSources }) => {
    const caller = await grant.enter(parameters.ProjectId);
    return dataSources.create(caller, {
      name: parameters.Name,
      type: parameters.DataSourceType,
      subType: parameters.SubType,
      env: parameters.EnvType,
      description: parameters.Description ?? '',
      content: parameters.Content,
    });
  },
});
