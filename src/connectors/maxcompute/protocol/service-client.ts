import {
  Agent as PlainAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as plainRequest,
} from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { type HostPolicy, resolveAllowed } from '../../../lib/host-policy.ts';
import { BackOff, pause } from '../../../lib/retry.ts';
import { RETRY, type RetryRule, retryRuleOf } from './retry-rule.ts';
import { readErrorReply, ServiceError } from './service-error.ts';
import { type Credential, signatureHeaders } from './sign-request.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the endpoint's path; its parts are decoded. */
  readonly path: readonly string[];
  readonly params: readonly (readonly [name: string, value: string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ServiceSettings {
  /** Such as `https://service.cn-shanghai.maxcompute.aliyun.com/api`; the tunnel's has no path. */
  readonly endpoint: string;
  readonly credential: Credential;
  readonly hosts: HostPolicy;
  /** Nothing heard for so long: the call failed. */
  readonly timeoutMs?: number;
  /** The first wait before a call is sent again. */
  readonly retryFirstMs?: number;
}

export interface Repeating {
  /** Called before the same is sent again; without it a slot that moved is not followed. */
  readonly recover?: (rule: RetryRule) => Promise<void>;
  /** How often a fault is followed by another try. */
  readonly faultTries?: number;
}

const TIMEOUT_MS = 120_000;
const REPLY_BYTES_MAX = 64 * 2 ** 20;
const CONNECTIONS = 20;

/** Sends signed calls to one endpoint. Follows no redirect: a 308 is news about a slot. */
export class ServiceClient {
  readonly settings: ServiceSettings;
  readonly #url: URL;
  readonly #agent: PlainAgent;

  constructor(settings: ServiceSettings) {
    this.settings = settings;
    this.#url = new URL(settings.endpoint);
    const options = { keepAlive: true, maxSockets: CONNECTIONS };
    this.#agent = this.#url.protocol === 'https:' ? new SecureAgent(options) : new PlainAgent(options);
  }

  /** One try. Errors: ServiceError for any status but 2xx; HostRefused; the system's for a connection that broke. */
  async call(call: Call, signal?: AbortSignal): Promise<Reply> {
    const reply = await this.#send(call, signal);
    if (reply.status >= 200 && reply.status < 300) return reply;
    throw readErrorReply(reply.status, reply.headers, reply.body.toString());
  }

  /**
   * Sends a call again while its rule allows that, for calls that may be repeated. Each try asks `callOf` anew.
   * Errors: as `call`.
   */
  async repeat(
    callOf: Call | (() => Call),
    signal?: AbortSignal,
    { recover, faultTries = RETRY.faultTries }: Repeating = {},
  ): Promise<Reply> {
    const backOff = this.backOff();
    for (let faults = 0; ; ) {
      try {
        return await this.call(typeof callOf === 'function' ? callOf() : callOf, signal);
      } catch (error) {
        const rule = retryRuleOf(error);
        if (rule.kind === 'fault') faults += 1;
        const again =
          rule.kind === 'throttled' ||
          (rule.kind === 'moved' && recover !== undefined) ||
          (rule.kind === 'fault' && faults <= faultTries);
        if (!again || signal?.aborted === true) throw error;
        await pause(Math.max(backOff.next(), error instanceof ServiceError ? error.holdMs : 0), signal);
        await recover?.(rule);
      }
    }
  }

  /** The waits between tries; the first is no longer than `firstMsMost`. */
  backOff(firstMsMost = Infinity): BackOff {
    return new BackOff(Math.min(this.settings.retryFirstMs ?? RETRY.firstMs, firstMsMost), RETRY.mostMs);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send({ method, path, params, headers = {}, body = '' }: Call, signal?: AbortSignal): Promise<Reply> {
    const { credential, hosts, timeoutMs = TIMEOUT_MS } = this.settings;
    // For each call: the agent may make a new connection for any of them.
    const { lookup } = await resolveAllowed(this.#url.hostname, hosts);
    const at = new Date();
    const dated = { ...headers, Date: at.toUTCString() };
    const signed = signatureHeaders({ method, path: `/${path.join('/')}`, params, headers: dated }, credential, at);
    const isSecure = this.#url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (isSecure ? secureRequest : plainRequest)(
        {
          agent: this.#agent,
          protocol: this.#url.protocol,
          hostname: this.#url.hostname.replace(/^\[(.*)\]$/, '$1'),
          port: this.#url.port,
          method,
          path: `${this.#url.pathname.replace(/\/$/, '')}/${path.map(encodeURIComponent).join('/')}${queryOf(params)}`,
          headers: { ...dated, ...signed },
          lookup,
          timeout: timeoutMs,
          ...(signal === undefined ? {} : { signal }),
        },
        (message) => {
          readReply(message).then(resolve, reject);
        },
      );
      request.once('timeout', () => request.destroy(new Error(`nothing was heard for ${timeoutMs} ms`)));
      request.once('error', reject);
      request.end(body);
    });
  }
}

async function readReply(message: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > REPLY_BYTES_MAX) throw new Error(`a reply has more than ${REPLY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return { status: message.statusCode ?? 0, headers: message.headers, body: Buffer.concat(chunks) };
}

function queryOf(params: Call['params']): string {
  const parts = params.map(([name, value]) =>
    value === '' ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}
