import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { TaskId } from '../../tasks/ids.ts';
import type { InstanceInfo } from '../../tasks/task-service.ts';
import { id } from '../parameter.ts';
import { taskOperation } from '../task-operation.ts';

export const getDiSyncInstanceInfo = taskOperation({
  name: 'GetDISyncInstanceInfo',
  summary: 'says how a task runs, table by table',
  access: 'read',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  data: [
    { name: 'Name', type: 'string', meaning: 'name of the task' },
    { name: 'SolutionInfo', type: 'object', meaning: 'null: of DI_SOLUTION only, which is not there yet' },
    {
      name: 'Extend',
      type: 'string',
      meaning:
        'JSON, our extension: appliedVersion, deployedVersion, lagMs, heldMs (age of the oldest XA transaction without outcome), dirtyRows (rows that the sink could not take, since the run began), offset, failovers, nextTryAt (ms since the epoch), and tables with database, table, state, chunksDone, chunksAll, rows, code, message, remedy',
    },
  ],
  notes: [
    'Status is NORUN, WAIT, RUN, KILLING or PAUSE',
    'while a table is FAILED, Status stays RUN and Message names it',
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    const info = await tasks.info(caller, { taskType, task: parameters.FileId });
    return { Status: info.status, Message: info.message, Name: info.name, Extend: stringifyJson(describeRun(info)) };
  },
});

function describeRun({ appliedVersion, deployedVersion, run }: InstanceInfo): JsonObject {
  const tables = (run?.tables ?? []).map(({ table, state, chunksDone, chunksAll, rows, failure }) => ({
    database: table.database,
    table: table.table,
    state,
    chunksDone,
    chunksAll,
    rows,
    code: failure?.code ?? null,
    message: failure?.message ?? null,
    remedy: failure?.remedy ?? null,
  }));
  return {
    appliedVersion,
    deployedVersion,
    lagMs: run?.lagMs ?? null,
    heldMs: run?.heldMs ?? null,
    dirtyRows: run?.dirtyRows ?? 0,
    offset: run?.offset ?? null,
    failovers: run?.failovers ?? 0,
    nextTryAt: run?.nextTryAt ?? null,
    tables,
  };
}
