import type { DataSourceId } from '../../tasks/ids.ts';
import { dataSourceOperation } from '../data-source-operation.ts';
import { id } from '../parameter.ts';

export const deleteDataSource = dataSourceOperation({
  name: 'DeleteDataSource',
  summary: 'removes a connection that no task uses',
  access: 'write',
  parameters: { DataSourceId: id<DataSourceId>({ meaning: 'the data source' }) },
  data: { type: 'boolean', meaning: 'true when removed' },
  httpStatusCode: '200',
  notes: ['a data source of a project that the key does not open is answered like one that does not exist'],
  handle: async ({ parameters, grant, dataSources }) => {
    await dataSources.delete(grant.reach(), parameters.DataSourceId);
    return true;
  },
});
