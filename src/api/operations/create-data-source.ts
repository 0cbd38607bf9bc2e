import { newDataSource } from '../new-data-source.ts';

export const createDataSource = newDataSource({
  name: 'CreateDataSource',
  summary: 'registers a connection; its secrets are stored encrypted',
  type: 'DataSourceType',
});
