import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type Compression, decompress } from '../../../src/connectors/maxcompute/protocol/compression.ts';
import type { Credential } from '../../../src/connectors/maxcompute/protocol/sign-request.ts';
import { authenticate } from './authenticate.ts';
import { Catalog, placeOf } from './catalog.ts';
import { control } from './control.ts';
import { Faults } from './faults.ts';
import { Instances } from './instances.ts';
import { type Answer, Metadata } from './metadata.ts';
import { Refusal } from './refusal.ts';
import type { DoubleTable } from './tables.ts';
import { Tunnel } from './tunnel.ts';

const BODY_BYTES_MAX = 256 * 2 ** 20;

/**
 * A stand-in for MaxCompute on a socket of its own, its tunnel beside its `/api`: checks signatures, CRCs, counts, hashes
 * and states, keeps the rows and runs a little SQL. It refuses what the vendor's documents and clients say that the
 * service refuses; the service itself was never seen.
 */
export class MaxComputeDouble {
  readonly catalog = new Catalog();
  readonly instances = new Instances(this.catalog);
  readonly tunnel = new Tunnel(this.catalog);
  readonly faults = new Faults();
  /** What was asked, oldest first: `METHOD path?query`. */
  readonly calls: string[] = [];
  /** What was answered, in the order of the answers: `METHOD kind STATUS`, such as `PUT upserts 308`. */
  readonly answers: string[] = [];
  /** Sees every call as it comes. */
  watch: (request: IncomingMessage) => void = () => undefined;
  /** Wants datetimes in local time, as old services do. */
  wantsLocalDatetimes = false;
  readonly #server: Server;
  readonly #credential: Credential;
  readonly #metadata = new Metadata(this.catalog, this.instances);

  private constructor(credential: Credential) {
    this.#credential = credential;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(credential: Credential, port = 0): Promise<MaxComputeDouble> {
    const double = new MaxComputeDouble(credential);
    await new Promise<void>((resolve, reject) => {
      double.#server.once('error', reject);
      double.#server.listen(port, '127.0.0.1', resolve);
    });
    return double;
  }

  /** Of the tunnel; with `/api` behind it, of the rest. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** `path` as the tunnel has it, such as `projects/p/tables/t` or `projects/p/schemas/s/tables/t`. */
  add(path: string, table: DoubleTable): DoubleTable {
    this.catalog.add(placeOf(path), table);
    return table;
  }

  /** `path` as in `add`. Errors: Refusal if there is no such table. */
  table(path: string): DoubleTable {
    return this.catalog.table(placeOf(path));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const method = request.method ?? '';
    response.setHeader('x-odps-request-id', randomUUID());
    if (url.pathname.startsWith('/double/')) return this.#control(method, url, request, response);
    response.once('finish', () =>
      this.answers.push(`${method} ${url.pathname.split('/').pop()} ${response.statusCode}`),
    );
    this.calls.push(`${method} ${url.pathname}${url.search}`);
    this.watch(request);
    const fault = this.faults.take(method, url);
    try {
      if (fault?.kind === 'cut') return await cut(request);
      const body = await readBody(request);
      if (fault?.kind === 'slow') await setTimeout(fault.ms);
      if (fault?.kind === 'refuse') throw fault.refusal;
      const answer = await this.#answer(method, url, request, body);
      if (fault?.kind === 'replyLost') return void request.socket.destroy();
      send(response, fault?.kind === 'replyIs' ? { ...answer, body: fault.body } : answer);
    } catch (error) {
      refuse(response, error);
    }
  }

  /** What tests of other processes tell it and ask it: no part of the service, and not signed. */
  async #control(method: string, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      send(response, control(this, method, url, (await readBody(request)).toString()));
    } catch (error) {
      refuse(response, error);
    }
  }

  async #answer(method: string, url: URL, request: IncomingMessage, body: Buffer): Promise<Answer> {
    authenticate(method, url, request, this.#credential);
    if (url.pathname.startsWith('/api/')) return this.#metadata.answer(method, url, body.toString());
    const { headers } = request;
    const answer = this.tunnel.answer({ method, url, headers, body: await unpack(request, body) });
    return this.wantsLocalDatetimes
      ? { ...answer, headers: { ...answer.headers, 'odps-tunnel-date-transform': 'true' } }
      : answer;
  }
}

function send(response: ServerResponse, { status = 200, headers, body }: Answer): void {
  response.writeHead(status, headers);
  response.end(body);
}

function refuse(response: ServerResponse, error: unknown): void {
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'InternalServerError', String(error));
  send(response, {
    status: refusal.status,
    headers: { 'Content-Type': 'application/json', ...refusal.headers },
    body: refusal.body,
  });
}

/** Breaks the connection when the first of the body has come, or at once if there is none. */
async function cut(request: IncomingMessage): Promise<void> {
  await new Promise((resolve) => {
    request.once('data', resolve);
    request.once('end', resolve);
  });
  request.socket.destroy();
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function unpack({ headers }: IncomingMessage, body: Buffer): Promise<Uint8Array> {
  const encoding = headers['content-encoding'];
  const known: Readonly<Record<string, Compression>> = { deflate: 'deflate', zstd: 'zstd' };
  if (encoding === undefined) return body;
  const compression = known[encoding];
  if (compression === undefined) throw new Refusal(400, 'InvalidArgument', `${encoding} is not unpacked here`);
  return decompress(body, compression, BODY_BYTES_MAX).catch((error: unknown) => {
    throw new Refusal(400, 'MalformedDataStream', String(error));
  });
}
