import { stringifyJson } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json-value.ts';
import { type Answer, JSON_TYPE } from '../rpc/answer.ts';

export interface HealthReport {
  readonly ok: boolean;
  /** Why it is not, or anything worth saying. */
  readonly details?: JsonObject;
}

/** What the service says of itself to whoever watches it. */
export interface Health {
  /** The process works. */
  live(): Promise<HealthReport>;
  /** It can serve calls. */
  ready(): Promise<HealthReport>;
  /** In the text format of Prometheus. */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The answer for `/healthz`, `/readyz` and `/metrics`; null for any other path. */
export async function answerHealth(path: string, health: Health): Promise<Answer | null> {
  switch (path) {
    case '/healthz':
      return answerReport(await health.live());
    case '/readyz':
      return answerReport(await health.ready());
    case '/metrics':
      return { status: 200, ...(await health.metrics()) };
    default:
      return null;
  }
}

function answerReport({ ok, details = {} }: HealthReport): Answer {
  const body = stringifyJson({ status: ok ? 'ok' : 'unavailable', ...details });
  return { status: ok ? 200 : 503, contentType: JSON_TYPE, body };
}
