import { AddressRanges } from '../lib/address-ranges.ts';
import { isJsonObject, JsonError, parseJsonObject } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import type { Choice, Policy, Statement } from './policy.ts';
import { TaskError } from './task-error.ts';

const KEYS = new Set(['Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition', 'Sid']);
const SERVICE = 'dataworks:';
const SOURCE_ADDRESS = 'acs:SourceIp';
const LENGTH_MAX = 6144;

/**
 * Reads a policy document as RAM has them: `{"Version":"1","Statement":[{"Effect","Action","Resource","Condition"}]}`.
 * Actions are `dataworks:<Operation>`, resources `project/<id>` or `acs:dataworks:<region>:<account>:project/<id>`, whose region and
 * account are not looked at; conditions are IpAddress and NotIpAddress over acs:SourceIp.
 * Errors: TaskError `invalid` (`Policy.Invalid`): what is not understood is refused, never left out.
 */
export function readPolicy(text: string): Policy {
  if (text.length > LENGTH_MAX) throw invalid(`it has more than ${LENGTH_MAX} characters`);
  const document = readObject(text);
  for (const key of Object.keys(document))
    if (key !== 'Version' && key !== 'Statement') throw invalid(`${key} is not known; Version and Statement are`);
  if (document['Version'] !== '1') throw invalid('Version must be "1"');
  return listOf(document['Statement'], 'Statement').map((statement, index) =>
    readStatement(statement, `Statement[${index}]`),
  );
}

function readObject(text: string): JsonObject {
  try {
    return parseJsonObject(text);
  } catch (error) {
    if (error instanceof JsonError) throw invalid(`it is no JSON object: ${error.message}`);
    throw error;
  }
}

function readStatement(statement: Json, where: string): Statement {
  if (!isJsonObject(statement)) throw invalid(`${where} must be an object`);
  for (const key of Object.keys(statement))
    if (!KEYS.has(key)) throw invalid(`${where}.${key} is not known; ${[...KEYS].join(', ')} are`);
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') throw invalid(`${where}.Effect must be "Allow" or "Deny"`);
  return {
    effect,
    actions: readChoice(statement, 'Action', where, readAction),
    resources: readChoice(statement, 'Resource', where, readResource),
    conditions: readConditions(statement['Condition'], `${where}.Condition`),
  };
}

function readChoice(
  statement: JsonObject,
  key: 'Action' | 'Resource',
  where: string,
  read: (text: string, where: string) => string,
): Choice {
  const isNot = statement[`Not${key}`] !== undefined;
  if (isNot === (statement[key] !== undefined)) throw invalid(`${where} must have either ${key} or Not${key}`);
  const name = isNot ? `Not${key}` : key;
  const patterns = textsOf(statement[name], `${where}.${name}`);
  return { isNot, patterns: patterns.map((text) => read(text, `${where}.${name}`)) };
}

function readAction(text: string, where: string): string {
  if (text === '*') return '*';
  const lower = text.toLowerCase();
  if (!lower.startsWith(SERVICE) || lower === SERVICE)
    throw invalid(`${where}: an action is "*" or such as "dataworks:GetDISyncTask" or "dataworks:Get*"`);
  return lower.slice(SERVICE.length);
}

function readResource(text: string, where: string): string {
  if (text === '*' || text.startsWith('project/')) return text;
  const relative = /^acs:(?:dataworks|\*):[^:]*:[^:]*:(.+)$/.exec(text)?.[1];
  if (relative === undefined)
    throw invalid(`${where}: a resource is "*", "project/10000" or "acs:dataworks:*:*:project/10000"`);
  return relative;
}

function readConditions(condition: Json | undefined, where: string): Statement['conditions'] {
  if (condition === undefined) return [];
  if (!isJsonObject(condition)) throw invalid(`${where} must be an object`);
  return Object.entries(condition).map(([operator, about]) => {
    if (operator !== 'IpAddress' && operator !== 'NotIpAddress')
      throw invalid(`${where}.${operator} is not known; IpAddress and NotIpAddress are`);
    const [key, ...more] = isJsonObject(about) ? Object.keys(about) : [];
    if (!isJsonObject(about) || key !== SOURCE_ADDRESS || more.length > 0)
      throw invalid(`${where}.${operator} must be about "${SOURCE_ADDRESS}" and nothing else`);
    const ranges = textsOf(about[SOURCE_ADDRESS], `${where}.${operator}.${SOURCE_ADDRESS}`);
    return { isIn: operator === 'IpAddress', ranges: readRanges(ranges, `${where}.${operator}`) };
  });
}

function readRanges(ranges: readonly string[], where: string): AddressRanges {
  try {
    return new AddressRanges(ranges);
  } catch (error) {
    if (error instanceof RangeError) throw invalid(`${where}: ${error.message}`);
    throw error;
  }
}

/** One text, or a list of them that is not empty. */
function textsOf(value: Json | undefined, where: string): readonly string[] {
  const list = typeof value === 'string' ? [value] : listOf(value, where);
  return list.map((text) => {
    if (typeof text !== 'string' || text === '') throw invalid(`${where} must hold texts that are not empty`);
    return text;
  });
}

function listOf(value: Json | undefined, where: string): readonly Json[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${where} must be a list that is not empty`);
  return value as readonly Json[];
}

function invalid(what: string): TaskError {
  return new TaskError('invalid', 'Policy.Invalid', `The policy cannot be used: ${what}.`);
}
