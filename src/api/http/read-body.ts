import type { IncomingMessage } from 'node:http';
import { ApiError } from '../errors.ts';

export interface ReadBodyOptions {
  readonly bytesMax: number;
  /** Above this much, `admit` is asked before more is read. */
  readonly freeBytes: number;
  /** Gets the first `freeBytes` of the body. Errors: whatever refuses the request. */
  readonly admit: (beginning: Uint8Array) => Promise<void>;
}

/** Reads a whole body. Errors: ApiError 413 when it is, or says it is, too large; those of `admit`; the socket's. */
export async function readBody(request: IncomingMessage, options: ReadBodyOptions): Promise<Uint8Array> {
  const { bytesMax, freeBytes, admit } = options;
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const chunks: Buffer[] = [];
  let bytes = 0;
  let admitted = false;
  // Not destroyed when refused half-way: the answer goes out over the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    if (bytes > freeBytes && !admitted) {
      await admit(Buffer.concat(chunks).subarray(0, freeBytes));
      admitted = true;
    }
  }
  return Buffer.concat(chunks);
}

function tooLarge(bytesMax: number): ApiError {
  return new ApiError(413, 'RequestTooLarge', `The body is larger than ${bytesMax} bytes.`, {
    hint: 'Split the tables over several tasks.',
  });
}
