import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { type HostPolicy, HostPolicySchema } from '../../lib/host-policy.ts';
import { isJsonObject } from '../../lib/json.ts';
import type { Json } from '../../lib/json-value.ts';
import { SettingsError } from '../../pipeline/connector.ts';
import { readSslOf, SslSchema } from '../../pipeline/ssl-content.ts';

const Settings = Type.Object({
  host: Type.String({ minLength: 1, maxLength: 255 }),
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
  user: Type.String({ minLength: 1 }),
  password: Type.String(),
  /** The database that bare table names are of. */
  database: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
  ssl: SslSchema,
  /** Which addresses it may lead to. */
  hosts: HostPolicySchema,
});

/** A MySQL or MariaDB data source, as its `Content` gave it. Holds the password. */
export type MysqlSettings = Static<typeof Settings>;

type Fields = Readonly<Record<string, Json>>;

/**
 * Reads `Content`: `{ jdbcUrl: "jdbc:mysql://h:p/db", username, password }` or `{ host, port, database, … }`.
 * Errors: SettingsError naming the key.
 */
export function parseMysqlSettings(content: Json, hosts: HostPolicy): MysqlSettings {
  if (content === null || typeof content !== 'object' || Array.isArray(content)) {
    throw new SettingsError(
      'Content',
      'Content must be a JSON object, such as {"jdbcUrl":"jdbc:mysql://host:3306/db","username":"u","password":"p"}',
    );
  }
  const fields = content as Fields;
  const address = fields['jdbcUrl'] === undefined ? readAddress(fields) : readJdbcUrl(fields['jdbcUrl']);
  return {
    ...address,
    user: text(fields, 'username', fields['user']),
    password: text(fields, 'password', undefined, ''),
    ssl: readSslOf(fields),
    hosts,
  };
}

/** Settings that went through JSON come back as what they were. */
export function asMysqlSettings(settings: Json): MysqlSettings {
  return Value.Parse(Settings, settings);
}

function readAddress(fields: Fields): Pick<MysqlSettings, 'host' | 'port' | 'database'> {
  if (fields['host'] === undefined) {
    throw new SettingsError(
      'Content.jdbcUrl',
      'Content needs jdbcUrl (jdbc:mysql://host:port/database), or host, port and database',
    );
  }
  const database = fields['database'];
  return {
    host: text(fields, 'host'),
    port: readPort(fields['port'] ?? 3306, 'Content.port'),
    database: typeof database === 'string' && database !== '' ? database : null,
  };
}

function readJdbcUrl(value: Json): Pick<MysqlSettings, 'host' | 'port' | 'database'> {
  const match =
    typeof value === 'string'
      ? /^jdbc:(?:mysql|mariadb):\/\/(\[[^\]]+\]|[^/:?,]+)(?::(\d+))?(?:\/([^?]*))?(?:\?.*)?$/.exec(value.trim())
      : null;
  if (match === null)
    throw new SettingsError('Content.jdbcUrl', 'Content.jdbcUrl must look like jdbc:mysql://host:port/database');
  const [, host = '', port = '3306', database = ''] = match;
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: readPort(port, 'Content.jdbcUrl'),
    database: database === '' ? null : decodeName(database),
  };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SettingsError('Content.jdbcUrl', 'Content.jdbcUrl: the database name is not properly percent-encoded');
  }
}

function readPort(value: Json, parameter: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new SettingsError(parameter, `${parameter}: the port must be 1 to 65535`);
  return port;
}

function text(fields: Fields, name: string, other?: Json, fallback?: string): string {
  const value = fields[name] ?? other ?? fallback;
  if (typeof value !== 'string')
    throw new SettingsError(`Content.${name}`, `Content.${name} is missing: give it as a text`);
  return value;
}

/** NORMAL hands on, IGNORE leaves out. */
const DmlPolicy = Type.Union([Type.Literal('NORMAL'), Type.Literal('IGNORE')]);

const Options = Type.Object({
  /** What is done with each kind of change. Rows that are loaded are none. */
  dmlPolicies: Type.Object(
    { insert: DmlPolicy, update: DmlPolicy, delete: DmlPolicy },
    { additionalProperties: false },
  ),
  /**
   * When rows of a two-phase (XA) transaction are handed on: once it is committed, or already when it is prepared, as
   * DataWorks does it; a rollback cannot be taken back then.
   */
  xa: Type.Union([Type.Literal('atCommit'), Type.Literal('atPrepare')]),
  /** Bytes of prepared transactions that may wait on disk for their outcome. */
  xaSpillBytesMax: Type.Integer({ minimum: 0, maximum: 2 ** 40 }),
  /** Seconds that a prepared transaction may stay without outcome: until then the checkpoint waits before it. */
  xaAgeSecondsMax: Type.Integer({ minimum: 1, maximum: 31_536_000 }),
  /** Tables whose existing rows are loaded at the same time, each on a connection of its own. */
  loadParallelism: Type.Integer({ minimum: 1, maximum: 16 }),
  /** Existing rows read per second, over all tables of the task; null reads as fast as the target takes them. */
  loadRowsPerSecondMax: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
});

/** The reader's options, as `steps[reader].parameter` gave them; `connection` is the task's and not among them. */
export type MysqlReaderOptions = Static<typeof Options>;

export const DEFAULT_READER_OPTIONS: MysqlReaderOptions = {
  dmlPolicies: { insert: 'NORMAL', update: 'NORMAL', delete: 'NORMAL' },
  xa: 'atCommit',
  xaSpillBytesMax: 1 << 30,
  xaAgeSecondsMax: 86_400,
  loadParallelism: 1,
  loadRowsPerSecondMax: null,
};

const EXPECTED: Readonly<Record<keyof MysqlReaderOptions, string>> = {
  dmlPolicies: 'give NORMAL or IGNORE for insert, update and delete',
  xa: 'give atCommit or atPrepare',
  xaSpillBytesMax: 'give a number of bytes from 0 to 1,099,511,627,776',
  xaAgeSecondsMax: 'give a number of seconds from 1 to 31,536,000',
  loadParallelism: 'give a number of tables from 1 to 16',
  loadRowsPerSecondMax: 'give a number of rows per second, 1 or more',
};

/** Options that are not ours are left alone: scripts carry settings of other readers. Errors: SettingsError naming the option. */
export function parseReaderOptions(parameter: Json): MysqlReaderOptions {
  const fields = parameter === null || typeof parameter !== 'object' ? {} : (parameter as Fields);
  const options: Record<string, Json> = {};
  for (const name of Object.keys(DEFAULT_READER_OPTIONS) as (keyof MysqlReaderOptions)[]) {
    const value = withDefault(name, fields[name]);
    if (!Value.Check(Options.properties[name], value)) throw new SettingsError(name, `${name}: ${EXPECTED[name]}`);
    options[name] = value;
  }
  return Value.Parse(Options, options);
}

/** Kinds of changes that are not named keep their policy. */
function withDefault(name: keyof MysqlReaderOptions, given: Json | undefined): Json {
  const usual = DEFAULT_READER_OPTIONS[name];
  return isJsonObject(given) && isJsonObject(usual) ? { ...usual, ...given } : (given ?? usual);
}
