import type { Json, JsonObject } from '../lib/json-value.ts';
import { DATA_SOURCE_TYPES } from '../tasks/data-source-types.ts';
import type { EnvType } from '../tasks/data-source-service.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import { answerDataSourceError } from './errors.ts';
import type { Grant } from './grant.ts';
import { type Field, type Operation, type OperationCall, type Services, SUCCESS, VERSION_2020 } from './operation.ts';
import { choice, id, type Parameter, type Parameters, type ParameterValues, readParameters } from './parameter.ts';

/** What the handler of an operation on data sources gets. It enters the project itself, if the operation names one. */
export interface DataSourceRequest<P extends Parameters> {
  readonly parameters: ParameterValues<P>;
  readonly grant: Grant;
  readonly dataSources: Services['dataSources'];
}

export const projectId: Parameter<ProjectId> = id({ meaning: 'workspace' });

/** Types that the API documents; which of them are there is the domain's to say. */
export const dataSourceType = (note: string): Parameter<string> =>
  choice({
    meaning: 'kind of system',
    note,
    values: DATA_SOURCE_TYPES,
  });

export const subType = (note: string): Parameter<string> =>
  choice({ meaning: 'engine behind rds', note, values: ['mysql', 'sqlserver', 'postgresql'] });

export const environment: Parameter<EnvType> = (() => {
  const values = choice({ meaning: '0 development, 1 production', values: ['0', '1'] });
  return { ...values, type: 'integer', read: (given, name) => (values.read(given, name) === '1' ? 1 : 0) };
})();

/**
 * Defines an operation on data sources. The handler returns Data.
 * `httpStatusCode`: its type on the wire differs by operation, and typed clients decode strictly.
 */
export function dataSourceOperation<P extends Parameters>(spec: {
  readonly name: string;
  readonly summary: string;
  readonly access: Operation['access'];
  readonly parameters: P;
  readonly data: Omit<Field, 'name'>;
  readonly httpStatusCode: string | number;
  readonly notes?: readonly string[];
  handle(request: DataSourceRequest<P>): Promise<Json>;
}): Operation {
  async function run({ parameters: given, grant, services }: OperationCall): Promise<JsonObject> {
    const parameters = readParameters(spec.parameters, given);
    try {
      const data = await spec.handle({ parameters, grant, dataSources: services.dataSources });
      return { Success: true, HttpStatusCode: spec.httpStatusCode, Data: data };
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      throw answerDataSourceError(error);
    }
  }

  const { name, summary, access, parameters, data, httpStatusCode, notes = [] } = spec;
  const answer: Field[] = [
    SUCCESS,
    { name: 'HttpStatusCode', type: typeof httpStatusCode === 'number' ? 'integer' : 'string', meaning: '200' },
    { name: 'Data', ...data },
  ];
  return { name, version: VERSION_2020, summary, access, parameters, answer, notes, run };
}
