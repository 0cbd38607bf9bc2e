import type { JsonObject } from '../lib/json-value.ts';
import type { TaskError } from '../tasks/task-error.ts';
import { answerSyncTaskError } from './errors.ts';
import type { Field } from './operation.ts';

/** Data as an object. */
export function dataOf(fields: readonly Field[]): Field {
  return { name: 'Data', type: 'object', meaning: 'the outcome', fields };
}

/** Data that says itself what came of the call: Status and Message, and `fields`, which are null where they are not known. */
export interface Outcome {
  readonly data: Field;
  succeeded(known: JsonObject): JsonObject;
  /** Errors: ApiError, where the rule that was broken makes the call itself wrong. */
  failed(error: TaskError): JsonObject;
}

const STATUS: Field = { name: 'Status', type: 'string', meaning: 'success, or fail' };
const MESSAGE: Field = { name: 'Message', type: 'string', meaning: 'why it failed; null when there is nothing to say' };

export function outcomeWith(fields: readonly Field[]): Outcome {
  const empty = Object.fromEntries(fields.map(({ name }) => [name, null]));
  const answer = (status: string, message: string | null, known: JsonObject): JsonObject => ({
    Success: true,
    Data: { Status: status, Message: message, ...empty, ...known },
  });
  return {
    data: dataOf([STATUS, MESSAGE, ...fields]),
    succeeded: (known) => answer('success', null, known),
    failed: (error) => {
      const message = answerSyncTaskError(error);
      if (typeof message !== 'string') throw message;
      return answer('fail', message, {});
    },
  };
}
