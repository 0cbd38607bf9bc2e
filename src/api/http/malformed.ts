import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from '../errors.ts';
import { answerError } from '../rpc/answer.ts';
import { newRequestId } from '../rpc/request-id.ts';

/** Answers bytes that are no HTTP request, or not a whole one, with an envelope like any other, and hangs up. */
export function answerMalformed(error: NodeJS.ErrnoException | ApiError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = newRequestId();
  const refusal = error instanceof ApiError ? error : refusalOf(error.code);
  const { status, contentType, body } = answerError({ format: 'json', hostId: '', requestId }, refusal);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${contentType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `x-acs-request-id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function refusalOf(code: string | undefined): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ApiError(431, 'RequestTooLarge', 'The request line and headers are too large.', {
      hint: 'Send long parameters in a form body.',
    });
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ApiError(408, 'RequestTimeout', 'The request did not arrive in time.');
  }
  return new ApiError(400, 'MalformedRequest', 'This is not an HTTP/1.1 request.');
}
