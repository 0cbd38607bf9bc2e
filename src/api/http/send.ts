import type { ServerResponse } from 'node:http';
import type { Answer } from '../rpc/answer.ts';
import { newTraceId } from '../rpc/request-id.ts';

/** Sends a whole answer with the headers that every answer has. */
export function send(
  response: ServerResponse,
  { status, contentType, body, headers = {} }: Answer,
  requestId: string,
): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'x-acs-request-id': requestId,
    'x-acs-trace-id': newTraceId(),
    ...headers,
  });
  response.end(body);
}
