import { hash } from 'node:crypto';
import type { JsonObject } from '../lib/json-value.ts';
import { MASK, maskJsonText, maskText } from '../lib/mask-secrets.ts';
import type { AuditedCall } from '../tasks/audit.ts';
import type { CallTrace } from './call-trace.ts';
import { ApiError } from './errors.ts';
import { type Parameter, textOf } from './parameter.ts';
import type { ParameterTexts } from './rpc/parameters.ts';

const TEXT_LENGTH_MAX = 1024;

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
  const audited: Record<string, string> = {};
  for (const [name, spec] of Object.entries(operation.parameters)) {
    const text = auditedText(name, spec, parameters);
    if (text !== '') audited[name] = text;
  }
  return audited;
}

function auditedText(name: string, spec: Parameter<unknown>, given: ParameterTexts): string {
  const text = textIfSound(name, spec, given);
  if (text === '') return text;
  if (text === null || spec.secret) return MASK;
  // What is long is known by its hash, to be compared with a text that someone has.
  if (text.length > TEXT_LENGTH_MAX) return `sha256:${hash('sha256', text)} (${text.length} characters)`;
  return spec.json ? maskJsonText(text) : maskText(text);
}

/** Null for a structure whose parts contradict each other: that is why the call was refused. */
function textIfSound(name: string, spec: Parameter<unknown>, given: ParameterTexts): string | null {
  try {
    return textOf(name, spec, given);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
