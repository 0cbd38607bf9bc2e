import { connect } from 'node:net';

const METADATA = 3;
const VERSION = 1;

/**
 * How many brokers the cluster has, as the one at `port` says without authentication. The oldest question that every
 * line answers. Errors: Error when it does not answer within `timeoutMs`.
 */
export async function countBrokers(port: number, timeoutMs = 2000): Promise<number> {
  // Length; key, version, correlation; no client name (-1); no topics (an empty array).
  const request = Buffer.alloc(4 + 14);
  request.writeInt32BE(14, 0);
  request.writeInt16BE(METADATA, 4);
  request.writeInt16BE(VERSION, 6);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(-1, 12);
  request.writeInt32BE(0, 14);
  const answer = await ask(port, request, timeoutMs);
  // Length, correlation, then the array of brokers.
  return answer.readInt32BE(8);
}

function ask(port: number, request: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')));
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 12) return;
      resolve(received);
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker closed the connection')));
  });
}
