import { stringifyJson } from '../../lib/json.ts';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import type { Job } from '../../tasks/job-service.ts';
import { diJobId, jobOperation } from '../job-operation.ts';
import { given, SPEC_FIELDS } from '../job-shapes.ts';
import { flag, optional } from '../parameter.ts';
import { seconds } from '../seconds.ts';

export const getDiJob = jobOperation({
  name: 'GetDIJob',
  summary: 'shows a job and how it runs',
  access: 'read',
  parameters: {
    DIJobId: diJobId,
    WithDetails: optional(
      flag({ meaning: 'whether to show TableMappings, TransformationRules and JobSettings', note: 'default true' }),
    ),
  },
  answer: [
    {
      name: 'Data',
      type: 'object',
      meaning: 'the job',
      fields: [
        { name: 'DIJobId', type: 'long', meaning: 'the job' },
        { name: 'ProjectId', type: 'long', meaning: 'workspace' },
        { name: 'JobName', type: 'string', meaning: 'name' },
        { name: 'Description', type: 'string', meaning: 'free text' },
        { name: 'JobStatus', type: 'string', meaning: 'Initialized, Running, Stopping, Stopped, Failed or Finished' },
        { name: 'ErrorMessage', type: 'string', meaning: 'why it failed; null when it did not' },
        {
          name: 'RunStats',
          type: 'object',
          meaning:
            'texts, all of them ours: appliedVersion, deployedVersion, rowsRead, rowsWritten, lagMs, dirtyRows, failovers, message (such as tables that failed), warnings of the plan of what is saved, and tables.STATE with a count for each state',
        },
        { name: 'MigrationType', type: 'string', meaning: 'as given' },
        { name: 'SourceDataSourceType', type: 'string', meaning: 'MySQL' },
        { name: 'DestinationDataSourceType', type: 'string', meaning: 'Hologres or Kafka' },
        ...SPEC_FIELDS,
        { name: 'CreatedTime', type: 'long', meaning: 'seconds since the epoch' },
        { name: 'CreatedUid', type: 'string', meaning: 'user' },
        { name: 'UpdatedTime', type: 'long', meaning: 'seconds since the epoch' },
        { name: 'UpdatedUid', type: 'string', meaning: 'user' },
        { name: 'StartedTime', type: 'long', meaning: 'of the last start, seconds since the epoch' },
        { name: 'StartedUid', type: 'string', meaning: 'user' },
      ],
    },
  ],
  notes: [
    'a task that was not made by CreateDIJob, or was changed by UpdateDISyncTask since, shows its tables by name, and its options as ChannelSettings and Rename rules',
  ],
  handle: async ({ parameters: { DIJobId, WithDetails }, caller, jobs }) => {
    return { Data: describe(await jobs.get(caller, DIJobId), WithDetails ?? true) };
  },
});

function describe(job: Job, withDetails: boolean): JsonObject {
  const { spec } = job;
  const details = withDetails ? spec : { TableMappings: null, TransformationRules: null, JobSettings: null };
  const asGiven = (value: unknown): Json => given(value as Json); // of a JobSpec, which is JSON
  return {
    DIJobId: job.id,
    ProjectId: job.project,
    JobName: job.name,
    Description: spec.Description,
    JobStatus: job.status,
    ErrorMessage: job.failure,
    RunStats: runStats(job),
    MigrationType: spec.MigrationType,
    SourceDataSourceType: job.sourceType,
    DestinationDataSourceType: job.sinkType,
    SourceDataSourceSettings: asGiven(spec.SourceDataSourceSettings),
    DestinationDataSourceSettings: asGiven(spec.DestinationDataSourceSettings),
    TableMappings: asGiven(details.TableMappings),
    TransformationRules: asGiven(details.TransformationRules),
    JobSettings: asGiven(details.JobSettings),
    ResourceSettings: asGiven(spec.ResourceSettings),
    CreatedTime: seconds(job.createdAt),
    CreatedUid: job.creator,
    UpdatedTime: seconds(job.editedAt),
    UpdatedUid: job.editor,
    StartedTime: job.startedAt === null ? null : seconds(job.startedAt),
    StartedUid: job.starter,
  };
}

/** Texts by name; without those that are not known. */
function runStats({ info: { run, appliedVersion, deployedVersion, message }, warnings }: Job): JsonObject {
  const states = Map.groupBy(run?.tables ?? [], ({ state }) => state);
  const stats: Record<string, Json> = {
    appliedVersion,
    deployedVersion,
    message,
    warnings: warnings.length === 0 ? null : warnings.join(' | '),
    ...(run === null
      ? {}
      : {
          rowsRead: run.rowsRead,
          rowsWritten: run.rowsWritten,
          lagMs: run.lagMs,
          dirtyRows: run.dirtyRows,
          failovers: run.failovers,
        }),
    ...Object.fromEntries([...states].map(([state, tables]) => [`tables.${state}`, tables.length])),
  };
  const known = Object.entries(stats).filter(([, value]) => value !== null);
  return Object.fromEntries(
    known.map(([name, value]) => [name, typeof value === 'string' ? value : stringifyJson(value)]),
  );
}
