import { isJsonObject, JsonError, parseJsonObject, stringifyJson } from '../../lib/json.ts';
import type { EnvType } from '../../tasks/data-source-service.ts';
import { DATA_SOURCE_TYPES } from '../../tasks/data-source-types.ts';
import { answerDataSourceError, invalidParameter } from '../errors.ts';
import { projectId } from '../data-source-operation.ts';
import { defineOperation } from '../define-operation.ts';
import { SUCCESS } from '../operation.ts';
import { dataOf } from '../outcome.ts';
import { structure } from '../parameter.ts';
import { line, listOf, type Member, objectOf, oneOf, required, type Shape, whole } from '../shape.ts';

const CONTENT_MAX = 65_536;

/** A JSON object, also as its text, which is how CreateDataSource takes it. */
const content: Shape<string> = {
  type: 'string',
  rule: `JSON object in a string, at most ${CONTENT_MAX} characters`,
  members: {},
  read: (value, place) => {
    const text = typeof value === 'string' ? value : isJsonObject(value) ? stringifyJson(value) : '';
    if (text.length > CONTENT_MAX)
      throw invalidParameter(`${place} must have at most ${CONTENT_MAX} characters; it has ${text.length}.`);
    try {
      parseJsonObject(text);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw invalidParameter(`${place} must be a JSON object: ${error.message}.`);
    }
    return text;
  },
};

/** A key that must be there, and may be empty or null. */
function present<T>(shape: Shape<T>, meaning: string): Member<T | null> {
  const read: Member<T | null>['read'] = (value, place) => {
    if (value === undefined) throw invalidParameter(`${place} is missing; it may be empty.`);
    return value === null || value === '' ? null : shape.read(value, place);
  };
  return { shape, required: true, meaning, note: 'may be empty', read };
}

const parameters = {
  ProjectId: projectId,
  DataSources: structure({
    secret: true,
    meaning: 'what to register',
    maxLength: 16 << 20,
    shape: listOf(
      objectOf({
        Name: required(line({ maxLength: 255 }), 'name, unique in project and environment'),
        DataSourceType: required(oneOf(DATA_SOURCE_TYPES), 'kind of system'),
        SubType: present(oneOf(['mysql', 'sqlserver', 'postgresql']), 'engine behind rds'),
        Description: present(line({ maxLength: 3000, lines: true }), 'free text'),
        Content: required(content, 'how to connect; keys depend on the type'),
        EnvType: required(whole({ min: 0, max: 1 }), '0 development, 1 production'),
      }),
      { max: 1000 },
    ),
  }),
};

export const importDataSources = defineOperation(
  {
    name: 'ImportDataSources',
    summary: 'registers several connections at once',
    access: 'write',
    parameters,
    notes: [
      'a list that is not well formed is refused as a whole; of one that is, what can be registered is, and the others are named',
    ],
  },
  {
    common: {},
    answer: [
      SUCCESS,
      dataOf([
        { name: 'Status', type: 'boolean', meaning: 'true when all were registered' },
        { name: 'Message', type: 'string', meaning: 'what was not registered, and why; null when all were' },
      ]),
    ],
    run: async ({ ProjectId: project, DataSources: rows }, { grant, services }) => {
      const caller = await grant.enter(project);
      const sources = rows.map((row) => ({
        name: row.Name,
        type: row.DataSourceType,
        subType: row.SubType,
        env: row.EnvType as EnvType,
        description: row.Description ?? '',
        content: row.Content,
      }));
      const reasons = await services.dataSources.import(caller, sources);
      return { Success: true, Data: { Status: reasons.length === 0, Message: reasons.join('; ') || null } };
    },
    failed: (error) => {
      throw answerDataSourceError(error);
    },
  },
);
