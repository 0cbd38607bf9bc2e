import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import { isTimeZone } from '../../lib/time-zone.ts';
import { SettingsError } from '../../pipeline/connector.ts';
import { messageOf } from '../../lib/errors.ts';
import { unknownVariables } from '../../pipeline/name-pattern.ts';
import { PartitionRule } from './partition.ts';

const MIB = 2 ** 20;

const Options = Type.Object({
  /** `delta`: rows by primary key; `log`: each change as one or two rows; `append`: inserted rows alone. */
  tableType: Type.Union([Type.Literal('delta'), Type.Literal('log'), Type.Literal('append')]),
  /** Pattern of the middle one of three names; null where the project has two. */
  schema: Type.Union([Type.Null(), Type.String({ minLength: 1, maxLength: 1000 })]),
  /** Pattern of the target's name; null: `${srcDatabaseName}_${srcTableName}`, and with `schema` the table's own name. */
  table: Type.Union([Type.Null(), Type.String({ minLength: 1, maxLength: 1000 })]),
  /** Levels of partitions and what says their values (partition.ts); empty for tables without. */
  partition: Type.String({ maxLength: 4000 }),
  /** Between the starts of two commits; null: 60 for Delta tables, 10 for others. */
  commitIntervalSeconds: Type.Union([Type.Null(), Type.Integer({ minimum: 1, maximum: 3600 })]),
  /** Buckets of a Delta table that is made: how many can be written at the same time. */
  buckets: Type.Integer({ minimum: 1, maximum: 4096 }),
  /** Of a table that is made: days until the service drops it, or its partitions; 0: never. */
  lifecycleDays: Type.Integer({ minimum: 0, maximum: 37_231 }),
  compression: Type.Union([Type.Literal('deflate'), Type.Literal('zstd'), Type.Literal('none')]),
  /** Rows as encoded that one request carries at most, before compression; a longer row goes alone. */
  blockBytesMax: Type.Integer({ minimum: 1024, maximum: 64 * MIB }),
  /** Partitions with rows that wait for one commit, over all tables; with more, it is made earlier. */
  openPartitionsMax: Type.Integer({ minimum: 1, maximum: 10_000 }),
  /** In which DATETIME, which has none, becomes a moment, and in which partitions are named: an IANA name or UTC. */
  timeZone: Type.String({ minLength: 1 }),
  /** The first wait before a call that failed is sent again; later ones are longer. */
  retryFirstMs: Type.Integer({ minimum: 1, maximum: 60_000 }),
  /** The vendor's switches of full and incremental tasks: taken, echoed, and of the merge only. */
  mergeIntoCycleType: Type.String({ maxLength: 100 }),
  dayDeltaEnable: Type.Boolean(),
  hourDeltaEnable: Type.Boolean(),
});
/** The writer's own options (`steps[writer].parameter`). */
export type MaxComputeOptions = Static<typeof Options>;

export const DEFAULT_OPTIONS: MaxComputeOptions = {
  tableType: 'delta',
  schema: null,
  table: null,
  partition: '',
  commitIntervalSeconds: null,
  buckets: 16,
  lifecycleDays: 0,
  compression: 'deflate',
  blockBytesMax: 4 * MIB,
  openPartitionsMax: 200,
  timeZone: 'UTC',
  retryFirstMs: 1000,
  mergeIntoCycleType: 'DEFAULT',
  dayDeltaEnable: false,
  hourDeltaEnable: false,
};

const DELTA_INTERVAL_SECONDS = 60;
const OTHER_INTERVAL_SECONDS = 10;

/** Seconds between two commits. */
export function intervalSeconds({ commitIntervalSeconds, tableType }: MaxComputeOptions): number {
  return commitIntervalSeconds ?? (tableType === 'delta' ? DELTA_INTERVAL_SECONDS : OTHER_INTERVAL_SECONDS);
}

/** Reads the writer's options, ignoring parameters that are not its own. Errors: SettingsError naming all options that are wrong. */
export function parseMaxComputeOptions(parameter: Json): MaxComputeOptions {
  const fields = parameter === null ? {} : asObject(parameter);
  const wrong = new Map<string, string>();
  const options: Record<string, Json> = {};
  for (const name of Object.keys(DEFAULT_OPTIONS) as (keyof MaxComputeOptions)[]) {
    const value = fields[name] ?? DEFAULT_OPTIONS[name];
    options[name] = value;
    const reason = Value.Check(Options.properties[name], value) ? wrongWith(name, value) : '';
    if (reason !== null) wrong.set(name, `${name}: ${reason}${EXPECTED[name]}`);
  }
  if (wrong.size > 0) throw new SettingsError([...wrong.keys()].join(', '), [...wrong.values()].join('; '));
  return Value.Parse(Options, options);
}

/** What no type says of a value, as the begin of the reason; null when it is right. */
function wrongWith(name: keyof MaxComputeOptions, value: Json): string | null {
  if (name === 'partition') return partitionProblem(String(value as string));
  if (name === 'timeZone') return isTimeZone(String(value as string)) ? null : '';
  if ((name !== 'schema' && name !== 'table') || value === null) return null;
  const [unknown] = unknownVariables(String(value as string));
  return unknown === undefined ? null : `${unknown} is not known; `;
}

function partitionProblem(text: string): string | null {
  try {
    PartitionRule.parse(text);
    return null;
  } catch (error) {
    return `${messageOf(error)}; `;
  }
}

const EXPECTED: Readonly<Record<keyof MaxComputeOptions, string>> = {
  tableType: 'give delta, log or append',
  schema: 'give the name of the schema; ${srcDatabaseName} stands for the source database',
  table:
    'give the name of the target; ${srcTableName}, ${srcDatabaseName} and ${srcDatasourceName} stand for what they say',
  partition: 'give levels such as pt=${yyyyMMdd}',
  commitIntervalSeconds: 'give seconds from 1 to 3,600',
  buckets: 'give a number from 1 to 4,096',
  lifecycleDays: 'give days, or 0 for ever',
  compression: 'give deflate, zstd or none',
  blockBytesMax: 'give a number of bytes from 1,024 to 67,108,864',
  openPartitionsMax: 'give a number from 1 to 10,000',
  timeZone: 'give an IANA name, such as Asia/Shanghai',
  retryFirstMs: 'give milliseconds from 1 to 60,000',
  mergeIntoCycleType: 'give a text',
  dayDeltaEnable: 'give true or false',
  hourDeltaEnable: 'give true or false',
};

function asObject(value: Json): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new SettingsError('parameter', 'parameter must be a JSON object');
  return value as JsonObject;
}
