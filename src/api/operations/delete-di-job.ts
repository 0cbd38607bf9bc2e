import { diJobId, jobOperation } from '../job-operation.ts';

export const deleteDiJob = jobOperation({
  name: 'DeleteDIJob',
  summary: 'removes a job that does not run, and its position; tables at the destination stay',
  access: 'write',
  parameters: { DIJobId: diJobId },
  handle: ({ parameters: { DIJobId }, caller, jobs }) => jobs.delete(caller, DIJobId),
});
