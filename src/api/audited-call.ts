import { createHash } from 'node:crypto';
import { isJsonObject, JsonError, parseJson, stringifyJson } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import type { AuditedCall } from '../tasks/audit.ts';
import type { CallTrace } from './call-trace.ts';
import { type Parameter, textOf } from './parameter.ts';

const TEXT_LENGTH_MAX = 1024;
const MASK = '***';
/** Keys, inside JSON, whose values are nobody's business. */
const SECRET_KEY = /pass|secret|token|accesskey|credential|privatekey|jaas/i;

/** A call as the audit trail keeps it. */
export function auditedCall(trace: CallTrace, status: number, at: number): AuditedCall {
  const { requestId, action, version, operation, accessKeyId, key, from, userAgent, code, startedAt } = trace;
  return {
    at,
    requestId,
    action,
    version,
    access: operation?.access ?? null,
    accessKeyId: key?.id ?? accessKeyId?.slice(0, TEXT_LENGTH_MAX) ?? null,
    user: key?.user ?? null,
    from,
    userAgent,
    status,
    code,
    ms: Math.round(performance.now() - startedAt),
    parameters: auditedParameters(trace),
  };
}

/** Only those of the operation: what else came has no meaning here. */
function auditedParameters({ operation, parameters }: CallTrace): JsonObject | null {
  if (operation === null || parameters === null) return null;
  const given = Object.entries(operation.parameters).flatMap(([name, spec]) => {
    const text = textOf(name, spec, parameters);
    return text === '' ? [] : [[name, auditedText(text, spec)] as const];
  });
  return Object.fromEntries(given);
}

function auditedText(text: string, { secret, json }: Parameter<unknown>): string {
  if (secret) return MASK;
  // What is long is known by its hash, to be compared with a text that someone has.
  if (text.length > TEXT_LENGTH_MAX)
    return `sha256:${createHash('sha256').update(text).digest('hex')} (${text.length} characters)`;
  return json ? maskedJson(text) : text;
}

function maskedJson(text: string): string {
  try {
    return stringifyJson(masked(parseJson(text)));
  } catch (error) {
    if (error instanceof JsonError) return MASK;
    throw error;
  }
}

/** Also in JSON that is a text within JSON, and in pairs such as `{ key: 'sasl.jaas.config', value: '…' }`. */
function masked(value: Json): Json {
  if (typeof value === 'string') return /^\s*[{[]/.test(value) ? maskedJson(value) : value;
  if (Array.isArray(value)) return value.map(masked);
  if (!isJsonObject(value)) return value;
  const name = value['key'] ?? value['Name'];
  if (typeof name === 'string' && SECRET_KEY.test(name)) return MASK;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_KEY.test(key) ? MASK : masked(inner)]),
  );
}
