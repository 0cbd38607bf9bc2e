import { isJsonObject, JsonError, parseJsonObject } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import {
  type DdlPolicies,
  DEFAULT_DDL_POLICIES,
  DEFAULT_FAILOVER_LIMIT,
  type FailoverLimit,
  type Policies,
} from '../pipeline/policies.ts';
import type { StartPoint } from '../pipeline/source.ts';
import { readDdlPolicies } from './ddl-policies.ts';
import { invalid } from './script-reader.ts';

/** Behind the four bytes that mark a log file. */
const LOG_BEGIN = 4;

export interface StartSettings {
  readonly policies: Policies;
  /** null starts now. */
  readonly start: StartPoint | null;
}

/**
 * Reads StartParam; null or empty gives the defaults. `ddlDefaults` is for kinds that it leaves out.
 * Errors: TaskError `invalid`, naming the key and its values.
 */
export function readStartParam(text: string | null, ddlDefaults = DEFAULT_DDL_POLICIES): StartSettings {
  const param = text === null || text.trim() === '' ? {} : parse(text);
  return {
    policies: {
      ddl: readDdl(param['ddlMarkMap'], ddlDefaults),
      errorLimit: readErrorLimit(param['errorLimit']),
      failover: readFailover(param['failoverLimit']),
    },
    start: readStart(param),
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

function readDdl(value: Json | undefined, defaults: DdlPolicies): DdlPolicies {
  if (value === undefined || value === null) return defaults;
  return { ...defaults, ...readDdlPolicies(value, 'StartParam.ddlMarkMap') };
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

/** At most one of them; null and an empty text are as if it were not there. */
function readStart(param: JsonObject): StartPoint | null {
  const points = Object.entries(START_POINTS).flatMap(([name, read]) => {
    const value = param[name];
    return value === undefined || value === null || value === '' ? [] : [{ name, point: read(value) }];
  });
  const [first, second] = points;
  if (second !== undefined) throw invalid(`StartParam takes one of ${Object.keys(START_POINTS).join(', ')}, not both`);
  return first?.point ?? null;
}

const START_POINTS: Readonly<Record<string, (value: Json) => StartPoint>> = {
  startTime: readTime,
  startPosition: readPosition,
  startGtid: readGtids,
};

/** Logs have 32 bits for it; a number of milliseconds would leave out everything for ages. */
function readTime(value: Json): StartPoint {
  const seconds = wholeNumber(value, 'StartParam.startTime');
  if (seconds >= 2 ** 32) throw invalid('StartParam.startTime must be in seconds since the epoch, not in milliseconds');
  return { kind: 'time', seconds };
}

const MYSQL_GTIDS =
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?::[a-z_]\w{0,31})?(?::\d+(?:-\d+)?)+(?::[a-z_]\w{0,31}(?::\d+(?:-\d+)?)+)*$/i;
const MARIADB_GTIDS = /^\d+-\d+-\d+$/;

function readGtids(value: Json): StartPoint {
  const gtids = typeof value === 'string' ? value.replaceAll(/\s/g, '') : '';
  const texts = gtids.split(',');
  if (![MYSQL_GTIDS, MARIADB_GTIDS].some((form) => texts.every((text) => form.test(text))))
    throw invalid(
      'StartParam.startGtid must be a set of MySQL, such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-100, or a position of MariaDB, such as 0-1-100',
    );
  return { kind: 'gtids', gtids };
}

function readPosition(value: Json): StartPoint {
  const where = 'StartParam.startPosition';
  if (!isJsonObject(value)) throw invalid(`${where} must be an object: { "file": "binlog.000042", "position": 4 }`);
  const { file } = value;
  if (typeof file !== 'string' || !/^[^/\\]+\.\d+$/.test(file))
    throw invalid(`${where}.file must be the name of a log file, such as binlog.000042`);
  const position = wholeNumber(value['position'] ?? LOG_BEGIN, `${where}.position`);
  if (position < LOG_BEGIN)
    throw invalid(`${where}.position must be ${LOG_BEGIN} or more: there the first event begins`);
  return { kind: 'position', file, position };
}

function wholeNumber(value: Json, where: string): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0)
    throw invalid(`${where} must be a whole number, 0 or more`);
  return number;
}
