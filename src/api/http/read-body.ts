import type { IncomingMessage } from 'node:http';
import { ApiError } from '../errors.ts';

export interface ReadBodyOptions {
  readonly bytesMax: number;
  /** Above this much, `admit` is asked before more is read. */
  readonly freeBytes: number;
  /** Gets the first `freeBytes` of the body. Errors: whatever refuses the request. */
  readonly admit: (beginning: Uint8Array) => Promise<void>;
}

/**
 * Reads a whole body. The connection stays open when it is refused half-way: the answer goes out over it.
 * Errors: ApiError 413 when it is, or says it is, too large; those of `admit`; the socket's.
 */
export function readBody(request: IncomingMessage, options: ReadBodyOptions): Promise<Uint8Array> {
  const { bytesMax, freeBytes, admit } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
    reject(tooLarge(bytesMax));
    return promise;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  let admitted = false;
  const refuse = (error: unknown) => {
    request.off('data', take);
    request.pause();
    reject(error);
  };
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > bytesMax) return refuse(tooLarge(bytesMax));
    if (bytes <= freeBytes || admitted) return;
    admitted = true;
    request.pause();
    admit(Buffer.concat(chunks).subarray(0, freeBytes)).then(() => request.resume(), refuse);
  };
  request.on('data', take);
  request.once('end', () =>
    resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
  );
  request.once('error', reject);
  request.once('close', () => {
    if (!request.complete) reject(new Error('the connection was closed within a body'));
  });
  return promise;
}

function tooLarge(bytesMax: number): ApiError {
  return new ApiError(413, 'RequestTooLarge', `The body is larger than ${bytesMax} bytes.`, {
    hint: 'Split the tables over several tasks.',
  });
}
