import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { type HostPolicy, HostPolicySchema } from '../../lib/host-policy.ts';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import { SettingsError } from '../../pipeline/connector.ts';
import { readSslOf, SslSchema } from '../../pipeline/ssl-content.ts';
import { unknownVariables } from '../../pipeline/name-pattern.ts';

const Settings = Type.Object({
  host: Type.String({ minLength: 1, maxLength: 255 }),
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
  database: Type.String({ minLength: 1 }),
  user: Type.String({ minLength: 1 }),
  password: Type.String(),
  ssl: SslSchema,
  /** Which addresses it may lead to. */
  hosts: HostPolicySchema,
});

/** A Hologres or PostgreSQL data source, as its `Content` gave it. Holds the password. */
export type HologresSettings = Static<typeof Settings>;

/** `fixed`: unnest upserts and deletes by key; `staging`: COPY, and merge; `auto`: what suits the server. */
const WritePath = Type.Union([Type.Literal('auto'), Type.Literal('fixed'), Type.Literal('staging')]);

const Options = Type.Object({
  /** Patterns of the target's schema and name: what `VARIABLES` in name-pattern.ts says may stand in them. */
  schema: Type.String({ minLength: 1 }),
  table: Type.String({ minLength: 1 }),
  writePath: WritePath,
  /** Hologres' table properties, set when a table is created, such as orientation or clustering_key. */
  tableProperties: Type.Record(Type.String(), Type.String()),
  /** A commit takes about this many rows after merging, and bytes as encoded, before writing waits for it. */
  commitRowsMax: Type.Integer({ minimum: 1, maximum: 10_000_000 }),
  commitBytesMax: Type.Integer({ minimum: 1024, maximum: 1024 * 1024 * 1024 }),
});
/** The writer's own options (`steps[writer].parameter`). */
export type HologresOptions = Static<typeof Options>;

export const DEFAULT_OPTIONS: HologresOptions = {
  schema: '${srcDatabaseName}',
  table: '${srcTableName}',
  writePath: 'auto',
  tableProperties: {},
  commitRowsMax: 50_000,
  commitBytesMax: 16 * 1024 * 1024,
};

/**
 * Reads `Content`: `{ endpoint: "h:p", database, accessId, accessKey }`, or
 * `{ jdbcUrl: "jdbc:postgresql://h:p/db", username, password }`; either with `ssl: { mode, ca, cert, key }`.
 * Errors: SettingsError naming the key.
 */
export function parseHologresSettings(content: Json, hosts: HostPolicy): HologresSettings {
  const fields = asObject(content, 'Content');
  const address = fields['jdbcUrl'] === undefined ? readEndpoint(fields) : readJdbcUrl(fields['jdbcUrl']);
  return {
    ...address,
    user: readText(fields, ['username', 'accessId', 'user']),
    password: readText(fields, ['password', 'accessKey']),
    ssl: readSslOf(fields),
    hosts,
  };
}

/** Settings that went through JSON come back as what they were. */
export function asHologresSettings(settings: Json): HologresSettings {
  return Value.Parse(Settings, settings);
}

/** Reads the writer's options, ignoring parameters that are not its own. Errors: SettingsError naming the option. */
export function parseHologresOptions(parameter: Json): HologresOptions {
  const fields = parameter === null ? {} : asObject(parameter, 'parameter');
  const options: Record<string, Json> = {};
  for (const name of Object.keys(DEFAULT_OPTIONS) as (keyof HologresOptions)[]) {
    const value = fields[name] ?? DEFAULT_OPTIONS[name];
    if (!Value.Check(Options.properties[name], value)) throw wrong(name);
    const [unknown] = name === 'schema' || name === 'table' ? unknownVariables(String(value as string)) : [];
    if (unknown !== undefined) throw wrong(name, `${unknown} is not known; `);
    options[name] = value;
  }
  return Value.Parse(Options, options);
}

function wrong(name: keyof HologresOptions, what = ''): SettingsError {
  return new SettingsError(name, `${name}: ${what}${EXPECTED[name]}`);
}

const EXPECTED: Readonly<Record<keyof HologresOptions, string>> = {
  schema: 'give the name of the target schema; ${srcDatabaseName} stands for the source database',
  table:
    'give the name of the target; ${srcTableName}, ${srcDatabaseName} and ${srcDatasourceName} stand for what they say',
  writePath: 'give auto, fixed or staging',
  tableProperties: 'give an object of texts, such as {"orientation":"row"}',
  commitRowsMax: 'give a number of rows from 1 to 10,000,000',
  commitBytesMax: 'give a number of bytes from 1,024 to 1,073,741,824',
};

function asObject(value: Json, parameter: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new SettingsError(parameter, `${parameter} must be a JSON object`);
  }
  return value as JsonObject;
}

type Address = Pick<HologresSettings, 'host' | 'port' | 'database'>;

function readEndpoint(fields: JsonObject): Address {
  const endpoint = fields['endpoint'];
  if (endpoint === undefined) {
    throw new SettingsError(
      'Content.jdbcUrl',
      'Content needs endpoint (host:port) with database, accessId and accessKey, or jdbcUrl with username and password',
    );
  }
  const match = typeof endpoint === 'string' ? /^(\[[^\]]+\]|[^:/]+)(?::(\d+))?$/.exec(endpoint.trim()) : null;
  if (match === null) throw new SettingsError('Content.endpoint', 'Content.endpoint must look like host:port');
  return {
    host: bareHost(match[1]),
    port: readPort(match[2] ?? '80', 'Content.endpoint'),
    database: readText(fields, ['database']),
  };
}

function readJdbcUrl(value: Json): Address {
  const pattern = /^jdbc:(?:postgresql|hologres):\/\/(\[[^\]]+\]|[^/:?,]+)(?::(\d+))?\/([^?]+)(?:\?.*)?$/;
  const match = typeof value === 'string' ? pattern.exec(value.trim()) : null;
  if (match === null) {
    throw new SettingsError('Content.jdbcUrl', 'Content.jdbcUrl must look like jdbc:postgresql://host:port/database');
  }
  return {
    host: bareHost(match[1]),
    port: readPort(match[2] ?? '5432', 'Content.jdbcUrl'),
    database: decodeName(match[3] ?? ''),
  };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SettingsError('Content.jdbcUrl', 'Content.jdbcUrl: the database name is not properly percent-encoded');
  }
}

function bareHost(host = ''): string {
  return host.replace(/^\[|\]$/g, '');
}

function readPort(text: string, parameter: string): number {
  const port = Number(text);
  if (port < 1 || port > 65535) throw new SettingsError(parameter, `${parameter}: the port must be 1 to 65535`);
  return port;
}

function readText(fields: JsonObject, names: readonly [string, ...string[]]): string {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === 'string' && (value !== '' || name === 'password')) return value;
  }
  throw new SettingsError(`Content.${names[0]}`, `Content.${names.join(' or Content.')} is missing: give it as a text`);
}
