import type { IncomingHttpHeaders } from 'node:http';
import { tagText } from './xml.ts';

/** The service refused a call, or failed at it. `code` is the service's own; 'HTTP 502' and the like where it said none. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  /** How long the service asks to wait before anything else is sent. */
  readonly holdMs: number;

  constructor({ status, code, message, requestId, holdMs }: ErrorReply) {
    super(`${code}: ${message}${requestId === '' ? '' : ` (request ${requestId})`}`);
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.holdMs = holdMs;
  }
}

export interface ErrorReply {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  readonly holdMs: number;
}

const HOLD_MS_MAX = 10_000;

/**
 * Reads the reply to a call that failed. The tunnel answers in JSON, the rest in XML, and either may do the other:
 *
 *   { "Code": …, "Message": …, "HoldClientMillis": … }
 *   <Error><Code>…</Code><Message>…</Message><RequestId>…</RequestId></Error>
 *
 * The wait stands in the body, or in the header Retry-After, in seconds.
 */
export function readErrorReply(status: number, headers: IncomingHttpHeaders, body: string): ServiceError {
  const found = fromJson(body) ?? fromXml(body);
  const requestId = String(headers['x-odps-request-id'] ?? '');
  const retryAfterMs = Number(headers['retry-after'] ?? 0) * 1000;
  const holdMs = found.holdMs === 0 && Number.isFinite(retryAfterMs) ? retryAfterMs : found.holdMs;
  return new ServiceError({
    status,
    code: found.code === '' ? `HTTP ${status}` : found.code,
    message: found.message === '' ? 'the service gave no reason' : found.message,
    requestId: requestId === '' ? found.requestId : requestId,
    holdMs: Math.min(Math.max(holdMs, 0), HOLD_MS_MAX),
  });
}

type Found = Omit<ErrorReply, 'status'>;

function fromJson(body: string): Found | null {
  if (!body.trimStart().startsWith('{')) return null;
  let reply: unknown;
  try {
    reply = JSON.parse(body);
  } catch {
    return null;
  }
  const { Code, Message, RequestId, HoldClientMillis } = reply as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const holdMs = Number(HoldClientMillis ?? 0);
  return {
    code: text(Code),
    message: text(Message),
    requestId: text(RequestId),
    holdMs: Number.isFinite(holdMs) ? holdMs : 0,
  };
}

function fromXml(body: string): Found {
  const text = (tag: string) => tagText(body, tag) ?? '';
  return { code: text('Code'), message: text('Message'), requestId: text('RequestId'), holdMs: 0 };
}
