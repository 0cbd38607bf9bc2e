import type { JsonObject } from '../lib/json-value.ts';
import { TaskError } from '../tasks/task-error.ts';
import { type Field, type Operation, type OperationCall, VERSION_2020 } from './operation.ts';
import { type Parameters, type ParameterValues, readParameters } from './parameter.ts';

/** What the definition of an operation says of it, whatever its kind. */
export interface OperationSpec<P extends Parameters> {
  readonly name: string;
  readonly summary: string;
  readonly access: Operation['access'];
  readonly parameters: P;
  readonly notes?: readonly string[];
}

/** What all operations of a kind have in common, and how they run. */
interface Kind<Common extends Parameters, P extends Parameters> {
  /** Parameters that every one of them has. */
  readonly common: Common;
  readonly answer: readonly Field[];
  /** 400 unless it is said. */
  readonly throttled?: Operation['throttled'];
  /** Gives the answer without RequestId. */
  run(parameters: ParameterValues<Common> & ParameterValues<P>, call: OperationCall): Promise<JsonObject>;
  /** The answer to a call that broke a rule of the domain; throws ApiError where that is a refusal. */
  failed(error: TaskError): JsonObject;
}

/** Makes the entry of the catalogue: reads the parameters, runs, and answers what the domain refuses. */
export function defineOperation<Common extends Parameters, P extends Parameters>(
  { name, summary, access, parameters: own, notes = [] }: OperationSpec<P>,
  { common, answer, throttled = 400, run, failed }: Kind<Common, P>,
): Operation {
  const parameters = { ...common, ...own };
  return {
    name,
    version: VERSION_2020,
    summary,
    access,
    parameters,
    throttled,
    answer,
    notes,
    run: async (call) => {
      // The values of both, because `parameters` is both.
      const values = readParameters(parameters, call.parameters) as ParameterValues<Common> & ParameterValues<P>;
      try {
        return await run(values, call);
      } catch (error) {
        if (!(error instanceof TaskError)) throw error;
        return failed(error);
      }
    },
  };
}
