import type { Socket } from 'node:net';

/** [ length int32 ][ api key int16 ] … : how every request begins. */
const API_KEY_AT = 4;

/** By socket, what follows the heads of requests that are still to be written. */
const waiting = new WeakMap<Socket, (readonly Uint8Array[])[]>();

/**
 * Lets the next request with `apiKey` that goes over a socket carry `payload` behind its head. The library would copy megabytes
 * into one piece first; so it is given a request without a payload, and what it writes for it is completed here.
 * The bytes belong to the socket until the request is answered.
 */
export function writeBehind(socket: Socket, apiKey: number, payload: readonly Uint8Array[]): void {
  const known = waiting.get(socket);
  if (known !== undefined) {
    known.push(payload);
    return;
  }
  const queue = [payload];
  waiting.set(socket, queue);
  const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean;
  const complete = (head: Buffer): boolean => {
    if (head.readInt16BE(API_KEY_AT) !== apiKey) return write(head);
    const pieces = queue.shift() ?? [];
    head.writeInt32BE(pieces.reduce((length, piece) => length + piece.length, head.length - API_KEY_AT));
    socket.cork();
    write(head);
    for (const piece of pieces) write(piece);
    socket.uncork();
    return true;
  };
  socket.write = complete as Socket['write'];
}
