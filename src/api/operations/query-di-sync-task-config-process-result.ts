import { assertNever } from '../../lib/errors.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { ProcessId } from '../../tasks/ids.ts';
import type { ProcessState } from '../../tasks/task-service.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

/** The vendor's oldest client gives up after 3 s. */
const WAIT_MS = 2000;

export const queryDiSyncTaskConfigProcessResult = taskOperation({
  name: 'QueryDISyncTaskConfigProcessResult',
  summary: 'says what became of a planning process',
  access: 'read',
  parameters: { AsyncProcessId: id<ProcessId>({ meaning: 'the process' }) },
  data: [
    {
      name: 'TaskContent',
      type: 'string',
      meaning: 'JSON: the script to hand to CreateDISyncTask or UpdateDISyncTask',
    },
    { name: 'Plan', type: 'string', meaning: 'JSON, our extension: what will happen to which table' },
  ],
  notes: [
    'Status is `running` while the process works; a call waits for it up to 2 s',
    'a process can be asked about for 7 days',
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    const request = { taskType, process: parameters.AsyncProcessId, waitMs: WAIT_MS };
    return describe(await tasks.processResult(caller, request));
  },
});

function describe(state: ProcessState): JsonObject {
  switch (state.kind) {
    case 'running':
      return { Status: 'running' };
    case 'success':
      return { TaskContent: state.taskContent, Plan: state.plan, Message: state.message };
    case 'fail':
      return { Status: 'fail', Message: state.message };
    default:
      return assertNever(state);
  }
}
