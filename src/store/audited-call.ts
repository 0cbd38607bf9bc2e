import { isJsonObject, parseJsonObject } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import type { AuditedCall } from '../tasks/audit.ts';

/** As it lies in the trail, and as `disync audit --json` shows it. The names are those of the vendor's ActionTrail. */
export function writeAuditedCall(call: AuditedCall): JsonObject {
  return {
    eventTime: new Date(call.at).toISOString(),
    eventName: call.action,
    eventRW: call.access === null ? null : call.access === 'read' ? 'Read' : 'Write',
    apiVersion: call.version,
    requestId: call.requestId,
    userIdentity: { accessKeyId: call.accessKeyId, userName: call.user },
    sourceIpAddress: call.from,
    userAgent: call.userAgent,
    httpStatus: call.status,
    errorCode: call.code,
    durationMs: call.ms,
    requestParameters: call.parameters,
  };
}

export function readAuditedCall(record: string): AuditedCall {
  const json = parseJsonObject(record);
  const identity = json['userIdentity'];
  const { accessKeyId, userName } = isJsonObject(identity) ? identity : {};
  const parameters = json['requestParameters'];
  const rw = json['eventRW'];
  return {
    at: Date.parse(textOf(json['eventTime'])),
    action: textOf(json['eventName']),
    access: rw === 'Read' ? 'read' : rw === 'Write' ? 'write' : null,
    version: textOf(json['apiVersion']),
    requestId: textOf(json['requestId']),
    accessKeyId: textOrNull(accessKeyId),
    user: textOrNull(userName),
    from: textOf(json['sourceIpAddress']),
    userAgent: textOf(json['userAgent']),
    status: Number(json['httpStatus']),
    code: textOrNull(json['errorCode']),
    ms: Number(json['durationMs']),
    parameters: isJsonObject(parameters) ? parameters : null,
  };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
