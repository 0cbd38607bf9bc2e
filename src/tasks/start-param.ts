import { isJsonObject, JsonError, parseJsonObject } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import {
  DDL_KINDS,
  DDL_POLICIES,
  type DdlKind,
  type DdlPolicies,
  type DdlPolicy,
  DEFAULT_DDL_POLICIES,
  DEFAULT_FAILOVER_LIMIT,
  type FailoverLimit,
  type Policies,
} from '../pipeline/policies.ts';
import { invalid } from './script-reader.ts';

export interface StartSettings {
  readonly policies: Policies;
  /** Seconds since the epoch; null starts now. */
  readonly startTime: number | null;
}

/** Reads StartParam; null or empty gives the defaults. Errors: TaskError `invalid`, naming the key and its values. */
export function readStartParam(text: string | null): StartSettings {
  const param = text === null || text.trim() === '' ? {} : parse(text);
  return {
    policies: {
      ddl: readDdl(param['ddlMarkMap']),
      errorLimit: readErrorLimit(param['errorLimit']),
      failover: readFailover(param['failoverLimit']),
    },
    startTime: readStartTime(param['startTime']),
  };
}

function parse(text: string): JsonObject {
  try {
    return parseJsonObject(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw invalid(`StartParam is not a JSON object: ${error.message}`);
  }
}

function readDdl(value: Json | undefined): DdlPolicies {
  if (value === undefined || value === null) return DEFAULT_DDL_POLICIES;
  if (!isJsonObject(value)) throw invalid('StartParam.ddlMarkMap must be an object of kinds and policies');
  const policies: Record<DdlKind, DdlPolicy> = { ...DEFAULT_DDL_POLICIES };
  for (const [key, given] of Object.entries(value)) {
    const kind = DDL_KINDS.find((known) => known === key.toUpperCase());
    const policy = DDL_POLICIES.find((known) => known === String(given as string).toUpperCase());
    if (kind === undefined)
      throw invalid(`StartParam.ddlMarkMap: ${key} is unknown; the kinds are ${DDL_KINDS.join(', ')}`);
    if (policy === undefined) throw invalid(`StartParam.ddlMarkMap.${key} must be one of ${DDL_POLICIES.join(', ')}`);
    policies[kind] = policy;
  }
  return policies;
}

/** A number, or a numeric text; an empty text is no limit. Without it, no dirty row is allowed. */
function readErrorLimit(value: Json | undefined): number | null {
  if (value === undefined || value === null) return 0;
  if (!isJsonObject(value)) throw invalid('StartParam.errorLimit must be an object: { "record": 0 }');
  const record = value['record'];
  if (record === undefined || record === null) return 0;
  return record === '' ? null : wholeNumber(record, 'StartParam.errorLimit.record');
}

function readFailover(value: Json | undefined): FailoverLimit {
  if (value === undefined || value === null) return DEFAULT_FAILOVER_LIMIT;
  if (!isJsonObject(value))
    throw invalid('StartParam.failoverLimit must be an object: { "count": 100, "interval": 5 }');
  const { count, interval } = value;
  return {
    count: count === undefined ? DEFAULT_FAILOVER_LIMIT.count : wholeNumber(count, 'StartParam.failoverLimit.count'),
    intervalMinutes:
      interval === undefined
        ? DEFAULT_FAILOVER_LIMIT.intervalMinutes
        : wholeNumber(interval, 'StartParam.failoverLimit.interval'),
  };
}

function readStartTime(value: Json | undefined): number | null {
  return value === undefined || value === null || value === '' ? null : wholeNumber(value, 'StartParam.startTime');
}

function wholeNumber(value: Json, where: string): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0)
    throw invalid(`${where} must be a whole number, 0 or more`);
  return number;
}
