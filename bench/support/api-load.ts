// A process of its own: signs requests ahead, then sends them over keep-alive connections, each as soon as the one before it
// on its connection was answered. Talks with the bench over its channel: an order, `signed`, `go`, a result.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Call, signCallV3 } from '../../src/cli/sign-call.ts';

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly action: string;
  /** The same in each request, beside the id. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The parameter that names a task; each request takes one of these. */
  readonly id: { readonly name: string; readonly from: number; readonly count: number };
}

export interface LoadResult {
  readonly seconds: number;
  readonly answers: number;
  /** Answers that are no success, with the first of them. */
  readonly failures: number;
  readonly failure: string | null;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytesPerAnswer: number;
}

process.on('message', (message: LoadOrder | 'go') => void (message === 'go' ? send() : sign(message)));

let order: LoadOrder;
let requests: Buffer[] = [];

function sign(given: LoadOrder): void {
  order = given;
  const { accessKeyId, accessKeySecret, action, parameters, id } = given;
  const host = `127.0.0.1:${given.port}`;
  requests = Array.from({ length: given.requests }, (_, index) => {
    const task = String(id.from + ((index * 7919) % id.count));
    const token = action.startsWith('Generate') ? { ClientToken: randomBytes(8).toString('hex') } : {};
    const all = new Map(Object.entries({ ...parameters, ...token, [id.name]: task }));
    const call: Call = { action, version: '2020-05-18', parameters: all };
    const { headers, body } = signCallV3(call, host, {
      accessKeyId,
      accessKeySecret,
      securityToken: null,
      now: Date.now(),
    });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    return Buffer.from(
      `POST / HTTP/1.1\r\n${lines.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
  process.send?.('signed');
}

async function send(): Promise<void> {
  const load = new Load(requests);
  const sockets = await Promise.all(Array.from({ length: order.connections }, () => opened(order.port)));
  const begun = performance.now();
  await Promise.all(sockets.map((socket) => load.run(socket)));
  const seconds = (performance.now() - begun) / 1000;
  for (const socket of sockets) socket.destroy();
  process.send?.(load.result(seconds));
  process.disconnect();
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

class Load {
  readonly #requests: readonly Buffer[];
  readonly #latencies: Float64Array;
  #next = 0;
  #answers = 0;
  #bytes = 0;
  #failures = 0;
  #failure: string | null = null;

  constructor(all: readonly Buffer[]) {
    this.#requests = all;
    this.#latencies = new Float64Array(all.length);
  }

  /** Sends over this connection until no request is left. */
  run(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      let sentAt = 0;
      let waiting: Buffer = Buffer.alloc(0);
      const next = () => {
        const request = this.#requests[this.#next++];
        if (request === undefined) return resolve();
        sentAt = performance.now();
        socket.write(request);
      };
      socket.on('data', (chunk: Buffer) => {
        waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
        const length = answerLength(waiting);
        if (length === null || waiting.length < length) return;
        this.#count(waiting, performance.now() - sentAt);
        waiting = waiting.subarray(length);
        next();
      });
      socket.once('close', () => reject(new Error('the service closed a connection')));
      socket.once('error', reject);
      next();
    });
  }

  result(seconds: number): LoadResult {
    const latencies = this.#latencies.subarray(0, this.#answers).toSorted();
    const at = (part: number) => Number((latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(2));
    return {
      seconds,
      answers: this.#answers,
      failures: this.#failures,
      failure: this.#failure,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      bytesPerAnswer: Math.round(this.#bytes / this.#answers),
    };
  }

  #count(answer: Buffer, ms: number): void {
    this.#latencies[this.#answers] = ms;
    this.#answers += 1;
    this.#bytes += answer.length;
    if (answer.includes('HTTP/1.1 200') && answer.includes('"Status":"success"')) return;
    this.#failures += 1;
    this.#failure ??= answer.toString();
  }
}

/** Of head and body together; null while the head is not there. */
function answerLength(bytes: Buffer): number | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, end))?.[1];
  if (length === undefined) throw new Error('an answer without a length');
  return end + 4 + Number(length);
}
