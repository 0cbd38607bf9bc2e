import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import type { ApiError } from '../errors.ts';
import { writeXml } from './xml.ts';

export const JSON_TYPE = 'application/json;charset=utf-8';
/** The vendor's clients read an error as XML for exactly this text. */
const XML_TYPE = 'text/xml;charset=utf-8';

export type Format = 'json' | 'xml';

/** An answer ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A success: the operation's own keys beside RequestId. Never a key Code, which the vendor's oldest client takes for an error. */
export function answerResult(
  { format, action, requestId }: { readonly format: Format; readonly action: string; readonly requestId: string },
  result: JsonObject,
): Answer {
  return write(format, 200, `${action}Response`, { RequestId: requestId, ...result });
}

/** The error envelope. `hostId` is the host name that was called. */
export function answerError(
  { format, hostId, requestId }: { readonly format: Format; readonly hostId: string; readonly requestId: string },
  { status, code, message, hint, retryAfterMs }: ApiError,
): Answer {
  const answer = write(format, status, 'Error', {
    RequestId: requestId,
    HostId: hostId,
    Code: code,
    Message: message,
    Recommend: hint ?? `docs/errors.md says more about ${code}.`,
  });
  return retryAfterMs === undefined ? answer : { ...answer, headers: { 'x-acs-retry-after': String(retryAfterMs) } };
}

function write(format: Format, status: number, root: string, body: JsonObject): Answer {
  return format === 'json'
    ? { status, contentType: JSON_TYPE, body: stringifyJson(body) }
    : { status, contentType: XML_TYPE, body: writeXml(root, body) };
}
