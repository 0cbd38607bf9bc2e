import { stringifyJson } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import type { Field, Operation } from './operation.ts';
import type { Parameter } from './parameter.ts';
import { type Answer, JSON_TYPE } from './rpc/answer.ts';
import type { Members } from './shape.ts';

export const CATALOGUE_PATH = '/catalogue';

/** `GET /catalogue`: every operation as tools need it, for explorers and command lines. It says nothing of what is stored. */
export function answerCatalogue(operations: readonly Operation[]): Answer {
  return { status: 200, contentType: JSON_TYPE, body: stringifyJson({ operations: operations.map(describe) }) };
}

function describe({ name, version, summary, access, parameters, answer, notes }: Operation): JsonObject {
  return {
    name,
    version,
    summary,
    access,
    policyAction: `dataworks:${name}`,
    parameters: Object.entries(parameters).map(describeParameter),
    answer: answer.map(describeField),
    notes: [...notes],
  };
}

function describeParameter([name, parameter]: [string, Parameter<unknown>]): Json {
  const { type, required, rule, meaning, note, members } = parameter;
  return { name, type, required, accepted: rule, meaning, note, ...describeMembers(members) };
}

/** What is inside of a structured parameter. */
function describeMembers(members: Members): JsonObject {
  const entries = Object.entries(members);
  if (entries.length === 0) return {};
  return {
    fields: entries.map(([name, { shape, required, meaning, note }]) => {
      const { type, rule: accepted, members: inner } = shape;
      return { name, type, required, accepted, meaning, note, ...describeMembers(inner) };
    }),
  };
}

function describeField({ name, type, meaning, fields = [] }: Field): Json {
  return { name, type, meaning, ...(fields.length === 0 ? {} : { fields: fields.map(describeField) }) };
}
