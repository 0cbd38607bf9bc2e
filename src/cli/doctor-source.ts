import type { Config } from '../config.ts';
import { sinks, sources } from '../connectors/index.ts';
import type { Json } from '../lib/json-value.ts';
import { readTextFile } from '../lib/text-file.ts';
import type { SourceConnector } from '../pipeline/connector.ts';
import type { Store } from '../store/store.ts';
import { connectorType, readSettings, resolveDataSource } from '../tasks/connections.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import type { StoredDataSource } from '../tasks/task-store.ts';
import { configOf, useStore } from './with-store.ts';

export interface SourceOptions {
  readonly project?: string;
  readonly user?: string;
  /** From the environment only. */
  readonly password?: string;
  readonly passwordFile?: string;
  readonly tls?: string;
  readonly tlsCa?: string;
  readonly dataDir?: string;
  readonly config?: string;
}

/** A source as it is to be looked at. Holds the password. */
export interface DoctorSource {
  /** What it is called, without a secret. */
  readonly title: string;
  readonly connector: SourceConnector;
  readonly settings: Json;
}

/** What a source is read with, before its connector has looked at it. */
interface Given {
  readonly title: string;
  readonly type: string;
  readonly content: string;
}

/** From a URL, a file, or the name of a registered one. Errors: TaskError, ConfigError, or Error that says what is missing. */
export async function findSource(source: string, options: SourceOptions): Promise<DoctorSource> {
  const config = configOf(options);
  const { instances, hosts } = config;
  const { type, title, content } = await read(source, options, config);
  const { settings } = readSettings({ connectors: { sources, sinks }, instances, hosts }, type, content);
  const connector = sources.get(type);
  if (connector === undefined)
    throw new Error(`${title} is of type ${type}; doctor looks at ${[...sources.keys()].join(', ')}`);
  return { title, connector, settings };
}

async function read(source: string, options: SourceOptions, config: Config): Promise<Given> {
  if (source.startsWith('jdbc:')) return fromUrl(source, options);
  if (source.startsWith('@')) return { title: source.slice(1), type: 'mysql', content: readTextFile(source.slice(1)) };
  const { type, subType, content } = await useStore(config, (store) => registered(store, source, options.project));
  return { title: source, type: connectorType(type, subType), content };
}

function fromUrl(url: string, options: SourceOptions): Given {
  if (/[?&](?:user|password)=/i.test(url) || /^[^/]*\/\/[^/]*@/.test(url))
    throw new Error(
      'the URL holds an account or a password, which everyone on this machine can see: give --user, and DISYNC_SOURCE_PASSWORD or --password-file',
    );
  const { user: username } = options;
  if (username === undefined) throw new Error('give the account: --user, or DISYNC_SOURCE_USER');
  const password =
    options.passwordFile === undefined ? options.password : readTextFile(options.passwordFile).replace(/\r?\n$/, '');
  if (password === undefined) throw new Error('give the password: DISYNC_SOURCE_PASSWORD, or --password-file');
  const ca = options.tlsCa === undefined ? {} : { ca: readTextFile(options.tlsCa) };
  const mode = options.tls ?? (options.tlsCa === undefined ? undefined : 'verify-identity');
  const ssl = mode === undefined ? {} : { ssl: { mode, ...ca } };
  return { title: url, type: 'mysql', content: JSON.stringify({ jdbcUrl: url, username, password, ...ssl }) };
}

async function registered(store: Store, name: string, project: string | undefined): Promise<StoredDataSource> {
  if (project !== undefined) {
    if (!/^\d{1,18}$/.test(project)) throw new Error('--project: a project id is a number');
    return store.transaction((records) => resolveDataSource(records, BigInt(project) as ProjectId, name));
  }
  const found: StoredDataSource[] = [];
  for (const { id } of await store.access.listProjects()) {
    try {
      found.push(await store.transaction((records) => resolveDataSource(records, id, name)));
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
    }
  }
  const [only, ...others] = found;
  if (only === undefined) throw new Error(`there is no data source ${name}`);
  if (others.length > 0)
    throw new Error(
      `there is a data source ${name} in the projects ${found.map((source) => source.project).join(', ')}: give --project`,
    );
  return only;
}
