import { existsSync, readFileSync } from 'node:fs';
import { readConfig } from '../config.ts';
import { sinks, sources } from '../connectors/index.ts';
import { systemClock } from '../lib/clock.ts';
import { DEFAULT_HOST_POLICY, type HostPolicy } from '../lib/host-policy.ts';
import type { Json } from '../lib/json-value.ts';
import type { SourceConnector } from '../pipeline/connector.ts';
import { Store } from '../store/store.ts';
import { connectorType, readSettings, resolveDataSource } from '../tasks/connections.ts';
import type { ProjectId } from '../tasks/ids.ts';
import { TaskError } from '../tasks/task-error.ts';
import type { StoredDataSource } from '../tasks/task-store.ts';

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

interface Read {
  readonly given: Given;
  readonly instances: Readonly<Record<string, string>>;
  readonly hosts: HostPolicy;
}

/** From a URL, a file, or the name of a registered one. Errors: TaskError, ConfigError, or Error that says what is missing. */
export async function findSource(source: string, options: SourceOptions): Promise<DoctorSource> {
  const { given, instances, hosts } = await read(source, options);
  const { type, title, content } = given;
  const { settings } = readSettings({ connectors: { sources, sinks }, instances, hosts }, type, content);
  const connector = sources.get(type);
  if (connector === undefined)
    throw new Error(`${title} is of type ${type}; doctor looks at ${[...sources.keys()].join(', ')}`);
  return { title, connector, settings };
}

async function read(source: string, options: SourceOptions): Promise<Read> {
  if (source.startsWith('jdbc:')) return { given: fromUrl(source, options), instances: {}, hosts: DEFAULT_HOST_POLICY };
  if (source.startsWith('@'))
    return {
      given: { title: source.slice(1), type: 'mysql', content: readText(source.slice(1)) },
      instances: {},
      hosts: DEFAULT_HOST_POLICY,
    };
  return fromStore(source, options);
}

function fromUrl(url: string, options: SourceOptions): Given {
  if (/[?&](?:user|password)=/i.test(url) || /^[^/]*\/\/[^/]*@/.test(url))
    throw new Error(
      'the URL holds an account or a password, which everyone on this machine can see: give --user, and DISYNC_SOURCE_PASSWORD or --password-file',
    );
  const { user: username } = options;
  if (username === undefined) throw new Error('give the account: --user, or DISYNC_SOURCE_USER');
  const password =
    options.passwordFile === undefined ? options.password : readText(options.passwordFile).replace(/\r?\n$/, '');
  if (password === undefined) throw new Error('give the password: DISYNC_SOURCE_PASSWORD, or --password-file');
  const ca = options.tlsCa === undefined ? {} : { ca: readText(options.tlsCa) };
  const mode = options.tls ?? (options.tlsCa === undefined ? undefined : 'verify-identity');
  const ssl = mode === undefined ? {} : { ssl: { mode, ...ca } };
  return { title: url, type: 'mysql', content: JSON.stringify({ jdbcUrl: url, username, password, ...ssl }) };
}

async function fromStore(name: string, options: SourceOptions): Promise<Read> {
  const { dataDir: folder, config: file } = options;
  const config = readConfig({
    ...(folder === undefined ? {} : { dataDir: folder }),
    ...(file === undefined ? {} : { config: file }),
  });
  const { dataDir, masterKey, masterKeyFile, instances, hosts } = config;
  if (!existsSync(dataDir))
    throw new Error(`there is no store at ${dataDir} to look the name ${name} up in: give --data-dir, or a jdbc: URL`);
  const store = Store.open({ folder: dataDir, masterKey, masterKeyFile, clock: systemClock, exclusive: false });
  try {
    const { type, subType, content } = await registered(store, name, options.project);
    return { given: { title: name, type: connectorType(type, subType), content }, instances, hosts };
  } finally {
    await store.close();
  }
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

function readText(file: string): string {
  return readFileSync(file === '-' ? 0 : file, 'utf8');
}
