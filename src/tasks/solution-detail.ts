import { stringifyJson } from '../lib/json.ts';
import { writeSolution } from './script-writer.ts';
import { ROUTES, SOURCE_TYPE, type TaskDefinition } from './task-definition.ts';
import type { InstanceInfo, SolutionDetail, SolutionState } from './task-service.ts';
import type { TaskRecord } from './task-store.ts';

/** A solution as GetDISyncTask describes it: how it is configured, and how it stands. */
export function solutionDetail(task: TaskRecord, definition: TaskDefinition, info: InstanceInfo): SolutionDetail {
  const { id, name, project, creator, submittedAt, startedAt } = task;
  return {
    id,
    name,
    project,
    creator,
    sourceType: SOURCE_TYPE,
    sinkType: ROUTES[definition.route],
    state: stateOf(task, info),
    submittedAt,
    startedAt,
    processContent: writeSolution(name, definition),
    processExtra: stringifyJson({ processType: 'new', tableNum: definition.tables.length }),
  };
}

function stateOf({ state }: TaskRecord, { status, solution }: InstanceInfo): SolutionState {
  switch (status) {
    case 'NORUN':
      return state === 'SAVED' ? 'idle' : 'submitted';
    case 'WAIT':
      return 'waiting';
    case 'RUN':
    case 'KILLING':
      return 'running';
    case 'PAUSE':
      return solution?.status === 'fail' ? 'failed' : 'idle';
  }
}
