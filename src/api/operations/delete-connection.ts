import type { DataSourceId } from '../../tasks/ids.ts';
import { dataSourceOperation } from '../data-source-operation.ts';
import { id } from '../parameter.ts';

export const deleteConnection = dataSourceOperation({
  name: 'DeleteConnection',
  summary: 'the older form of DeleteDataSource',
  access: 'write',
  parameters: { ConnectionId: id<DataSourceId>({ meaning: 'the data source' }) },
  data: { type: 'boolean', meaning: 'true when removed' },
  httpStatusCode: '200',
  notes: ['a data source of a project that the key does not open is answered like one that does not exist'],
  handle: async ({ parameters, grant, dataSources }) => {
    await dataSources.delete(grant.reach(), parameters.ConnectionId);
    return true;
  },
});
