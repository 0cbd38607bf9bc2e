import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { type HostPolicy, HostPolicySchema } from '../../lib/host-policy.ts';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import { SettingsError } from '../../pipeline/connector.ts';
import { misspelt } from './misspelt.ts';

/** How a broker is proven: not at all; against `ca`; against `ca` and for its host name. */
const SslMode = Type.Union([Type.Literal('required'), Type.Literal('verify-ca'), Type.Literal('verify-identity')]);
type SslMode = Static<typeof SslMode>;

const SaslMechanism = Type.Union([Type.Literal('PLAIN'), Type.Literal('SCRAM-SHA-256'), Type.Literal('SCRAM-SHA-512')]);
type SaslMechanism = Static<typeof SaslMechanism>;

const Settings = Type.Object({
  /** Brokers to begin with; the others are found through them. */
  brokers: Type.Array(
    Type.Object({
      host: Type.String({ minLength: 1, maxLength: 255 }),
      port: Type.Integer({ minimum: 1, maximum: 65535 }),
    }),
    { minItems: 1 },
  ),
  /** Null without SASL. */
  sasl: Type.Union([
    Type.Null(),
    Type.Object({ mechanism: SaslMechanism, username: Type.String(), password: Type.String() }),
  ]),
  /** Null without TLS. PEM texts. */
  ssl: Type.Union([
    Type.Null(),
    Type.Object({
      mode: SslMode,
      ca: Type.Optional(Type.String()),
      cert: Type.Optional(Type.String()),
      key: Type.Optional(Type.String()),
    }),
  ]),
  /** Which addresses it may lead to. */
  hosts: HostPolicySchema,
});

/** A Kafka data source, as its `Content` gave it. Holds the password. */
export type KafkaSettings = Static<typeof Settings>;

const PROTOCOLS: Readonly<Record<string, { readonly sasl: boolean; readonly ssl: boolean }>> = {
  PLAINTEXT: { sasl: false, ssl: false },
  SSL: { sasl: false, ssl: true },
  SASL_PLAINTEXT: { sasl: true, ssl: false },
  SASL_SSL: { sasl: true, ssl: true },
};
const MECHANISMS: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];
const SSL_MODES: Readonly<Record<string, SslMode>> = {
  required: 'required',
  require: 'required',
  'verify-ca': 'verify-ca',
  verify_ca: 'verify-ca',
  'verify-identity': 'verify-identity',
  verify_identity: 'verify-identity',
  'verify-full': 'verify-identity',
};
const NAMES = ['address', 'securityProtocol', 'saslMechanism', 'username', 'password', 'ssl'];

/**
 * Reads `Content`: `{ address: "h:p,h:p", securityProtocol, saslMechanism, username, password, ssl }`. Without
 * `securityProtocol`, a `username` means SASL, and `ssl` means TLS; a mechanism that is not named is PLAIN.
 * Errors: SettingsError naming the key.
 */
export function parseKafkaSettings(content: Json, hosts: HostPolicy): KafkaSettings {
  const fields = asObject(content, 'Content');
  for (const [name, meant] of misspelt(Object.keys(fields), NAMES))
    throw new SettingsError(`Content.${name}`, `Content.${name} is spelt ${meant}`);
  const { sasl, ssl } = readProtocol(fields);
  return {
    brokers: readAddress(fields['address']),
    sasl: sasl ? readSasl(fields) : null,
    ssl: ssl ? readSsl(fields['ssl']) : null,
    hosts,
  };
}

/** Settings that went through JSON come back as what they were. */
export function asKafkaSettings(settings: Json): KafkaSettings {
  return Value.Parse(Settings, settings);
}

function asObject(value: Json, parameter: string): JsonObject {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new SettingsError(parameter, `${parameter} must be a JSON object`);
  }
  return value as JsonObject;
}

function readProtocol(fields: JsonObject): { readonly sasl: boolean; readonly ssl: boolean } {
  const given = fields['securityProtocol'];
  if (isAbsent(given)) return { sasl: !isAbsent(fields['username']), ssl: !isAbsent(fields['ssl']) };
  const protocol = typeof given === 'string' ? PROTOCOLS[given.trim().toUpperCase()] : undefined;
  if (protocol === undefined) {
    throw new SettingsError(
      'Content.securityProtocol',
      'Content.securityProtocol must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL',
    );
  }
  return protocol;
}

function isAbsent(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '';
}

function readAddress(value: Json | undefined): KafkaSettings['brokers'] {
  const parts = (Array.isArray(value) ? value : [value]).flatMap((part) =>
    typeof part === 'string' ? part.split(',') : [''],
  );
  const brokers = parts.map((part) => part.trim()).filter((part) => part !== '');
  if (brokers.length === 0) {
    throw new SettingsError('Content.address', 'Content.address is missing: give host:port, several with commas');
  }
  return brokers.map(readBroker);
}

function readBroker(text: string): KafkaSettings['brokers'][number] {
  const match = /^(\[[^\]]+\]|[^:/\s]+)(?::(\d+))?$/.exec(text);
  const port = Number(match?.[2] ?? '9092');
  if (match === null || port < 1 || port > 65535) {
    throw new SettingsError('Content.address', 'Content.address must look like host:port, several with commas');
  }
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

function readSasl(fields: JsonObject): NonNullable<KafkaSettings['sasl']> {
  const given = isAbsent(fields['saslMechanism']) ? 'PLAIN' : fields['saslMechanism'];
  const mechanism = MECHANISMS.find((one) => typeof given === 'string' && one === given.trim().toUpperCase());
  if (mechanism === undefined) {
    throw new SettingsError(
      'Content.saslMechanism',
      'Content.saslMechanism must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512',
    );
  }
  return { mechanism, username: readText(fields, 'username'), password: readText(fields, 'password') };
}

function readText(fields: JsonObject, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new SettingsError(`Content.${name}`, `Content.${name} is missing: give it as a text`);
}

function readSsl(value: Json | undefined): NonNullable<KafkaSettings['ssl']> {
  if (value === undefined || value === null) return { mode: 'verify-identity' };
  const fields = asObject(value, 'Content.ssl');
  const given = fields['mode'] ?? 'verify-identity';
  const mode = typeof given === 'string' ? SSL_MODES[given.toLowerCase()] : undefined;
  if (mode === undefined) {
    throw new SettingsError('Content.ssl.mode', 'Content.ssl.mode must be required, verify-ca or verify-identity');
  }
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => readPem(fields, name));
  if ((cert === undefined) !== (key === undefined))
    throw new SettingsError(
      `Content.ssl.${cert === undefined ? 'cert' : 'key'}`,
      'Content.ssl.cert and Content.ssl.key belong together: give both, or none',
    );
  return {
    mode,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function readPem(fields: JsonObject, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.includes('-----BEGIN ')) return value;
  throw new SettingsError(
    `Content.ssl.${name}`,
    `Content.ssl.${name} must be a PEM text (-----BEGIN …), not the name of a file`,
  );
}
