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

export const createConnection = dataSourceOperation({
  name: 'CreateConnection',
  summary: 'the older form of CreateDataSource',
  access: 'write',
  parameters: {
    ProjectId: projectId,
    Name: NAME,
    ConnectionType: dataSourceType('types that are not there yet are refused'),
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
      type: parameters.ConnectionType,
      subType: parameters.SubType,
      env: parameters.EnvType,
      description: parameters.Description ?? '',
      content: parameters.Content,
    });
  },
});
