import { newDataSource } from '../new-data-source.ts';

export const createConnection = newDataSource({
  name: 'CreateConnection',
  summary: 'the older form of CreateDataSource',
  type: 'ConnectionType',
});
