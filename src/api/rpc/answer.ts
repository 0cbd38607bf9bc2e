import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { ApiError } from '../errors.ts';

export const JSON_TYPE = 'application/json;charset=utf-8';

/** An answer ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A success: the operation's own keys beside RequestId. Never a key Code, which the vendor's oldest client takes for an error. */
export function answerResult(requestId: string, result: JsonObject): Answer {
  return { status: 200, contentType: JSON_TYPE, body: stringifyJson({ RequestId: requestId, ...result }) };
}

/** The error envelope. `hostId` is the host name that was called. */
export function answerError(requestId: string, hostId: string, error: ApiError): Answer {
  const body = {
    RequestId: requestId,
    HostId: hostId,
    Code: error.code,
    Message: error.message,
    Recommend: error.hint ?? `docs/errors.md says more about ${error.code}.`,
  };
  return { status: error.status, contentType: JSON_TYPE, body: stringifyJson(body) };
}
