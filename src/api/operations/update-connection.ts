import type { DataSourceId } from '../../tasks/ids.ts';
import { CHANGED_NOTES, CHANGES, dataSourceOperation } from '../data-source-operation.ts';
import { enabledOf } from '../data-source-rows.ts';
import { choice, id, optional } from '../parameter.ts';

export const updateConnection = dataSourceOperation({
  name: 'UpdateConnection',
  summary: 'the older form of UpdateDataSource; it also disables and enables',
  access: 'write',
  parameters: {
    ConnectionId: id<DataSourceId>({ meaning: 'the data source' }),
    ...CHANGES,
    Status: optional(
      choice({
        meaning: 'whether plans, deploys and starts may take it',
        values: ['ENABLED', 'DISABLED'],
        note: 'kept if missing',
      }),
    ),
  },
  data: { type: 'boolean', meaning: 'true when changed' },
  httpStatusCode: '200',
  notes: [
    ...CHANGED_NOTES,
    'what runs with a data source when it is disabled goes on, also when the service is started again',
  ],
  handle: async ({ parameters, grant, dataSources }) => {
    const { ConnectionId: source, Content: content, Description: description, EnvType: env } = parameters;
    const enabled = enabledOf(parameters.Status);
    await dataSources.update(grant.reach(), source, { content, description, env, enabled });
    return true;
  },
});
