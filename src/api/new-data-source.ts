import {
  CONTENT,
  dataSourceOperation,
  dataSourceType,
  DESCRIPTION,
  environment,
  NAME,
  projectId,
  subType,
} from './data-source-operation.ts';
import type { Operation } from './operation.ts';
import { optional } from './parameter.ts';

/** An operation that registers a data source; its two forms call the type by different names. */
export function newDataSource(form: {
  readonly name: string;
  readonly summary: string;
  readonly type: 'DataSourceType' | 'ConnectionType';
}): Operation {
  return dataSourceOperation({
    name: form.name,
    summary: form.summary,
    access: 'write',
    parameters: {
      ProjectId: projectId,
      Name: NAME,
      [form.type]: dataSourceType('types that are not there yet are refused'),
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
        // Read by the parameter of that name.
        type: parameters[form.type] as string,
        subType: parameters.SubType,
        env: parameters.EnvType,
        description: parameters.Description ?? '',
        content: parameters.Content,
      });
    },
  });
}
