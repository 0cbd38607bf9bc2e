import type { JsonObject } from '../lib/json-value.ts';
import type { TaskId } from '../tasks/ids.ts';
import type { Reach } from '../tasks/data-source-service.ts';
import { TaskError } from '../tasks/task-error.ts';
import { reachOf } from './data-source-operation.ts';
import { answerJobError } from './errors.ts';
import type { Grant } from './grant.ts';
import { type Field, type Operation, type OperationCall, type Services, VERSION_2020 } from './operation.ts';
import { id, type Parameters, type ParameterValues, readParameters } from './parameter.ts';

/** What the handler of an operation on jobs and their alarm rules gets. It enters the project itself, if the operation names one. */
export interface JobRequest<P extends Parameters> {
  readonly parameters: ParameterValues<P>;
  readonly grant: Grant;
  readonly caller: Reach;
  readonly jobs: Services['jobs'];
  readonly alarms: Services['alarms'];
}

export const diJobId = id<TaskId>({ meaning: 'the job, which is a task: its FileId' });

/** Defines an operation on jobs or their alarm rules, whose answers have no Success. */
export function jobOperation<P extends Parameters>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly access: Operation['access'];
  readonly parameters: P;
  readonly answer?: readonly Field[];
  readonly notes?: readonly string[];
  /** Nothing is answered but the RequestId where it returns nothing. */
  handle(request: JobRequest<P>): Promise<JsonObject | void>;
}): Operation {
  const { name, summary, access, answer = [], notes = [] } = spec;
  async function run({ parameters: given, grant, services }: OperationCall): Promise<JsonObject> {
    const parameters = readParameters(spec.parameters, given);
    const caller = await reachOf(grant);
    try {
      const { jobs, alarms } = services;
      return (await spec.handle({ parameters, grant, caller, jobs, alarms })) ?? {};
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      throw answerJobError(error);
    }
  }
  return { name, version: VERSION_2020, summary, access, parameters: spec.parameters, answer, notes, run };
}
