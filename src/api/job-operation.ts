import type { JsonObject } from '../lib/json-value.ts';
import type { TaskId } from '../tasks/ids.ts';
import type { Reach } from '../tasks/task-service.ts';
import { defineOperation, type OperationSpec } from './define-operation.ts';
import { answerJobError } from './errors.ts';
import type { Grant } from './grant.ts';
import type { Field, Operation, Services } from './operation.ts';
import { id, type Parameters, type ParameterValues } from './parameter.ts';

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
export function jobOperation<P extends Parameters>(
  spec: OperationSpec<P> & {
    readonly answer?: readonly Field[];
    /** Nothing is answered but the RequestId where it returns nothing. */
    handle(request: JobRequest<P>): Promise<JsonObject | void>;
  },
): Operation {
  return defineOperation(spec, {
    common: {},
    throttled: 429,
    answer: spec.answer ?? [],
    run: async (parameters, { grant, services: { jobs, alarms } }) => {
      const caller = grant.reach();
      return (await spec.handle({ parameters, grant, caller, jobs, alarms })) ?? {};
    },
    failed: (error) => {
      throw answerJobError(error);
    },
  });
}
