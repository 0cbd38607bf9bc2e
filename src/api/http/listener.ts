import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../lib/errors.ts';
import type { GatewayLimits } from '../limits.ts';
import { unsupportedMethod } from '../errors.ts';
import { answerMalformed } from './malformed.ts';

/** PEM texts. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** An open port, or one that will be. */
export interface Listener {
  /** Resolves with the port once it accepts; port 0 takes a free one. Errors: CodedError `Service.AddressRefused`. */
  listen(host: string, port: number): Promise<number>;
  /** Null before `listen` and after `close`. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Accepts nothing more, lets what runs finish within the time given, then cuts. */
  close(deadlineMs: number): Promise<void>;
}

export interface ListenerOptions {
  readonly limits: GatewayLimits;
  readonly tls: TlsIdentity | null;
  /** Answers whatever comes; a connection is cut where it rejects. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** HTTP/1.1 with limits against slow, large and malformed requests. */
export function createListener({ limits, tls, handle }: ListenerOptions): Listener {
  const options = {
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    // V1 does not sign Host; without it the answer is ours, with a request id.
    requireHostHeader: false,
  };
  const server: Server =
    tls === null ? createServer(options) : createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2' });
  server.maxConnections = limits.connections;
  /** By connection: answers that have not gone yet, several of them when requests come faster. */
  const answering = new WeakMap<Socket, Set<ServerResponse>>();
  let closing = false;

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const open = answering.get(socket) ?? new Set();
    answering.set(socket, open.add(response));
    const forget = () => open.delete(response);
    // A refused body may still be arriving after its answer has gone.
    response.once('close', () => (request.complete ? forget() : request.once('close', forget)));
    if (closing) response.setHeader('Connection', 'close');
    handle(request, response).catch(() => response.destroy());
  }
  server.on('request', onRequest);
  // Answered like any other: the default would be a bare 417.
  server.on('checkExpectation', onRequest);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const [response, ...others] = answering.get(socket) ?? [];
    const isUnanswered =
      response === undefined || (others.length === 0 && !response.req.complete && !response.headersSent);
    // Else an answer is on its way, or one to come before: this one would be read as part of it, or in its place.
    if (isUnanswered) answerMalformed(error, socket);
    else socket.destroy();
  });
  // Would be hung up on.
  server.on('connect', (_, socket) => answerMalformed(unsupportedMethod(), socket as Socket));

  return {
    async listen(host, port) {
      await new Promise<void>((resolve, reject) => {
        const refuse = (error: Error) => reject(addressRefused(error, host, port));
        server.once('error', refuse);
        server.listen({ host, port }, () => {
          server.off('error', refuse);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    },
    get address() {
      const address = server.address();
      return address === null || typeof address === 'string' ? null : { host: address.address, port: address.port };
    },
    async close(deadlineMs) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const deadline = new AbortController();
      await Promise.race([closed, sleep(deadlineMs, undefined, { signal: deadline.signal }).catch(() => {})]);
      deadline.abort();
      server.closeAllConnections();
      await closed;
    },
  };
}

const REFUSALS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this account may not take that port',
};

function addressRefused(cause: NodeJS.ErrnoException, host: string, port: number): CodedError {
  const why = REFUSALS[cause.code ?? ''] ?? cause.message;
  return new CodedError('Service.AddressRefused', `${host}:${port} cannot be listened on: ${why}`, {
    cause,
    hint: 'Give another --port or --host, or end what has it.',
  });
}
