import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../lib/log.ts';
import type { AccessService } from '../tasks/access-service.ts';
import { admitLarge } from './admit.ts';
import { authenticate } from './authenticate.ts';
import { refuseForeignPages } from './dev-guard.ts';
import { ApiError, describeDefect, internalError } from './errors.ts';
import { answerHealth, type Health } from './http/health.ts';
import { createListener, type Listener, type TlsIdentity } from './http/listener.ts';
import { readBody } from './http/read-body.ts';
import { send } from './http/send.ts';
import { DEFAULT_LIMITS, type GatewayLimits } from './limits.ts';
import type { Operation, Services } from './operation.ts';
import { calledAction, checkFormat, checkProtocol, indexOperations } from './protocol.ts';
import { type Answer, answerError, answerResult } from './rpc/answer.ts';
import { decodeRequest, hostOf, type RequestHead, readHead } from './rpc/request.ts';
import { newRequestId } from './rpc/request-id.ts';

export interface GatewayOptions extends Services {
  /** The catalogue (catalogue.ts). */
  readonly operations: readonly Operation[];
  readonly access: AccessService;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Logger;
  /** Any key is accepted, signatures are not checked. The caller sees to it that only loopback is bound. */
  readonly dev: boolean;
  readonly limits?: Partial<GatewayLimits>;
  /** Null when these paths have a listener of their own (http/health-listener.ts). */
  readonly health: Health | null;
  readonly tls?: TlsIdentity | null;
}

/** What is known of a call while it is answered; for the log. */
interface Trace {
  readonly requestId: string;
  action: string;
  accessKeyId: string | null;
}

/** The one port of the API: every operation at `/`, one ordered row of steps for each call. */
export function createGateway(options: GatewayOptions): Listener {
  const { access, log, dev, health, tls = null } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const catalogue = indexOperations(options.operations);

  async function answerCall(incoming: IncomingMessage, head: RequestHead, trace: Trace): Promise<Answer> {
    checkProtocol(head);
    if (dev) refuseForeignPages(head);
    const admit = (beginning: Uint8Array) => (dev ? Promise.resolve() : admitLarge(head, beginning, access));
    if (head.bytes > limits.unknownKeyBytes) await admit(new Uint8Array(0));
    const body = await readBody(incoming, { bytesMax: limits.bodyBytes, freeBytes: limits.unknownKeyBytes, admit });
    const request = decodeRequest(head, body);
    checkFormat(request.parameters);
    trace.action = calledAction(request).action.slice(0, 100);
    const operation = catalogue.find(request);
    const grant = await authenticate(request, { ...options, clockWindowMs: limits.clockWindowMs });
    trace.accessKeyId = grant.accessKeyId;
    const result = await operation.run({ parameters: request.parameters, grant, services: options });
    return answerResult(trace.requestId, result);
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const trace: Trace = { requestId: newRequestId(), action: '', accessKeyId: null };
    const startedAt = performance.now();
    const head = readHead(incoming);
    let answer: Answer;
    let code: string | null = null;
    try {
      const watched = health === null ? null : await answerHealth(head.path, health);
      answer = watched ?? (await answerCall(incoming, head, trace));
    } catch (error) {
      if (incoming.destroyed && !incoming.complete) return;
      const refusal = error instanceof ApiError ? error : internalError(error);
      if (refusal.status === 500) log.error({ ...trace, defect: describeDefect(error) }, 'a call failed by a defect');
      code = refusal.code;
      answer = answerError(trace.requestId, hostOf(head), refusal);
    }
    send(response, answer, trace.requestId);
    const ms = Math.round(performance.now() - startedAt);
    log[code === null ? 'debug' : 'info']({ ...trace, status: answer.status, code, ms }, 'call answered');
  }

  return createListener({ limits, tls, handle });
}
