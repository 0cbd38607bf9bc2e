import type { ProjectId } from '../../tasks/ids.ts';
import { jobOperation } from '../job-operation.ts';
import {
  destinationDataSourceSettings,
  destinationDataSourceType,
  jobSettings,
  migrationType,
  resourceSettings,
  sourceDataSourceSettings,
  sourceDataSourceType,
  tableMappings,
  transformationRules,
} from '../job-shapes.ts';
import { flag, id, optional, text } from '../parameter.ts';

export const createDiJob = jobOperation({
  name: 'CreateDIJob',
  summary: 'plans and saves a new job',
  access: 'write',
  parameters: {
    ProjectId: id<ProjectId>({ meaning: 'workspace' }),
    JobName: text({ meaning: 'name of the job, unique among the tasks of the project', maxLength: 128 }),
    Description: optional(text({ meaning: 'free text', maxLength: 2000, lines: true })),
    MigrationType: migrationType,
    SourceDataSourceType: sourceDataSourceType,
    DestinationDataSourceType: destinationDataSourceType,
    SourceDataSourceSettings: sourceDataSourceSettings,
    DestinationDataSourceSettings: destinationDataSourceSettings,
    TableMappings: tableMappings,
    TransformationRules: optional(transformationRules),
    JobSettings: optional(jobSettings),
    ResourceSettings: optional(resourceSettings),
    SystemDebug: optional(flag({ meaning: 'debugging switch', note: 'accepted and ignored' })),
  },
  answer: [{ name: 'DIJobId', type: 'long', meaning: 'the new job' }],
  notes: [
    'both servers are asked while the caller waits, for up to 20 s together',
    'a job that cannot be planned is refused with everything that is wrong, and nothing is stored',
  ],
  handle: async ({ parameters, grant, jobs }) => {
    const { ProjectId, JobName: name, SystemDebug: _, ...spec } = parameters;
    return { DIJobId: await jobs.create(await grant.enter(ProjectId), { name, spec }) };
  },
});
