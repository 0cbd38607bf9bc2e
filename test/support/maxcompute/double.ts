import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Compression, decompress } from '../../../src/connectors/maxcompute/protocol/compression.ts';
import { type Credential, signatureHeaders } from '../../../src/connectors/maxcompute/protocol/sign-request.ts';
import { escapeXml } from '../../../src/connectors/maxcompute/protocol/xml.ts';
import { Catalog, placeOf } from './catalog.ts';
import { Instances } from './instances.ts';
import { type Answer, Metadata } from './metadata.ts';
import { Refusal, XML } from './refusal.ts';
import type { DoubleTable } from './tables.ts';
import { Uploads } from './uploads.ts';
import { Upserts } from './upserts.ts';

/**
 * Something that goes wrong at the next call that it is meant for. `cut`: it is not done; `replyLost`: it is done, and
 * nobody hears of it; `replyIs`: it is done, and the reply is not what the service says.
 */
export interface Fault {
  readonly when: (method: string, url: URL) => boolean;
  readonly what:
    | { readonly kind: 'replyLost' | 'cut' }
    | { readonly kind: 'replyIs'; readonly body: string }
    | { readonly kind: 'refuse'; readonly refusal: Refusal };
}

const BODY_BYTES_MAX = 64 * 2 ** 20;

/**
 * A stand-in for MaxCompute on a socket of its own, its tunnel beside its `/api`: checks signatures, CRCs, counts, hashes
 * and states, keeps the rows and runs a little SQL. It refuses what the vendor's documents and clients say that the
 * service refuses; the service itself was never seen.
 */
export class MaxComputeDouble {
  readonly catalog = new Catalog();
  readonly instances = new Instances(this.catalog);
  readonly uploads = new Uploads();
  readonly upserts = new Upserts();
  /** What was asked, oldest first: `METHOD path?query`. */
  readonly calls: string[] = [];
  /** What was answered, in the order of the answers: `METHOD kind STATUS`, such as `PUT upserts 308`. */
  readonly answers: string[] = [];
  readonly faults: Fault[] = [];
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
    await new Promise<void>((resolve) => double.#server.listen(port, '127.0.0.1', resolve));
    return double;
  }

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
    this.calls.push(`${method} ${url.pathname}${url.search}`);
    response.setHeader('x-odps-request-id', randomUUID());
    response.once('finish', () =>
      this.answers.push(`${method} ${url.pathname.split('/').pop()} ${response.statusCode}`),
    );
    try {
      const body = await readBody(request);
      const fault = this.#takeFault(method, url);
      if (fault?.kind === 'cut') return void request.socket.destroy();
      if (fault?.kind === 'refuse') throw fault.refusal;
      this.#authenticate(method, url, request);
      const answer = this.#answer(method, url, request, await unpack(request, body));
      if (fault?.kind === 'replyLost') return void request.socket.destroy();
      response.statusCode = answer.status ?? 200;
      response.setHeader('Content-Type', 'application/json');
      if (this.wantsLocalDatetimes) response.setHeader('odps-tunnel-date-transform', 'true');
      for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
      response.end(fault?.kind === 'replyIs' ? fault.body : answer.body);
    } catch (error) {
      refuse(response, error);
    }
  }

  #takeFault(method: string, url: URL): Fault['what'] | null {
    const index = this.faults.findIndex(({ when }) => when(method, url));
    return index < 0 ? null : (this.faults.splice(index, 1)[0]?.what ?? null);
  }

  #authenticate(method: string, url: URL, { headers }: IncomingMessage): void {
    const given = headers.authorization ?? '';
    const at = new Date(headers.date ?? '');
    const plain = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join() : (value ?? '')]),
    );
    const request = {
      method,
      path: decodeURIComponent(url.pathname).replace(/^\/api(?=\/)/, ''),
      params: [...url.searchParams],
      headers: plain,
    };
    const { Authorization: wanted, ...others } = signatureHeaders(request, this.#credential, at);
    const differs = Object.entries(others).some(([name, value]) => plain[name] !== value);
    if (given !== wanted || differs)
      throw new Refusal(401, 'SignatureNotMatch', 'the signature is not that of the key', XML);
  }

  #answer(method: string, url: URL, { headers }: IncomingMessage, body: Uint8Array): Answer {
    if (url.pathname.startsWith('/api/')) return this.#metadata.answer(method, url, Buffer.from(body).toString());
    const [, path = '', kind = ''] =
      /^\/(.*?\/tables\/[^/]+)(?:\/(\w+))?$/.exec(decodeURIComponent(url.pathname)) ?? [];
    const table = this.table(path);
    const params = url.searchParams;
    const json = (value: object) => ({ body: JSON.stringify(value), headers: {} });
    switch (`${method} ${kind}`) {
      case 'POST ':
        return json(params.has('uploads') ? this.uploads.begin(table, params) : this.uploads.commit(table, params));
      case 'GET ':
        return json(this.uploads.show(table, params));
      case 'PUT ':
        this.uploads.put(table, params, body);
        return { body: '', headers: {} };
      case 'POST upserts':
        return json(params.has('upsertid') ? this.upserts.commit(table, params) : this.upserts.begin(table, params));
      case 'GET upserts':
        return json(this.upserts.show(table, params));
      case 'PUT upserts': {
        const server = String(headers['odps-tunnel-routed-server'] ?? '');
        return {
          body: '',
          headers: { 'odps-tunnel-routed-server': this.upserts.put(table, params, { server, body }) },
        };
      }
      case 'DELETE upserts':
        this.upserts.abort(table, params);
        return { body: '', headers: {} };
      default:
        throw new Refusal(405, 'MethodNotAllowed', `${method} is not served here`);
    }
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  const { status, code, message, headers } =
    error instanceof Refusal ? error : new Refusal(500, 'InternalServerError', String(error));
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  if (headers['Content-Type'] === XML['Content-Type'])
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`);
  else response.end(JSON.stringify({ Code: code, Message: message }));
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
