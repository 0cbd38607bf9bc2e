import { canonicalJson, parseJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import type { Caller, Idempotence, TaskService, TaskType } from '../tasks/task-service.ts';
import { answerSyncTaskError } from './errors.ts';
import { type Field, type Operation, type OperationCall, type Services, SUCCESS, VERSION_2020 } from './operation.ts';
import { choice, id, type Parameters, type ParameterValues, readParameters, textOf } from './parameter.ts';

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
const STATUS: Field = { name: 'Status', type: 'string', meaning: 'success, or fail' };
const MESSAGE: Field = { name: 'Message', type: 'string', meaning: 'why it failed; null when there is nothing to say' };

/**
 * Defines an operation on sync tasks. ProjectId and TaskType, and Status and Message in Data, need not be said: every
 * one has them. The handler returns what it knows of Data; keys it leaves out are null, Status is `success`.
 */
export function taskOperation<P extends Parameters>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly access: Operation['access'];
  readonly parameters: P;
  /** Keys of Data beside Status and Message. */
  readonly data?: readonly Field[];
  readonly notes?: readonly string[];
  handle(request: TaskRequest<P>): Promise<JsonObject>;
}): Operation {
  const all = { ...COMMON, ...spec.parameters };
  const data = [STATUS, MESSAGE, ...(spec.data ?? [])];
  const empty = Object.fromEntries(data.map(({ name }) => [name, null]));

  async function run({ parameters: given, grant, services }: OperationCall): Promise<JsonObject> {
    // The values of both, because `all` is both.
    const parameters = readParameters(all, given) as ParameterValues<typeof COMMON> & ParameterValues<P>;
    const caller = await grant.enter(parameters.ProjectId);
    const taskType = parameters.TaskType;
    const idempotence = readIdempotence(spec.name, all, given);
    try {
      const { tasks, alarms } = services;
      const known = await spec.handle({ parameters, taskType, caller, tasks, alarms, idempotence });
      return { Success: true, Data: { ...empty, Status: 'success', ...known } };
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      const answer = answerSyncTaskError(error);
      if (typeof answer !== 'string') throw answer;
      return { Success: true, Data: { ...empty, Status: 'fail', Message: answer } };
    }
  }

  return {
    name: spec.name,
    version: VERSION_2020,
    summary: spec.summary,
    access: spec.access,
    parameters: all,
    answer: [SUCCESS, { name: 'Data', type: 'object', meaning: 'the outcome', fields: data }],
    notes: spec.notes ?? [],
    run,
  };
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
