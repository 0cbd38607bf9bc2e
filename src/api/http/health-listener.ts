import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../lib/log.ts';
import { describeDefect, internalError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { unknownAction } from '../protocol.ts';
import { answerError } from '../rpc/answer.ts';
import { hostOf, readHead } from '../rpc/request.ts';
import { newRequestId } from '../rpc/request-id.ts';
import { answerHealth, type Health } from './health.ts';
import { createListener, type Listener } from './listener.ts';
import { send } from './send.ts';

/** `/healthz`, `/readyz` and `/metrics` on a port of their own. */
export function createHealthListener(health: Health, log: Logger): Listener {
  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = newRequestId();
    const head = readHead(incoming);
    const about = { format: 'json', hostId: hostOf(head), requestId } as const;
    try {
      const answer = await answerHealth(head.path, health);
      send(response, answer ?? answerError(about, unknownAction()), requestId);
    } catch (error) {
      log.error({ requestId, defect: describeDefect(error) }, 'a health check failed by a defect');
      send(response, answerError(about, internalError(error)), requestId);
    }
  }
  return createListener({ limits: { ...DEFAULT_LIMITS, headBytes: 16_384 }, tls: null, handle });
}
