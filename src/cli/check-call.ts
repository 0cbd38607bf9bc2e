import { isJsonObject } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import type { Call } from './sign-call.ts';

/**
 * What is wrong with a call by the catalogue of the service that it is for (`GET /catalogue`): sentences, none when it
 * may be sent. Values are the service's to judge. Without a catalogue nothing is known, and nothing is wrong.
 */
export function checkCall({ action, version, parameters }: Call, catalogue: Json | null): readonly string[] {
  const operations = objectsIn(isJsonObject(catalogue ?? undefined) ? (catalogue as JsonObject)['operations'] : null);
  if (operations.length === 0) return [];
  const ofVersion = operations.filter((operation) => operation['version'] === version);
  if (ofVersion.length === 0) return [`version ${version} is not served`];
  const operation = ofVersion.find(({ name }) => name === action);
  if (operation === undefined) return [unknownAction(action, ofVersion)];
  const known = objectsIn(operation['parameters']);
  const names = known.map(({ name }) => String(name as string));
  const given = [...parameters.keys()];
  return [
    ...known.flatMap(({ name, required, meaning }) =>
      required === true && !given.some((one) => isOf(one, String(name as string)))
        ? [`${String(name as string)} (${String(meaning as string)}) is missing`]
        : [],
    ),
    ...given
      .filter((one) => !names.some((name) => isOf(one, name)))
      .map((one) => `${action} has no parameter ${one}; it has ${names.join(', ')}`),
  ];
}

/** Lists and objects may come flattened, as `Name.1.Key`. */
function isOf(given: string, name: string): boolean {
  return given === name || given.startsWith(`${name}.`);
}

function unknownAction(action: string, operations: readonly JsonObject[]): string {
  const names = operations.map(({ name }) => String(name as string));
  const alike = names.filter((name) => name.toLowerCase() === action.toLowerCase());
  const close = alike.length > 0 ? alike : names.filter((name) => name.toLowerCase().includes(action.toLowerCase()));
  return `${action} is no operation; ${close.length > 0 ? `is it ${close.join(' or ')}?` : `there are ${names.join(', ')}`}`;
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((item) => isJsonObject(item)) : [];
}
