import { PAGE_PARAMETERS, pageOf } from '../page.ts';
import { choice, integer, optional, text } from '../parameter.ts';
import { projectOperation } from '../project-operation.ts';

export const listRefDiSyncTasks = projectOperation({
  name: 'ListRefDISyncTasks',
  summary: 'lists the tasks that use a data source, newest first',
  access: 'read',
  parameters: {
    TaskType: choice({
      meaning: 'kind of task',
      values: ['DI_OFFLINE', 'DI_REALTIME', 'DI_SOLUTION'],
      note: 'DI_OFFLINE lists none: batch tasks are not there yet. DI_SOLUTION is our extension',
    }),
    DatasourceName: text({ meaning: 'name of the data source', maxLength: 255 }),
    RefType: choice({ meaning: 'from: it is their source; to: their destination', values: ['from', 'to'] }),
    ...PAGE_PARAMETERS,
    PageNumber: optional(integer({ meaning: 'page, from 1', min: 1, max: 100, note: 'default 1' })),
  },
  data: [
    {
      name: 'DISyncTasks',
      type: 'list',
      meaning: 'the page',
      fields: [
        { name: 'NodeId', type: 'long', meaning: 'the task: its FileId' },
        { name: 'NodeName', type: 'string', meaning: 'its name' },
        { name: 'TaskType', type: 'string', meaning: 'kind of task' },
        { name: 'DiSourceDatasource', type: 'string', meaning: 'JSON: list of names of its sources' },
        { name: 'DiDestinationDatasource', type: 'string', meaning: 'JSON: list of names of its destinations' },
      ],
    },
  ],
  notes: ['tasks that are saved, deployed or not, and not deleted; their data sources never change'],
  handle: async ({ parameters, caller, services: { tasks } }) => {
    const rows = await tasks.using(caller, {
      taskType: parameters.TaskType,
      dataSource: parameters.DatasourceName,
      end: parameters.RefType === 'from' ? 'source' : 'sink',
      page: pageOf(parameters),
    });
    return {
      DISyncTasks: rows.map(({ id, name, type, sourceName, sinkName }) => ({
        NodeId: id,
        NodeName: name,
        TaskType: type,
        DiSourceDatasource: JSON.stringify([sourceName]),
        DiDestinationDatasource: JSON.stringify([sinkName]),
      })),
    };
  },
});
