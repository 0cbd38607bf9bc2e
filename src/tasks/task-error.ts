import { CodedError, type ErrorFacts } from '../lib/errors.ts';

/**
 * A rule of the domain that a request broke. The API turns it into an answer through one table (api/errors.ts):
 * `invalid` and `name-taken` are refusals of the call; `not-found`, `wrong-state` and `stale` are answers with
 * Data.Status fail; `not-built` is a refusal that says what is not there yet.
 */
export type TaskErrorKind = 'invalid' | 'name-taken' | 'not-found' | 'wrong-state' | 'stale' | 'not-built';

export class TaskError extends CodedError {
  override readonly name = 'TaskError';
  readonly kind: TaskErrorKind;

  constructor(kind: TaskErrorKind, code: string, message: string, facts: ErrorFacts = {}) {
    super(code, message, facts);
    this.kind = kind;
  }
}
