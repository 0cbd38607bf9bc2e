import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../lib/errors.ts';
import { isJsonObject } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { Logger } from '../lib/log.ts';
import type { AccessService } from '../tasks/access-service.ts';
import type { AuditTrail } from '../tasks/audit.ts';
import { admitLarge } from './admit.ts';
import { auditedCall } from './audited-call.ts';
import { authenticate, believe, noteNonce, refuseUsedNonce } from './authenticate.ts';
import { type CallTrace, newTrace } from './call-trace.ts';
import { answerCatalogue, CATALOGUE_PATH } from './catalogue-page.ts';
import { refuseForeignPages } from './dev-guard.ts';
import { ApiError, describeDefect, internalError } from './errors.ts';
import { authorise } from './grant.ts';
import { answerHealth, type Health } from './http/health.ts';
import { createListener, type Listener, type TlsIdentity } from './http/listener.ts';
import { readBody } from './http/read-body.ts';
import { send } from './http/send.ts';
import { DEFAULT_LIMITS, type GatewayLimits } from './limits.ts';
import type { Operation, Services } from './operation.ts';
import { calledAction, checkProtocol, indexOperations } from './protocol.ts';
import { type Answer, answerError, answerResult } from './rpc/answer.ts';
import { formatByHead, formatOf } from './rpc/format.ts';
import { decodeRequest, hostOf, type RequestHead, readHead } from './rpc/request.ts';
import { readCredential } from './signature/credential.ts';
import { Throttle } from './throttle.ts';

export interface GatewayOptions extends Services {
  /** The catalogue (catalogue.ts). */
  readonly operations: readonly Operation[];
  readonly access: AccessService;
  readonly audit: AuditTrail;
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

/** More of a name that is unknown is not kept. */
const NAME_LENGTH_MAX = 100;

/** The one port of the API: every operation at `/`, one ordered row of steps for each call. */
export function createGateway(options: GatewayOptions): Listener {
  const { access, audit, clock, log, dev, health, tls = null } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const catalogue = indexOperations(options.operations);
  const page = answerCatalogue(options.operations);
  const throttle = new Throttle(limits);
  const identify = { access, clock, clockWindowMs: limits.clockWindowMs };

  async function answerCall(incoming: IncomingMessage, head: RequestHead, trace: CallTrace): Promise<JsonObject> {
    trace.format = formatByHead(head);
    checkProtocol(head);
    if (dev) refuseForeignPages(head);
    const admit = (beginning: Uint8Array) => (dev ? Promise.resolve() : admitLarge(head, beginning, access));
    if (head.bytes > limits.unknownKeyBytes) await admit(new Uint8Array(0));
    const body = await readBody(incoming, { bytesMax: limits.bodyBytes, freeBytes: limits.unknownKeyBytes, admit });
    const request = decodeRequest(head, body);
    trace.format = formatOf(head, request.parameters);
    const called = calledAction(request);
    trace.action = called.action.slice(0, NAME_LENGTH_MAX);
    trace.version = called.version.slice(0, NAME_LENGTH_MAX);
    const operation = catalogue.find(called);
    trace.operation = operation;
    if (dev) {
      trace.key = await believe(request, access);
    } else {
      const credential = readCredential(request);
      trace.accessKeyId = credential.accessKeyId;
      trace.key = await authenticate(request, credential, identify);
      // A call that is sent again takes nothing out of the bucket, and one too many leaves nothing behind.
      refuseUsedNonce(trace.key, credential, identify);
      throttle.take(trace.key.id, operation, clock());
      const { durable } = noteNonce(trace.key, credential, identify);
      // A read that is sent again after a power cut does no harm: it need not wait for the disk.
      if (operation.access === 'write') await durable();
    }
    trace.parameters = request.parameters;
    const grant = authorise(trace.key, { action: operation.name, sourceAddress: trace.from });
    return operation.run({ parameters: request.parameters, grant, services: options });
  }

  /** Says what came of a call in the trail and in the log. A trail that cannot be written does not undo the call. */
  async function record(trace: CallTrace, status: number): Promise<void> {
    try {
      const call = auditedCall(trace, status, clock());
      const { requestId, action, accessKeyId, code, ms } = call;
      log[code === null ? 'debug' : 'info']({ requestId, action, accessKeyId, status, code, ms }, 'call answered');
      await audit.append(call, { durable: call.access === 'write' && call.user !== null });
    } catch (error) {
      const { requestId, action } = trace;
      log.error({ requestId, action, message: messageOf(error) }, 'a call could not be written to the audit trail');
    }
  }

  async function handleCall(incoming: IncomingMessage, head: RequestHead, trace: CallTrace): Promise<Answer> {
    try {
      const result = await answerCall(incoming, head, trace);
      const answer = answerResult(trace, result);
      trace.code = saysFail(result) ? 'fail' : null;
      return answer;
    } catch (error) {
      const refusal = error instanceof ApiError ? error : internalError(error);
      if (refusal.status === 500 && !isGone(incoming)) logDefect(trace, error);
      trace.code = refusal.code;
      const { format, requestId } = trace;
      return answerError({ format, requestId, hostId: hostOf(head) }, refusal);
    }
  }

  function logDefect({ requestId, action }: Pick<CallTrace, 'requestId' | 'action'>, error: unknown): void {
    log.error({ requestId, action, defect: describeDefect(error) }, 'a call failed by a defect');
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const head = readHead(incoming);
    const trace = newTrace(incoming, head);
    const { requestId } = trace;
    try {
      const watched = head.path === CATALOGUE_PATH ? page : health && (await answerHealth(head.path, health));
      if (watched !== null) return send(response, watched, requestId);
      const answer = await handleCall(incoming, head, trace);
      if (isGone(incoming)) return;
      await record(trace, answer.status);
      send(response, answer, requestId);
    } catch (error) {
      logDefect(trace, error);
      if (response.headersSent) return void response.destroy();
      send(
        response,
        answerError({ format: trace.format, requestId, hostId: hostOf(head) }, internalError(error)),
        requestId,
      );
    }
  }

  return createListener({ limits, tls, handle });
}

/** The client went away before its request was whole: there is no call. */
function isGone({ destroyed, complete }: IncomingMessage): boolean {
  return destroyed && !complete;
}

function saysFail({ Data: data }: JsonObject): boolean {
  return isJsonObject(data) && data['Status'] === 'fail';
}
