import { diJobId, jobOperation } from '../job-operation.ts';
import { flag, optional, structure } from '../parameter.ts';
import { maybe, objectOf, whole } from '../shape.ts';

const START_SETTINGS = objectOf({
  StartTime: maybe(
    whole({ min: 0, max: 2 ** 32 - 1 }),
    'seconds since the epoch: tables stream from then on and are not loaded; without it they are loaded as MigrationType says, or go on',
    'served for a job without a position: before its first start, or with ForceToRerun',
  ),
  FailoverSettings: maybe(
    objectOf({
      UpperLimit: maybe(whole({ min: 0, max: 1_000_000 }), 'failovers allowed'),
      Interval: maybe(whole({ min: 0, max: 1_000_000 }), 'in so many minutes'),
    }),
    'limit of failovers, in place of the one in JobSettings',
  ),
});

export const startDiJob = jobOperation({
  name: 'StartDIJob',
  summary: 'deploys the saved version of a job and runs it',
  access: 'write',
  parameters: {
    DIJobId: diJobId,
    ForceToRerun: optional(flag({ meaning: 'forget the position, and load anew', note: 'default false' })),
    RealtimeStartSettings: optional(structure({ meaning: 'where to begin', shape: START_SETTINGS, maxLength: 4096 })),
  },
  notes: [
    'on a running job, the same settings succeed, and deploy what was saved since; others are refused: stop it first',
  ],
  handle: async ({
    parameters: { DIJobId: job, ForceToRerun: again, RealtimeStartSettings: settings },
    caller,
    jobs,
  }) => {
    const { StartTime: startTime = null, FailoverSettings: limit = null } = settings ?? {};
    const failover = limit === null ? null : { count: limit.UpperLimit, intervalMinutes: limit.Interval };
    await jobs.start(caller, { job, again: again ?? false, start: { startTime, failover } });
  },
});
