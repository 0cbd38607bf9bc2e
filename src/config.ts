import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import Type, { type Static, type TSchema } from 'typebox';
import Value from 'typebox/value';
import { parse as parseYaml } from 'yaml';
import { CRASH_POINTS, type CrashPoint } from './lib/crash-point.ts';
import { CodedError, messageOf } from './lib/errors.ts';
import { DEFAULT_HOST_POLICY, type HostPolicy } from './lib/host-policy.ts';
import { readTextFile } from './lib/text-file.ts';

const LogLevel = Type.Union([Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')]);
const Port = Type.Integer({ minimum: 0, maximum: 65535 });
const AllowOrDeny = Type.Union([Type.Literal('allow'), Type.Literal('deny')]);
const Text = Type.String({ minLength: 1 });

/** Every setting of the service: flag `--data-dir`, environment `DISYNC_DATA_DIR`, file key `dataDir`. */
const Settings = Type.Object(
  {
    /** Address that the API listens on. */
    host: Type.Optional(Text),
    /** Port of the API; 0 takes a free one. */
    port: Type.Optional(Port),
    /** Folder of the store. */
    dataDir: Type.Optional(Text),
    /** Project 10000 exists, any key is accepted, signatures are not checked; loopback only. */
    dev: Type.Optional(Type.Boolean()),
    tlsCert: Type.Optional(Text),
    tlsKey: Type.Optional(Text),
    /** Allows an address beyond loopback without TLS. */
    insecure: Type.Optional(Type.Boolean()),
    /** Calls a second that one key may make of one operation; 0 sets no limit. */
    readsPerSecond: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
    writesPerSecond: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
    /** /metrics, /healthz and /readyz get a listener of their own. */
    metricsHost: Type.Optional(Text),
    metricsPort: Type.Optional(Port),
    /** 32 bytes, base64 or hex: seals stored secrets. */
    masterKey: Type.Optional(Text),
    masterKeyFile: Type.Optional(Text),
    logLevel: Type.Optional(LogLevel),
    /** Memory that one run may take, its JavaScript heap and its buffers together, MiB. */
    runMemoryMb: Type.Optional(Type.Integer({ minimum: 192, maximum: 65536 })),
    /** Whether data sources and webhooks may lead to private addresses, and to this machine itself. */
    networkPrivate: Type.Optional(AllowOrDeny),
    networkLoopback: Type.Optional(AllowOrDeny),
    /** Where alarms go whose receivers are tokens of DingTalk robots: added as `access_token`. None is built in. */
    dingRobotUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
    /** The same for tokens of Feishu robots: added as the last segment of the path. */
    feishuRobotUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
    /** Addresses of instance-id forms of data sources: id → host:port. File only. */
    instances: Type.Optional(Type.Record(Type.String(), Text)),
    /** Where the process ends with SIGKILL: for tests of what is left behind. */
    crashPoint: Type.Optional(Type.Union(CRASH_POINTS.map((point) => Type.Literal(point)))),
  },
  { additionalProperties: false },
);

export type SettingName = keyof Static<typeof Settings>;

/** What the service runs with. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly dev: boolean;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly metrics: { readonly host: string; readonly port: number } | null;
  /** What is not given is as the gateway has it (api/limits.ts). */
  readonly throttle: { readonly readsPerSecond?: number; readonly writesPerSecond?: number };
  readonly masterKey: string | null;
  readonly masterKeyFile: string | null;
  readonly logLevel: Static<typeof LogLevel>;
  readonly runMemoryMb: number;
  /** Which addresses data sources and webhooks may lead to. */
  readonly hosts: HostPolicy;
  /** Where tokens of robots go. Null: alarms cannot go to those. */
  readonly robots: { readonly dingRobotUrl: string | null; readonly feishuRobotUrl: string | null };
  readonly instances: Readonly<Record<string, string>>;
  readonly crashPoint: CrashPoint | null;
}

/** A setting that the service refuses to start with: names it, where it came from, and what it should be. */
export class ConfigError extends CodedError {
  override readonly name = 'ConfigError';

  constructor(message: string) {
    super('Config.Invalid', message);
  }
}

type Raw = Partial<Record<string, unknown>>;

const NAMES = Object.keys(Settings.properties) as SettingName[];
const ENV_PREFIX = 'DISYNC_';
/** Read by the command line, not by the service. */
const OTHER_ENV = new Set([
  'DISYNC_CONFIG',
  'DISYNC_ENDPOINT',
  'DISYNC_SOURCE_USER',
  'DISYNC_SOURCE_PASSWORD',
  'DISYNC_TEST_SERVERS',
]);

/**
 * Flags win over the environment, that over the file. An unknown key anywhere is an error.
 * Errors: ConfigError; CodedError for a file that cannot be read.
 */
export function readConfig(flags: Raw, env: NodeJS.ProcessEnv = process.env): Config {
  const path = typeof flags['config'] === 'string' ? flags['config'] : env['DISYNC_CONFIG'];
  const { config: _, ...given } = flags;
  const merged: Raw = { ...readFile(path), ...readEnvironment(env), ...given };
  const settings = check(merged);
  const host = settings.host ?? '127.0.0.1';
  const tls = readTls(settings);
  const dev = settings.dev ?? false;
  if (dev && !isLoopback(host)) {
    throw new ConfigError(
      `--dev accepts any key and checks no signature, so it listens on loopback only; ${host} is not. Leave out --dev, or --host.`,
    );
  }
  if (!isLoopback(host) && tls === null && settings.insecure !== true) {
    throw new ConfigError(
      `${host} is reachable from outside, and without TLS keys and rows travel in clear. Give --tls-cert and --tls-key, or --insecure if a proxy in front has TLS.`,
    );
  }
  const robots = { dingRobotUrl: settings.dingRobotUrl ?? null, feishuRobotUrl: settings.feishuRobotUrl ?? null };
  for (const [name, url] of Object.entries(robots))
    if (url !== null && !URL.canParse(url))
      throw new ConfigError(`the setting ${name} is wrong: it must be a URL of http or https`);
  return {
    host,
    port: settings.port ?? 8580,
    dataDir: resolve(settings.dataDir ?? 'disync-data'),
    dev,
    tls,
    metrics:
      settings.metricsPort === undefined
        ? null
        : { host: settings.metricsHost ?? '127.0.0.1', port: settings.metricsPort },
    throttle: {
      ...(settings.readsPerSecond === undefined ? {} : { readsPerSecond: settings.readsPerSecond }),
      ...(settings.writesPerSecond === undefined ? {} : { writesPerSecond: settings.writesPerSecond }),
    },
    masterKey: settings.masterKey ?? null,
    masterKeyFile: settings.masterKeyFile ?? null,
    logLevel: settings.logLevel ?? 'info',
    runMemoryMb: settings.runMemoryMb ?? 512,
    hosts: {
      private: settings.networkPrivate ?? DEFAULT_HOST_POLICY.private,
      loopback: settings.networkLoopback ?? DEFAULT_HOST_POLICY.loopback,
    },
    robots,
    instances: settings.instances ?? {},
    crashPoint: settings.crashPoint ?? null,
  };
}

/** The environment variable of a setting: `dataDir` → `DISYNC_DATA_DIR`. */
export function environmentName(name: string): string {
  return ENV_PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function readFile(path: string | undefined): Raw {
  if (path === undefined) return {};
  let content: unknown;
  try {
    content = parseYaml(readTextFile(path));
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new ConfigError(`the configuration file ${path} is no YAML: ${messageOf(error)}`);
  }
  if (content === null) return {};
  if (typeof content !== 'object' || Array.isArray(content))
    throw new ConfigError(`the configuration file ${path} must hold keys and values`);
  const unknown = Object.keys(content).find((key) => !NAMES.includes(key as SettingName));
  if (unknown !== undefined)
    throw new ConfigError(
      `the configuration file ${path} has the unknown key ${unknown}; known are ${NAMES.join(', ')}`,
    );
  return content as Raw;
}

function readEnvironment(env: NodeJS.ProcessEnv): Raw {
  const byVariable = new Map(NAMES.filter((name) => name !== 'instances').map((name) => [environmentName(name), name]));
  const found: Raw = {};
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(ENV_PREFIX) || OTHER_ENV.has(variable) || text === undefined) continue;
    const name = byVariable.get(variable);
    if (name === undefined)
      throw new ConfigError(
        `the environment has the unknown variable ${variable}; known are ${[...byVariable.keys()].join(', ')}`,
      );
    found[name] = text;
  }
  return found;
}

function check(raw: Raw): Static<typeof Settings> {
  const converted = Value.Convert(Settings, { ...raw });
  const [error] = Value.Errors(Settings, converted);
  if (error === undefined) return converted as Static<typeof Settings>;
  const name = error.instancePath.slice(1).split('/')[0] ?? '';
  const expected = NAMES.includes(name as SettingName) ? expectedOf(Settings.properties[name as SettingName]) : null;
  throw new ConfigError(`the setting ${name || 'given'} is wrong: it ${expected ?? error.message}`);
}

/** What a setting must be, for people; null where the schema's own words are as good. */
function expectedOf(schema: TSchema): string | null {
  if (Type.IsUnion(schema))
    return `must be ${schema.anyOf.map((one) => String((one as { const?: unknown }).const)).join(', ')}`;
  if (Type.IsInteger(schema)) {
    const { minimum, maximum } = schema as { readonly minimum?: number; readonly maximum?: number };
    return `must be a whole number from ${minimum} to ${maximum}`;
  }
  if (Type.IsBoolean(schema)) return 'must be true or false';
  return null;
}

function readTls(settings: Static<typeof Settings>): Config['tls'] {
  const { tlsCert, tlsKey } = settings;
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined) throw new ConfigError('TLS needs both --tls-cert and --tls-key');
  const tls = { cert: readTextFile(tlsCert), key: readTextFile(tlsKey) };
  try {
    createSecureContext(tls);
    return tls;
  } catch (error) {
    throw new ConfigError(`the files of --tls-cert and --tls-key are no PEM pair: ${messageOf(error)}`);
  }
}
