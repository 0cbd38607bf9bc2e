import { diJobId, jobOperation } from '../job-operation.ts';

export const stopDiJob = jobOperation({
  name: 'StopDIJob',
  summary: 'writes what is on its way, keeps the position, and stops',
  access: 'write',
  parameters: { DIJobId: diJobId },
  handle: ({ parameters: { DIJobId }, caller, jobs }) => jobs.stop(caller, DIJobId),
});
