import { CodedError, type ErrorFacts } from '../lib/errors.ts';
import type { TaskError, TaskErrorKind } from '../tasks/task-error.ts';

/** A refusal of a call: becomes an error envelope with this HTTP status. `hint` is shown as Recommend. */
export class ApiError extends CodedError {
  override readonly name = 'ApiError';
  readonly status: number;
  /** When it is worth trying again; undefined when that is not known. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    { retryAfterMs, ...facts }: ErrorFacts & { retryAfterMs?: number } = {},
  ) {
    super(code, message, facts);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

type Refusal = readonly [status: number, code: string, message: string];

const INVALID: Refusal = [400, 'Invalid.DI.Parameter', 'The parameter is invalid.'];

/** What DISync operations answer. `fail`: the call succeeds (200), and Data says Status `fail` and why. */
const SYNC_TASK: Record<TaskErrorKind, Refusal | 'fail'> = {
  invalid: INVALID,
  'not-built': INVALID,
  'name-taken': [400, 'Invalid.DI.Parameter.File.Existed', 'The file name already exists.'],
  'not-found': 'fail',
  'wrong-state': 'fail',
  stale: 'fail',
};

const DATA_SOURCE: Record<TaskErrorKind, Refusal> = {
  invalid: INVALID,
  'not-built': INVALID,
  'name-taken': [400, 'ConnectionAlreadyExist', 'The connection already exists.'],
  'not-found': [400, 'Invalid.Tenant.ConnectionNotExists', 'The connection does not exist.'],
  'wrong-state': [400, 'Invalid.Operation', 'The operation is not possible now.'],
  stale: [400, 'Invalid.Operation', 'The operation is not possible now.'],
};

/** Jobs have no Status: all that fails is a refusal. */
const JOB: Record<TaskErrorKind, Refusal> = {
  invalid: INVALID,
  'not-built': INVALID,
  'name-taken': [400, 'Invalid.DI.Parameter.File.Existed', 'The file name already exists.'],
  'not-found': INVALID,
  'wrong-state': [400, 'Invalid.Operation', 'The operation is not possible now.'],
  stale: [400, 'Invalid.Operation', 'The operation is not possible now.'],
};

/** A broken rule of the domain, as DISync operations answer it: a refusal, or the Message beside Status `fail`. */
export function answerSyncTaskError(error: TaskError): ApiError | string {
  const answer = SYNC_TASK[error.kind];
  return answer === 'fail' ? said(error) : refusal(answer, error);
}

/** Of an operation that has no Data.Message to say it in. */
export function answerRefusal(error: TaskError): ApiError {
  return refusal(INVALID, error);
}

export function answerJobError(error: TaskError): ApiError {
  return refusal(JOB[error.kind], error);
}

export function answerDataSourceError(error: TaskError): ApiError {
  return refusal(DATA_SOURCE[error.kind], error);
}

function refusal([status, code, message]: Refusal, error: TaskError): ApiError {
  return new ApiError(status, code, `${message} ${said(error)}`, { cause: error });
}

function said({ message, hint }: TaskError): string {
  const sentence = /[.!?]$/.test(message) ? message : `${message}.`;
  return hint === undefined ? sentence : `${sentence} ${hint}`;
}

export function unsupportedMethod(): ApiError {
  return new ApiError(400, 'UnsupportedHTTPMethod', 'This HTTP method is not supported.', { hint: 'Use POST.' });
}

export function missingParameter(name: string): ApiError {
  return new ApiError(400, `Missing${name}`, `${name} is mandatory for this action.`);
}

/** A parameter of an operation that is not what it should be; `what` names it and says what it should be. */
export function invalidParameter(what: string, hint?: string): ApiError {
  return new ApiError(
    400,
    'Invalid.DI.Parameter',
    `The parameter is invalid. ${what}`,
    hint === undefined ? {} : { hint },
  );
}

/** Says nothing about whether the project exists. */
export function noPrivilege(): ApiError {
  return new ApiError(403, 'Forbidden.DI.NoPrivilege', 'No access. The access key does not open this project.', {
    hint: 'Check ProjectId, the members of the project ("disync user list"), and what the policies of the user allow from this address.',
  });
}

/** Our defect: what happened is in the log under the request id, and nowhere else. */
export function internalError(cause: unknown): ApiError {
  return new ApiError(500, 'InternalError.DI.Parameter', 'A DI internal error occurred.', {
    cause,
    hint: 'The log of the service has the details under this RequestId.',
  });
}

/** Stack and causes of a defect, for the log: nothing else of an error, because drivers hang statements on theirs (I7). */
export function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${describeDefect(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
