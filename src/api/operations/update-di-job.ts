import type { JobChange } from '../../tasks/job-spec.ts';
import { diJobId, jobOperation } from '../job-operation.ts';
import { jobSettings, resourceSettings, tableMappings, transformationRules } from '../job-shapes.ts';
import { optional, text } from '../parameter.ts';

export const updateDiJob = jobOperation({
  name: 'UpdateDIJob',
  summary: 'plans a job anew and saves it; one that runs takes and loses tables without a stop',
  access: 'write',
  parameters: {
    DIJobId: diJobId,
    Description: optional(text({ meaning: 'free text', maxLength: 2000, lines: true })),
    TableMappings: optional(tableMappings),
    TransformationRules: optional(transformationRules),
    JobSettings: optional(jobSettings),
    ResourceSettings: optional(resourceSettings),
  },
  notes: [
    'what is given replaces all of what was there, what is not given stays; patterns are looked up anew in any case',
    'settings and options of a running job have their effect from its next start on; tables at once',
    'what the plan warned of is shown by GetDIJob, in RunStats.warnings',
  ],
  handle: async ({ parameters: { DIJobId: job, ...parameters }, caller, jobs }) => {
    const entries = Object.entries(parameters).filter(([, value]) => value !== null);
    // The keys of a change, each read by its own shape.
    await jobs.update(caller, { job, change: Object.fromEntries(entries) as JobChange });
  },
});
