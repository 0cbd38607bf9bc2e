import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const METADATA = 3;
const VERSION = 1;
const ALL_TOPICS = -1;
const TIMEOUT_MS = 2000;

/** What a broker knows of its cluster, in numbers. */
export interface ClusterSize {
  readonly brokers: number;
  readonly topics: number;
}

/** Waits until the broker knows so many of its cluster. Errors: Error after a minute. */
export async function waitForBrokers(port: number, count: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((await clusterSize(port)).brokers < count) {
    if (Date.now() > deadline) throw new Error(`a broker does not find the ${count} of its cluster`);
    await sleep(50);
  }
}

/** As the broker says without authentication, to the oldest question that every release answers. Errors: Error when it does not. */
export async function clusterSize(port: number): Promise<ClusterSize> {
  // Length; key, version, correlation; no client name; the topics.
  const request = Buffer.alloc(4 + 14);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(METADATA, 4);
  request.writeInt16BE(VERSION, 6);
  request.writeInt16BE(-1, 12);
  request.writeInt32BE(ALL_TOPICS, 14);
  const answer = await ask(port, request);
  // Length, correlation, then the array of brokers: number, host, port, rack.
  const brokers = answer.readInt32BE(8);
  let at = 12;
  for (let i = 0; i < brokers; i += 1) {
    at += 4;
    at += 2 + answer.readInt16BE(at) + 4;
    at += 2 + Math.max(0, answer.readInt16BE(at));
  }
  // The controller, then the array of topics.
  return { brokers, topics: answer.readInt32BE(at + 4) };
}

function ask(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      resolve(received);
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker closed the connection')));
  });
}
