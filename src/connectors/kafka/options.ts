import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import { SettingsError } from '../../pipeline/connector.ts';
import { optionsOf, readClientProperties } from './client-properties.ts';
import { isTimeZone } from '../../lib/time-zone.ts';
import { misspelt } from './misspelt.ts';
import { unknownVariables } from '../../pipeline/name-pattern.ts';

const MIB = 1024 * 1024;

const Options = Type.Object({
  /** The envelope: DataWorks' JSON, Canal's or Debezium's. */
  writeMode: Type.Union([Type.Literal('json'), Type.Literal('canal'), Type.Literal('debezium')]),
  /** With `debezium`: whether each record carries its schema. */
  debeziumSchema: Type.Boolean(),
  /** The topic of a table; holds `${srcDatabaseName}` and the like, or is one topic for all. */
  topic: Type.String({ minLength: 1, maxLength: 1000 }),
  /** Of a topic that is made: partitions, replicas, and `cleanup.policy`. -1 and null: as the brokers are set. */
  partitions: Type.Integer({ minimum: -1, maximum: 100_000 }),
  replication: Type.Integer({ minimum: -1, maximum: 100 }),
  cleanupPolicy: Type.Union([
    Type.Null(),
    Type.Literal('delete'),
    Type.Literal('compact'),
    Type.Literal('compact,delete'),
  ]),
  /** Columns whose values are the key, in place of the primary key's; empty: the primary key. */
  keyColumns: Type.Array(Type.String({ minLength: 1 })),
  /** What decides the partition: the key, as Java's client has it; the table; or it is always the first. */
  partitioner: Type.Union([Type.Literal('key'), Type.Literal('table'), Type.Literal('fixed')]),
  /** `exactlyOnce`: records and checkpoint in one transaction. */
  delivery: Type.Union([Type.Literal('exactlyOnce'), Type.Literal('atLeastOnce')]),
  compression: Type.Union([
    Type.Literal('none'),
    Type.Literal('gzip'),
    Type.Literal('snappy'),
    Type.Literal('lz4'),
    Type.Literal('zstd'),
  ]),
  /** A commit begins after so long, or with so many bytes as encoded, whichever is first. */
  commitIntervalMs: Type.Integer({ minimum: 1, maximum: 60_000 }),
  commitBytesMax: Type.Integer({ minimum: 1024, maximum: 1024 * MIB }),
  /** After so long without an end, the brokers abort a transaction: at most their `transaction.max.timeout.ms`. */
  transactionTimeoutMs: Type.Integer({ minimum: 5000, maximum: 86_400_000 }),
  /** A transaction of the source beyond this many bytes becomes several of Kafka. */
  transactionBytesMax: Type.Integer({ minimum: 1024, maximum: 1024 * MIB }),
  /** How often an idle task says how far it is; 0: never. */
  heartbeatSeconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
  /** In which DATETIME, which has none, is read to become epoch milliseconds: an IANA name or an offset. */
  timeZone: Type.String({ minLength: 1 }),
  /** Without a primary key, and without `keyColumns`, records have no key, and only one partition keeps their order. */
  writeTablesWithoutKey: Type.Boolean(),
  /** How long a broker may take for an answer. */
  requestTimeoutMs: Type.Integer({ minimum: 1000, maximum: 600_000 }),
  /** Of one produce request; a larger batch goes alone. */
  requestBytesMax: Type.Integer({ minimum: 1024, maximum: 100 * MIB }),
  /** Requests on their way to one broker. */
  inFlightMax: Type.Integer({ minimum: 1, maximum: 5 }),
  /** As brokers see it in their logs and quotas. */
  clientId: Type.String({ minLength: 1, maxLength: 200 }),
  /** The Java client's names of some of the options above, which an option of ours overrides. */
  kafkaClientProperties: Type.Record(Type.String(), Type.String()),
});
/** The writer's own options (`steps[writer].parameter`). */
export type KafkaOptions = Static<typeof Options>;

export const DEFAULT_OPTIONS: KafkaOptions = {
  writeMode: 'json',
  debeziumSchema: false,
  topic: '${srcDatabaseName}_${srcTableName}',
  partitions: -1,
  replication: -1,
  cleanupPolicy: null,
  keyColumns: [],
  partitioner: 'key',
  delivery: 'exactlyOnce',
  compression: 'none',
  commitIntervalMs: 25,
  commitBytesMax: 16 * MIB,
  transactionTimeoutMs: 60_000,
  transactionBytesMax: 64 * MIB,
  heartbeatSeconds: 10,
  timeZone: 'UTC',
  writeTablesWithoutKey: false,
  requestTimeoutMs: 15_000,
  requestBytesMax: 4 * MIB,
  inFlightMax: 2,
  clientId: 'disync',
  kafkaClientProperties: {},
};

/** Reads the writer's options, ignoring parameters that are not its own. Errors: SettingsError naming all options that are wrong. */
export function parseKafkaOptions(parameter: Json): KafkaOptions {
  const fields = parameter === null ? {} : asObject(parameter);
  const wrong = new Map<string, string>();
  const kafkaClientProperties = readClientProperties(fields['kafkaClientProperties'] ?? null, wrong);
  const fromProperties = optionsOf(kafkaClientProperties, wrong);
  const options: Record<string, Json> = {};
  for (const name of Object.keys(DEFAULT_OPTIONS) as (keyof KafkaOptions)[]) {
    const value = fields[name] ?? fromProperties[name] ?? DEFAULT_OPTIONS[name];
    options[name] = name === 'kafkaClientProperties' ? kafkaClientProperties : inOurWords(name, value);
    const reason = Value.Check(Options.properties[name], options[name]) ? wrongWith(name, options[name]) : '';
    if (reason !== null) wrong.set(name, `${name}: ${reason}${EXPECTED[name]}`);
  }
  for (const [name, meant] of misspelt(Object.keys(fields), Object.keys(DEFAULT_OPTIONS)))
    wrong.set(name, `${name}: is spelt ${meant}`);
  if (wrong.size > 0) throw new SettingsError([...wrong.keys()].join(', '), [...wrong.values()].join('; '));
  return Value.Parse(Options, options);
}

/** What no type says of a value, as the begin of the reason; null when it is right. */
function wrongWith(name: keyof KafkaOptions, value: Json): string | null {
  if (name === 'partitions' || name === 'replication') return value === 0 ? '' : null;
  if (name === 'timeZone') return isTimeZone(String(value as string)) ? null : '';
  const [unknown] = name === 'topic' ? unknownVariables(String(value as string)) : [];
  return unknown === undefined ? null : `${unknown} is not known; `;
}

/** Column names may come as one text with commas; the two policies in either order. */
function inOurWords(name: keyof KafkaOptions, value: Json): Json {
  if (name === 'keyColumns' && typeof value === 'string') {
    return value.split(',').flatMap((column) => (column.trim() === '' ? [] : [column.trim()]));
  }
  if (name === 'cleanupPolicy' && value === 'delete,compact') return 'compact,delete';
  return value;
}

const EXPECTED: Readonly<Record<keyof KafkaOptions, string>> = {
  writeMode: 'give json, canal or debezium',
  debeziumSchema: 'give true or false',
  topic: 'give a name; ${srcDatabaseName}, ${srcTableName} and ${srcDatasourceName} stand for what they say',
  partitions: 'give a number of partitions, or -1 for what the brokers are set to',
  replication: 'give a number of replicas, or -1 for what the brokers are set to',
  cleanupPolicy: 'give delete, compact or compact,delete',
  keyColumns: 'give a list of column names',
  partitioner: 'give key, table or fixed',
  delivery: 'give exactlyOnce or atLeastOnce',
  compression: 'give none, gzip, snappy, lz4 or zstd',
  commitIntervalMs: 'give milliseconds from 1 to 60,000',
  commitBytesMax: 'give a number of bytes from 1,024 to 1,073,741,824',
  transactionTimeoutMs: 'give milliseconds from 5,000 to 86,400,000',
  transactionBytesMax: 'give a number of bytes from 1,024 to 1,073,741,824',
  heartbeatSeconds: 'give seconds from 1 to 86,400, or 0 for none',
  timeZone: 'give an IANA name such as Asia/Shanghai, or an offset such as +08:00',
  writeTablesWithoutKey: 'give true or false',
  requestTimeoutMs: 'give milliseconds from 1,000 to 600,000',
  requestBytesMax: 'give a number of bytes from 1,024 to 104,857,600',
  inFlightMax: 'give a number from 1 to 5',
  clientId: 'give a text of up to 200 characters',
  kafkaClientProperties: 'give an object of texts, or a list of { key, value }',
};

function asObject(value: Json): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new SettingsError('parameter', 'parameter must be a JSON object');
  }
  return value as JsonObject;
}
