import type { Json, JsonObject } from '../lib/json-value.ts';
import { DATA_SOURCE_TYPES } from '../tasks/data-source-types.ts';
import type { EnvType } from '../tasks/data-source-service.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { defineOperation, type OperationSpec } from './define-operation.ts';
import { answerDataSourceError } from './errors.ts';
import type { Grant } from './grant.ts';
import { type Field, type Operation, type Services, SUCCESS } from './operation.ts';
import { outcomeWith } from './outcome.ts';
import {
  choice,
  id,
  jsonObject,
  optional,
  type Parameter,
  type Parameters,
  type ParameterValues,
  text,
} from './parameter.ts';

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

/** The same as a text, as newer operations have it. */
export const environmentText = (note: string): Parameter<EnvType> => ({ ...environment, type: 'string', note });

export const NAME = text({ meaning: 'name, unique in project and environment', maxLength: 255 });
export const CONTENT = jsonObject({
  meaning: 'how to connect; keys depend on the type',
  maxLength: 65_536,
  secret: true,
});
export const DESCRIPTION = optional(text({ meaning: 'free text', maxLength: 3000, lines: true }));

/** What an update may give, but for Status, which means something in one of its two forms only. */
export const CHANGES = {
  Content: optional({ ...CONTENT, note: 'replaces the whole Content; without it the former one stays' }),
  Description: optional(text({ meaning: 'free text', maxLength: 3000, lines: true, note: 'kept if missing' })),
  EnvType: optional({ ...environment, note: 'moves it there; kept if missing' }),
};
export const CHANGED_NOTES = [
  'name and type cannot change',
  'runs take a new Content at their next start, or when the service is started again; if it leads to another server, they stop with a code',
];

/**
 * Defines an operation on data sources. The handler returns Data.
 * `httpStatusCode`: its type on the wire differs by operation, and typed clients decode strictly.
 */
export function dataSourceOperation<P extends Parameters>(
  spec: OperationSpec<P> & {
    readonly data: Omit<Field, 'name'>;
    readonly httpStatusCode: string | number;
    handle(request: DataSourceRequest<P>): Promise<Json>;
  },
): Operation {
  const { data, httpStatusCode } = spec;
  const status: Field = {
    name: 'HttpStatusCode',
    type: typeof httpStatusCode === 'number' ? 'integer' : 'string',
    meaning: '200',
  };
  return defineOperation(spec, {
    common: {},
    answer: [SUCCESS, status, { name: 'Data', ...data }],
    run: async (parameters, { grant, services: { dataSources } }) => {
      const value = await spec.handle({ parameters, grant, dataSources });
      return { Success: true, HttpStatusCode: httpStatusCode, Data: value };
    },
    failed: (error) => {
      throw answerDataSourceError(error);
    },
  });
}

/**
 * Defines an operation on a data source that is named, whose Data has Status and Message as sync tasks have them. The
 * handler returns the other keys of Data, which `fields` describe.
 */
export function namedDataSourceOperation<P extends Parameters>(
  spec: OperationSpec<P> & {
    readonly fields: readonly Field[];
    handle(request: DataSourceRequest<P>): Promise<JsonObject>;
  },
): Operation {
  const { data, succeeded, failed } = outcomeWith(spec.fields);
  return defineOperation(spec, {
    common: {},
    answer: [SUCCESS, data],
    run: async (parameters, { grant, services: { dataSources } }) =>
      succeeded(await spec.handle({ parameters, grant, dataSources })),
    failed,
  });
}
