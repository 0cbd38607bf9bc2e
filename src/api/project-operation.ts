import type { JsonObject } from '../lib/json-value.ts';
import type { ProjectId } from '../tasks/ids.ts';
import type { Caller } from '../tasks/task-service.ts';
import { defineOperation, type OperationSpec } from './define-operation.ts';
import { answerRefusal } from './errors.ts';
import { type Field, type Operation, type Services, SUCCESS } from './operation.ts';
import { dataOf } from './outcome.ts';
import { id, type Parameters, type ParameterValues } from './parameter.ts';

const COMMON = { ProjectId: id<ProjectId>({ meaning: 'workspace' }) };

/**
 * Defines an operation on a project, whose Data has no Message: what is wrong is an error envelope. ProjectId need not be
 * said. The handler returns Data.
 */
export function projectOperation<P extends Parameters>(
  spec: OperationSpec<P> & {
    readonly data: readonly Field[];
    handle(request: {
      readonly parameters: ParameterValues<P>;
      readonly caller: Caller;
      readonly services: Services;
    }): Promise<JsonObject>;
  },
): Operation {
  return defineOperation(spec, {
    common: COMMON,
    answer: [SUCCESS, dataOf(spec.data)],
    run: async (parameters, { grant, services }) => {
      const caller = await grant.enter(parameters.ProjectId);
      return { Success: true, Data: await spec.handle({ parameters, caller, services }) };
    },
    failed: (error) => {
      throw answerRefusal(error);
    },
  });
}
