import type { ProjectId } from '../../tasks/ids.ts';
import { jobOperation } from '../job-operation.ts';
import { destinationDataSourceType, sourceDataSourceType } from '../job-shapes.ts';
import { describePage, PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from '../page.ts';
import { id, optional, text } from '../parameter.ts';

export const listDiJobs = jobOperation({
  name: 'ListDIJobs',
  summary: 'lists jobs, newest first',
  access: 'read',
  parameters: {
    ProjectId: id<ProjectId>({ meaning: 'workspace' }),
    JobName: optional(text({ meaning: 'part of the name, whatever its case', maxLength: 128 })),
    SourceDataSourceType: optional(sourceDataSourceType),
    DestinationDataSourceType: optional(destinationDataSourceType),
    ...PAGE_PARAMETERS,
  },
  answer: [
    {
      name: 'DIJobPaging',
      type: 'object',
      meaning: 'a page',
      fields: [
        {
          name: 'DIJobs',
          type: 'list',
          meaning: 'the page',
          fields: [
            { name: 'DIJobId', type: 'long', meaning: 'the job' },
            { name: 'ProjectId', type: 'long', meaning: 'workspace' },
            { name: 'JobName', type: 'string', meaning: 'name' },
            {
              name: 'JobStatus',
              type: 'string',
              meaning: 'Initialized, Running, Stopping, Stopped, Failed or Finished',
            },
            { name: 'MigrationType', type: 'string', meaning: 'what is loaded and what is followed' },
            { name: 'SourceDataSourceType', type: 'string', meaning: 'MySQL' },
            { name: 'DestinationDataSourceType', type: 'string', meaning: 'Hologres or Kafka' },
          ],
        },
        ...PAGE_FIELDS,
      ],
    },
  ],
  notes: ['tasks are jobs, however they were made'],
  handle: async ({ parameters, grant, jobs }) => {
    const { JobName: name, SourceDataSourceType: sourceType, DestinationDataSourceType: sinkType } = parameters;
    const page = pageOf(parameters);
    const caller = await grant.enter(parameters.ProjectId);
    const { rows, total } = await jobs.list(caller, { name, sourceType, sinkType, ...page });
    const described = rows.map((job) => ({
      DIJobId: job.id,
      ProjectId: job.project,
      JobName: job.name,
      JobStatus: job.status,
      MigrationType: job.migrationType,
      SourceDataSourceType: job.sourceType,
      DestinationDataSourceType: job.sinkType,
    }));
    return { DIJobPaging: { DIJobs: described, ...describePage(page, total) } };
  },
});
