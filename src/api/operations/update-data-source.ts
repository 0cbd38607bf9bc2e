import type { DataSourceId } from '../../tasks/ids.ts';
import { CHANGED_NOTES, CHANGES, dataSourceOperation } from '../data-source-operation.ts';
import { choice, id, optional } from '../parameter.ts';

export const updateDataSource = dataSourceOperation({
  name: 'UpdateDataSource',
  summary: 'changes how to connect, the description or the environment; what is not given stays',
  access: 'write',
  parameters: {
    DataSourceId: id<DataSourceId>({ meaning: 'the data source' }),
    ...CHANGES,
    Status: optional(
      choice({
        meaning: 'without effect',
        values: ['ENABLED', 'DISABLED'],
        note: 'accepted and ignored; UpdateConnection has it',
      }),
    ),
  },
  data: { type: 'boolean', meaning: 'true when changed' },
  httpStatusCode: '200',
  notes: CHANGED_NOTES,
  handle: async ({ parameters, grant, dataSources }) => {
    const { DataSourceId: source, Content: content, Description: description, EnvType: env } = parameters;
    await dataSources.update(grant.reach(), source, { content, description, env, enabled: null });
    return true;
  },
});
