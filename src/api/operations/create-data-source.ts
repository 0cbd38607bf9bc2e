import {
  CONTENT,
  dataSourceOperation,
  dataSourceType,
  DESCRIPTION,
  environment,
  NAME,
  projectId,
  subType,
} from '../data-source-operation.ts';
import { optional } from '../parameter.ts';

export const createDataSource = dataSourceOperation({
  name: 'CreateDataSource',
  summary: 'registers a connection; its secrets are stored encrypted',
  access: 'write',
  parameters: {
    ProjectId: projectId,
    Name: NAME,
    DataSourceType: dataSourceType('types that are not there yet are refused'),
    SubType: optional(subType('kept and shown')),
    EnvType: environment,
    Description: DESCRIPTION,
    Content: CONTENT,
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
