import { isJsonObject, JsonError, parseJson, stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import type { HostPolicy } from '../lib/host-policy.ts';
import { maskSecrets } from '../lib/mask-secrets.ts';
import { SettingsError, type SinkConnector, type SourceConnector } from '../pipeline/connector.ts';
import type { EnvType } from './data-source-service.ts';
import type { StoredDataSource, TaskRecords } from './task-store.ts';
import { DATA_SOURCE_TYPES } from './data-source-types.ts';
import type { ProjectId } from './ids.ts';
import { TaskError } from './task-error.ts';

/** The connectors there are, by the API's word for them. */
export interface Connectors {
  readonly sources: ReadonlyMap<string, SourceConnector>;
  readonly sinks: ReadonlyMap<string, SinkConnector>;
}

/** What a data source's Content is read with. */
export interface Surroundings {
  readonly connectors: Connectors;
  /** Addresses of instance-id forms. */
  readonly instances: Readonly<Record<string, string>>;
  /** Which addresses data sources may lead to; the default policy when it is not given. */
  readonly hosts: HostPolicy;
}

/** `rds` with subType mysql is mysql. */
export function connectorType(type: string, subType: string | null): string {
  return type === 'rds' && (subType === null || subType === 'mysql') ? 'mysql' : type;
}

/**
 * Reads a data source's `Content` by its connector.
 * Errors: TaskError `invalid` naming the key, or `not-built` for a type that is not served yet.
 */
export function readSettings(
  { connectors, instances, hosts }: Surroundings,
  type: string,
  content: string,
): { settings: Json; masked: string } {
  const connector = connectors.sources.get(type) ?? connectors.sinks.get(type);
  if (connector === undefined) {
    const served = [...connectors.sources.keys(), ...connectors.sinks.keys()].join(', ');
    if (DATA_SOURCE_TYPES.some((known) => known === type))
      throw new TaskError(
        'not-built',
        'DataSource.NotBuilt',
        `DataSourceType ${type} is not served yet; ${served} are.`,
      );
    throw new TaskError('invalid', 'DataSource.Invalid', `DataSourceType ${type} is unknown; ${served} are served.`);
  }
  try {
    const json = withAddress(parseJson(content), instances);
    return { settings: connector.parseSettings(json, hosts), masked: stringifyJson(maskSecrets(json)) };
  } catch (error) {
    if (error instanceof JsonError)
      throw new TaskError('invalid', 'DataSource.Invalid', `Content is not JSON: ${error.message}`);
    if (error instanceof SettingsError) throw new TaskError('invalid', 'DataSource.Invalid', `${error.message}.`);
    throw error;
  }
}

/** An instance id in place of an address: looked up in the configuration. */
function withAddress(content: Json, instances: Readonly<Record<string, string>>): Json {
  if (
    !isJsonObject(content) ||
    content['jdbcUrl'] !== undefined ||
    content['host'] !== undefined ||
    content['address'] !== undefined ||
    content['endpoint'] !== undefined
  )
    return content;
  const id = [content['instanceName'], content['instanceId'], content['clusterId']].find(
    (value) => typeof value === 'string' && value !== '',
  );
  if (typeof id !== 'string') return content;
  const address = instances[id];
  if (address === undefined) {
    throw new TaskError(
      'invalid',
      'DataSource.UnknownInstance',
      `Content names the instance ${id}, whose address is not known here. Give its address (jdbcUrl, host and port, endpoint, or address, as its type has it), or put the id under "instances" in the configuration file.`,
    );
  }
  const [, host = address, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  return { ...content, endpoint: address, address, host, ...(port === undefined ? {} : { port: Number(port) }) };
}

export interface ResolveOptions {
  /** Null: production's, else development's. */
  readonly env?: EnvType | null;
  /** What is shared with single users is found by those; null, for what was allowed before, finds it for all. */
  readonly user?: string | null;
}

/** A data source by name: the project's own, else one that is shared with it under that name; null without. */
export async function findDataSource(
  records: TaskRecords,
  project: ProjectId,
  name: string,
  { env = null, user = null }: ResolveOptions = {},
): Promise<StoredDataSource | null> {
  const environments: readonly EnvType[] = env === null ? [1, 0] : [env];
  for (const each of environments) {
    const own = await records.dataSourceNamed(project, each, name);
    if (own !== null) return own;
  }
  for (const each of environments) {
    const shared = await records.dataSourceSharedAs(project, each, name, user);
    if (shared !== null) return shared;
  }
  return null;
}

/** The same. Errors: TaskError `invalid` when there is none. */
export async function resolveDataSource(
  records: TaskRecords,
  project: ProjectId,
  name: string,
  options: ResolveOptions = {},
): Promise<StoredDataSource> {
  const found = await findDataSource(records, project, name, options);
  if (found !== null) return found;
  throw new TaskError(
    'invalid',
    'DataSource.NotFound',
    `datasource:[${name}] is invalid: there is no data source of that name. Make it with CreateDataSource.`,
  );
}

/** The same, for what begins now. Errors: TaskError `invalid` also when it is disabled. */
export async function resolveEnabled(
  records: TaskRecords,
  project: ProjectId,
  name: string,
  options: ResolveOptions = {},
): Promise<StoredDataSource> {
  const found = await resolveDataSource(records, project, name, options);
  if (found.enabled) return found;
  throw new TaskError(
    'invalid',
    'DataSource.Disabled',
    `datasource:[${name}] is disabled: nothing begins with it. Enable it with UpdateConnection, Status ENABLED.`,
  );
}
