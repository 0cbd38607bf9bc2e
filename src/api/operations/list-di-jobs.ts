import type { ProjectId } from '../../tasks/ids.ts';
import { jobOperation } from '../job-operation.ts';
import { destinationDataSourceType, sourceDataSourceType } from '../job-shapes.ts';
import { id, integer, optional, text } from '../parameter.ts';

export const listDiJobs = jobOperation({
  name: 'ListDIJobs',
  summary: 'lists jobs, newest first',
  access: 'read',
  parameters: {
    ProjectId: id<ProjectId>({ meaning: 'workspace' }),
    JobName: optional(text({ meaning: 'part of the name, whatever its case', maxLength: 128 })),
    SourceDataSourceType: optional(sourceDataSourceType),
    DestinationDataSourceType: optional(destinationDataSourceType),
    PageNumber: optional(integer({ meaning: 'page, from 1', min: 1, max: 1_000_000, note: 'default 1' })),
    PageSize: optional(integer({ meaning: 'rows per page', min: 1, max: 100, note: 'default 10' })),
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
            { name: 'JobStatus', type: 'string', meaning: 'Initialized, Running, Stopping, Stopped or Failed' },
            { name: 'MigrationType', type: 'string', meaning: 'what is loaded and what is followed' },
            { name: 'SourceDataSourceType', type: 'string', meaning: 'MySQL' },
            { name: 'DestinationDataSourceType', type: 'string', meaning: 'Hologres or Kafka' },
          ],
        },
        { name: 'PageNumber', type: 'integer', meaning: 'page' },
        { name: 'PageSize', type: 'integer', meaning: 'rows per page' },
        { name: 'TotalCount', type: 'integer', meaning: 'rows over all pages' },
      ],
    },
  ],
  notes: ['tasks are jobs, however they were made'],
  handle: async ({ parameters, grant, jobs }) => {
    const { JobName: name, SourceDataSourceType: sourceType, DestinationDataSourceType: sinkType } = parameters;
    const pageNumber = parameters.PageNumber ?? 1;
    const pageSize = parameters.PageSize ?? 10;
    const caller = await grant.enter(parameters.ProjectId);
    const { rows, total } = await jobs.list(caller, { name, sourceType, sinkType, pageNumber, pageSize });
    const described = rows.map((job) => ({
      DIJobId: job.id,
      ProjectId: job.project,
      JobName: job.name,
      JobStatus: job.status,
      MigrationType: job.migrationType,
      SourceDataSourceType: job.sourceType,
      DestinationDataSourceType: job.sinkType,
    }));
    return { DIJobPaging: { DIJobs: described, PageNumber: pageNumber, PageSize: pageSize, TotalCount: total } };
  },
});
