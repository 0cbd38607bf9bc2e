import { canonicalJson, parseJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { ProjectId } from '../tasks/ids.ts';
import type { Caller, Idempotence, TaskService, TaskType } from '../tasks/task-service.ts';
import { defineOperation, type OperationSpec } from './define-operation.ts';
import { type Field, type Operation, type Services, SUCCESS } from './operation.ts';
import { outcomeWith } from './outcome.ts';
import { choice, id, type Parameters, type ParameterValues, textOf } from './parameter.ts';

/** What the handler of a DISync operation gets: parsed, authenticated, allowed. */
export interface TaskRequest<P extends Parameters> {
  readonly parameters: ParameterValues<P>;
  readonly taskType: TaskType;
  readonly caller: Caller;
  readonly tasks: TaskService;
  readonly alarms: Services['alarms'];
  /** Null without ClientToken. */
  readonly idempotence: Idempotence | null;
}

const COMMON = {
  ProjectId: id<ProjectId>({ meaning: 'workspace' }),
  TaskType: choice({
    meaning: 'kind of task',
    values: ['DI_OFFLINE', 'DI_REALTIME', 'DI_SOLUTION'],
    note: 'DI_REALTIME and DI_SOLUTION are served; DI_OFFLINE is refused: batch tasks are not there yet. One that is not of the task is answered like an unknown task',
  }),
};

/**
 * Defines an operation on sync tasks. ProjectId and TaskType, and Status and Message in Data, need not be said: every
 * one has them. The handler returns what it knows of Data.
 */
export function taskOperation<P extends Parameters>(
  spec: OperationSpec<P> & {
    /** Keys of Data beside Status and Message. */
    readonly data?: readonly Field[];
    handle(request: TaskRequest<P>): Promise<JsonObject>;
  },
): Operation {
  const { data, succeeded, failed } = outcomeWith(spec.data ?? []);
  const specs = { ...COMMON, ...spec.parameters };
  return defineOperation(spec, {
    common: COMMON,
    answer: [SUCCESS, data],
    run: async (parameters, { parameters: given, grant, services: { tasks, alarms } }) => {
      const caller = await grant.enter(parameters.ProjectId);
      const idempotence = readIdempotence(spec.name, specs, given);
      const taskType = parameters.TaskType;
      return succeeded(await spec.handle({ parameters, taskType, caller, tasks, alarms, idempotence }));
    },
    failed,
  });
}

/** The call as it is compared with an earlier one of the same token: its own parameters, JSON in them canonical. */
function readIdempotence(operation: string, specs: Parameters, given: ReadonlyMap<string, string>): Idempotence | null {
  const token = 'ClientToken' in specs ? (given.get('ClientToken') ?? '') : '';
  if (token === '') return null;
  const compared = Object.entries(specs).flatMap(([name, spec]) => {
    const text = textOf(name, spec, given);
    if (name === 'ClientToken' || text === '') return [];
    return [[name, spec.json ? parseJson(text) : text] as const];
  });
  return { token, operation, parameters: canonicalJson(Object.fromEntries(compared)) };
}
