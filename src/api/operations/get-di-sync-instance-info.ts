import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { TaskId } from '../../tasks/ids.ts';
import type { InstanceInfo } from '../../tasks/task-service.ts';
import type { Field } from '../operation.ts';
import { id } from '../parameter.ts';
import { describeSolution } from '../solution-info.ts';
import { taskOperation } from '../task-operation.ts';

const SOLUTION: readonly Field[] = [
  { name: 'Id', type: 'long', meaning: 'the solution: its FileId' },
  { name: 'CreatorName', type: 'string', meaning: 'the user who made it' },
  { name: 'Status', type: 'string', meaning: 'wait, run or fail' },
  {
    name: 'StepDetail',
    type: 'list',
    meaning: 'structure, full load, stream',
    fields: [
      { name: 'StepId', type: 'long', meaning: 'from 1' },
      { name: 'StepName', type: 'string', meaning: 'what the step does' },
      { name: 'Status', type: 'string', meaning: 'wait, run, success or fail' },
      { name: 'Info', type: 'string', meaning: 'JSON: a table for a page, with a row for each table of the step' },
    ],
  },
];

export const getDiSyncInstanceInfo = taskOperation({
  name: 'GetDISyncInstanceInfo',
  summary: 'says how a task runs, table by table',
  access: 'read',
  parameters: { FileId: id<TaskId>({ meaning: 'the task' }) },
  data: [
    { name: 'Name', type: 'string', meaning: 'name of the task; null for DI_SOLUTION' },
    { name: 'SolutionInfo', type: 'object', meaning: 'of DI_SOLUTION; null for DI_REALTIME', fields: SOLUTION },
    {
      name: 'Extend',
      type: 'string',
      meaning:
        'JSON, our extension: appliedVersion, deployedVersion, lagMs, heldMs (age of the oldest XA transaction without outcome), watermarkAt (all changes before this time are durable at the sink, ms since the epoch), dirtyRows (rows that the sink could not take, since the run began), offset, failovers, nextTryAt (ms since the epoch), and tables with database, table, state, chunksDone, chunksAll, rows, code, message, remedy',
    },
  ],
  notes: [
    'Status is NORUN, WAIT, RUN, KILLING or PAUSE; for DI_SOLUTION it is success, and SolutionInfo.Status says how the solution stands',
    'while a table is FAILED, Status stays RUN and Message names it',
  ],
  handle: async ({ parameters, taskType, caller, tasks }) => {
    const info = await tasks.info(caller, { taskType, task: parameters.FileId });
    const said = { Message: info.message, Extend: stringifyJson(describeRun(info)) };
    return info.solution === null
      ? { ...said, Status: info.status, Name: info.name }
      : { ...said, SolutionInfo: describeSolution(info.solution) };
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
    watermarkAt: run?.watermarkAt ?? null,
    dirtyRows: run?.dirtyRows ?? 0,
    offset: run?.offset ?? null,
    failovers: run?.failovers ?? 0,
    nextTryAt: run?.nextTryAt ?? null,
    tables,
  };
}
