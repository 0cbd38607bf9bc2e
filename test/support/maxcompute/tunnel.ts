import type { IncomingHttpHeaders } from 'node:http';
import { type Catalog, placeOf } from './catalog.ts';
import { Downloads } from './downloads.ts';
import { Pace } from './limits.ts';
import type { Answer } from './metadata.ts';
import { Refusal } from './refusal.ts';
import { Streams } from './streams.ts';
import type { DoubleTable } from './tables.ts';
import { Uploads } from './uploads.ts';
import { Upserts } from './upserts.ts';

interface TunnelCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked. */
  readonly body: Uint8Array;
}

const ROUTED_SERVER = 'odps-tunnel-routed-server';

/** The tunnel of the double: `/projects/P[/schemas/S]/tables/T[/KIND]`. */
export class Tunnel {
  readonly pace = new Pace();
  readonly uploads = new Uploads(this.pace);
  readonly upserts = new Upserts(this.pace);
  readonly streams = new Streams();
  readonly downloads = new Downloads();
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  answer(call: TunnelCall): Answer {
    const [, path = '', kind = ''] =
      /^\/(.*?\/tables\/[^/]+)(?:\/(\w+))?$/.exec(decodeURIComponent(call.url.pathname)) ?? [];
    const table = this.#catalog.table(placeOf(path));
    switch (kind) {
      case '':
        return call.url.searchParams.has('downloads') || call.url.searchParams.has('downloadid')
          ? this.#download(table, call)
          : this.#upload(table, call);
      case 'upserts':
        return this.#upsert(table, call);
      case 'streams':
        return this.#stream(table, call);
      default:
        return notServed(call);
    }
  }

  #upload(table: DoubleTable, call: TunnelCall): Answer {
    const params = call.url.searchParams;
    switch (call.method) {
      case 'POST':
        return json(params.has('uploads') ? this.uploads.begin(table, params) : this.uploads.commit(table, params));
      case 'GET':
        return json(this.uploads.show(table, params));
      case 'PUT':
        this.uploads.put(table, params, call.body);
        return done();
      default:
        return notServed(call);
    }
  }

  #download(table: DoubleTable, call: TunnelCall): Answer {
    const params = call.url.searchParams;
    if (call.method === 'POST') return json(this.downloads.begin(table, params));
    if (call.method !== 'GET') return notServed(call);
    if (!params.has('data')) return json(this.downloads.show(table, params));
    return { headers: { 'Content-Type': 'application/octet-stream' }, body: this.downloads.data(table, params) };
  }

  #upsert(table: DoubleTable, call: TunnelCall): Answer {
    const params = call.url.searchParams;
    switch (call.method) {
      case 'POST':
        return json(params.has('upsertid') ? this.upserts.commit(table, params) : this.upserts.begin(table, params));
      case 'GET':
        return json(this.upserts.show(table, params));
      case 'PUT': {
        const server = serverOf(call);
        return done({ [ROUTED_SERVER]: this.upserts.put(table, params, { server, body: call.body }) });
      }
      case 'DELETE':
        this.upserts.abort(table, params);
        return done();
      default:
        return notServed(call);
    }
  }

  /** POST about a session is a reload by one client of the vendor, and with an address the end of it by another. */
  #stream(table: DoubleTable, call: TunnelCall): Answer {
    const params = call.url.searchParams;
    const server = serverOf(call);
    switch (call.method) {
      case 'POST':
        if (!params.has('uploadid')) return json(this.streams.begin(table, params));
        return json(server === '' ? this.streams.show(table, params) : this.streams.abort(table, params));
      case 'GET':
        return json(this.streams.show(table, params));
      case 'PUT':
        return done(this.streams.put(table, params, { server, body: call.body }));
      default:
        return notServed(call);
    }
  }
}

function serverOf({ headers }: TunnelCall): string {
  return String(headers[ROUTED_SERVER] ?? '');
}

function json(value: object): Answer {
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}

function done(headers: Answer['headers'] = {}): Answer {
  return { headers, body: '' };
}

function notServed({ method, url }: TunnelCall): never {
  throw new Refusal(405, 'MethodNotAllowed', `${method} of ${url.pathname} is not served here`);
}
