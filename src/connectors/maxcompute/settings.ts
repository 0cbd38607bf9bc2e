import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { type HostPolicy, HostPolicySchema } from '../../lib/host-policy.ts';
import type { Json, JsonObject } from '../../lib/json-value.ts';
import { SettingsError } from '../../pipeline/connector.ts';

const Settings = Type.Object({
  /** URL of the service, with its path, such as `https://service.cn-shanghai.maxcompute.aliyun.com/api`. */
  endpoint: Type.String({ minLength: 1 }),
  /** URL of the tunnel; the service is asked for it when it is not given. */
  tunnelEndpoint: Type.Optional(Type.String({ minLength: 1 })),
  project: Type.String({ minLength: 1 }),
  accessId: Type.String({ minLength: 1 }),
  accessKey: Type.String(),
  /** Comes with temporary keys. */
  securityToken: Type.Optional(Type.String({ minLength: 1 })),
  /** With a region, requests are signed by version 4; else by version 2. */
  region: Type.Optional(Type.String({ minLength: 1 })),
  /** Which addresses it may lead to. */
  hosts: HostPolicySchema,
});

/** A MaxCompute data source, as its `Content` gave it. Holds the access key. */
export type MaxComputeSettings = Static<typeof Settings>;

/**
 * Reads `Content`: `{ endpoint, tunnelEndpoint?, project, accessId, accessKey, securityToken?, region? }`.
 * Errors: SettingsError naming the key.
 */
export function parseMaxComputeSettings(content: Json, hosts: HostPolicy): MaxComputeSettings {
  const fields = asObject(content);
  const tunnelEndpoint = optionalText(fields, 'tunnelEndpoint');
  const securityToken = optionalText(fields, 'securityToken');
  const region = optionalText(fields, 'region');
  return {
    endpoint: url('endpoint', text(fields, 'endpoint')),
    ...(tunnelEndpoint === null ? {} : { tunnelEndpoint: url('tunnelEndpoint', tunnelEndpoint) }),
    project: name('project', text(fields, 'project')),
    accessId: text(fields, 'accessId'),
    accessKey: text(fields, 'accessKey'),
    ...(securityToken === null ? {} : { securityToken }),
    ...(region === null ? {} : { region }),
    hosts,
  };
}

/** Settings that went through JSON come back as what they were. */
export function asMaxComputeSettings(settings: Json): MaxComputeSettings {
  return Value.Parse(Settings, settings);
}

/** The host and port that an endpoint leads to. */
export function addressOf(endpoint: string): { readonly host: string; readonly port: number; readonly tls: boolean } {
  const { hostname, port, protocol } = new URL(endpoint);
  const tls = protocol === 'https:';
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? (tls ? 443 : 80) : Number(port), tls };
}

function asObject(content: Json): JsonObject {
  if (content === null || typeof content !== 'object' || Array.isArray(content))
    throw new SettingsError('Content', 'Content must be a JSON object');
  return content as JsonObject;
}

function text(fields: JsonObject, key: string): string {
  const value = fields[key];
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw new SettingsError(`Content.${key}`, `Content.${key} is missing: give it as a text`);
}

function optionalText(fields: JsonObject, key: string): string | null {
  const value = fields[key];
  return value === undefined || value === null || value === '' ? null : text(fields, key);
}

function name(key: string, value: string): string {
  if (/^[A-Za-z]\w{0,127}$/.test(value)) return value;
  throw new SettingsError(`Content.${key}`, `Content.${key} is no name of a project: those are letters, digits and _`);
}

function url(key: string, value: string): string {
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) {
    const { username, password, search, hash } = new URL(value);
    if (username === '' && password === '' && search === '' && hash === '') return value.replace(/\/+$/, '');
  }
  throw new SettingsError(
    `Content.${key}`,
    `Content.${key} must be a URL such as https://service.cn-shanghai.maxcompute.aliyun.com/api, without user and query`,
  );
}
