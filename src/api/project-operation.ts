import type { JsonObject } from '../lib/json-value.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import type { Caller } from '../tasks/task-service.ts';
import { answerRefusal } from './errors.ts';
import { type Field, type Operation, type OperationCall, type Services, SUCCESS, VERSION_2020 } from './operation.ts';
import { id, type Parameters, type ParameterValues, readParameters } from './parameter.ts';

const COMMON = { ProjectId: id<ProjectId>({ meaning: 'workspace' }) };

/**
 * Defines an operation on a project, whose Data has no Message: what is wrong is an error envelope. ProjectId need not be
 * said. The handler returns Data.
 */
export function projectOperation<P extends Parameters>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly access: Operation['access'];
  readonly parameters: P;
  readonly data: readonly Field[];
  readonly notes?: readonly string[];
  handle(request: {
    readonly parameters: ParameterValues<P>;
    readonly caller: Caller;
    readonly services: Services;
  }): Promise<JsonObject>;
}): Operation {
  const { name, summary, access, data, notes = [] } = spec;
  const all = { ...COMMON, ...spec.parameters };

  async function run({ parameters: given, grant, services }: OperationCall): Promise<JsonObject> {
    // The values of both, because `all` is both.
    const parameters = readParameters(all, given) as ParameterValues<typeof COMMON> & ParameterValues<P>;
    const caller = await grant.enter(parameters.ProjectId);
    try {
      return { Success: true, Data: await spec.handle({ parameters, caller, services }) };
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      throw answerRefusal(error);
    }
  }

  const answer: Field[] = [SUCCESS, { name: 'Data', type: 'object', meaning: 'the outcome', fields: data }];
  return { name, version: VERSION_2020, summary, access, parameters: all, answer, notes, run };
}
