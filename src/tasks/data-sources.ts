import type { Clock } from '../lib/clock.ts';
import { parseJson } from '../lib/json.ts';
import { maskedKey } from '../lib/mask-secrets.ts';
import type { CataloguePage } from '../pipeline/catalogue.ts';
import type { Stage } from '../pipeline/stages.ts';
import { connectorType, findDataSource, readSettings, resolveDataSource, type Surroundings } from './connections.ts';
import type {
  DataSource,
  DataSourceChanges,
  DataSourceFilter,
  DataSourceService,
  EnvType,
  NamedDataSource,
  NewDataSource,
  ShareRequest,
} from './data-source-service.ts';
import { DataSourceProbes } from './data-source-probes.ts';
import { checkSharedNames, checkShares } from './data-source-shares.ts';
import type { DataSourceId, ProjectId } from './ids.ts';
import { TaskError } from './task-error.ts';
import type { Caller, Reach } from './task-service.ts';
import type { StoredDataSource, TaskRecord, TaskRecords, TaskStore } from './task-store.ts';

/** The registered connections. Content is read by its connector before it is stored. */
export class DataSources implements DataSourceService {
  readonly #store: TaskStore;
  readonly #surroundings: Surroundings;
  readonly #probes: DataSourceProbes;
  readonly #clock: Clock;

  constructor(
    options: Surroundings & { readonly store: TaskStore; readonly clock: Clock; readonly probeTimeoutMs?: number },
  ) {
    this.#store = options.store;
    this.#surroundings = options;
    this.#probes = new DataSourceProbes(options, options.probeTimeoutMs);
    this.#clock = options.clock;
  }

  async create(caller: Caller, source: NewDataSource): Promise<DataSourceId> {
    const maskedContent = this.#masked(source, source.content);
    return this.#store.transaction((records) => this.#insert(records, caller, { ...source, maskedContent }));
  }

  async list({ project }: Caller, filter: DataSourceFilter): Promise<{ rows: readonly DataSource[]; total: number }> {
    return this.#store.transaction((records) => records.dataSources(project, filter));
  }

  async update(reach: Reach, id: DataSourceId, changes: DataSourceChanges): Promise<void> {
    const { content, description, env, enabled } = changes;
    await this.#store.transaction(async (records) => {
      const source = await within(reach, records, id);
      const maskedContent = content === null ? source.maskedContent : this.#masked(source, content);
      const next = {
        ...source,
        content: content ?? source.content,
        maskedContent,
        description: description ?? source.description,
        env: env ?? source.env,
        enabled: enabled ?? source.enabled,
        modifiedAt: this.#clock.now(),
        operator: reach.user,
      };
      if (next.env !== source.env) {
        await mustBeFree(records, source.project, next);
        await checkSharedNames(records, next, await records.shares(id));
      }
      await records.updateDataSource(next);
    });
  }

  async delete(reach: Reach, id: DataSourceId): Promise<void> {
    await this.#store.transaction(async (records) => {
      const source = await within(reach, records, id);
      const user = await taskUsing(records, source);
      if (user !== null)
        throw new TaskError(
          'wrong-state',
          'DataSource.InUse',
          reach.projects.includes(user.project)
            ? `The data source ${source.name} is used by task ${user.name} (fileId ${user.id}). Delete that task first.`
            : `The data source ${source.name} is used by a task of a project that it is shared with. End the share, and that task, first.`,
        );
      await records.deleteDataSource(id);
    });
  }

  async import(caller: Caller, sources: readonly NewDataSource[]): Promise<readonly string[]> {
    return this.#store.transaction(async (records) => {
      const reasons: string[] = [];
      for (const source of sources) {
        try {
          const maskedContent = this.#masked(source, source.content);
          await this.#insert(records, caller, { ...source, maskedContent });
        } catch (error) {
          if (!(error instanceof TaskError)) throw error;
          reasons.push(`Data source ${named(source)} ${whyNot(error)}`);
        }
      }
      return reasons;
    });
  }

  async share({ project }: Caller, { name, env, shares, projects }: ShareRequest): Promise<void> {
    await this.#store.transaction(async (records) => {
      const source = await ownNamed(records, project, name, env);
      await checkShares(records, source, shares, projects);
      await records.replaceShares(source.id, shares);
    });
  }

  async catalogue(
    caller: Caller,
    { offset, limit, ...named }: NamedDataSource & { readonly offset: number; readonly limit: number },
  ): Promise<CataloguePage> {
    return this.#probes.catalogue(await this.#usable(caller, named), { offset, limit });
  }

  async stages(caller: Caller, named: NamedDataSource): Promise<readonly Stage[]> {
    return this.#probes.stages(await this.#usable(caller, named));
  }

  /** Errors: TaskError `not-found`. */
  async #usable({ project, user }: Caller, { name, env }: NamedDataSource): Promise<StoredDataSource> {
    return this.#store.transaction(async (records) => {
      const found = await findDataSource(records, project, name, { env, user });
      if (found === null) throw notFound(name);
      return found;
    });
  }

  async #insert(
    records: TaskRecords,
    { project, user }: Caller,
    source: NewDataSource & { readonly maskedContent: string },
  ): Promise<DataSourceId> {
    await mustBeFree(records, project, source);
    const now = this.#clock.now();
    const times = { createdAt: now, modifiedAt: now };
    return records.insertDataSource({ ...source, project, enabled: true, ...times, operator: user });
  }

  /** Reads the content as its type has it, and gives it as it may be shown. */
  #masked({ type, subType }: Pick<NewDataSource, 'type' | 'subType'>, content: string): string {
    const { masked } = readSettings(this.#surroundings, connectorType(type, subType), content);
    const key = maskedKey(parseJson(content));
    if (key !== null)
      throw new TaskError(
        'invalid',
        'DataSource.Invalid',
        `Content.${key} is the mask that lists show in place of the secret: give the secret itself.`,
      );
    return masked;
  }
}

/** The data source of an id, if its project is within reach. */
async function within({ projects }: Reach, records: TaskRecords, id: DataSourceId): Promise<StoredDataSource> {
  const source = await records.dataSource(id);
  if (source === null || !projects.includes(source.project))
    throw new TaskError('not-found', 'DataSource.NotFound', `dataSourceId:[${id}] is invalid.`);
  return source;
}

/** One that is shared with the project is not the project's to share. */
async function ownNamed(
  records: TaskRecords,
  project: ProjectId,
  name: string,
  env: EnvType | null,
): Promise<StoredDataSource> {
  for (const each of env === null ? ([1, 0] as const) : [env]) {
    const found = await records.dataSourceNamed(project, each, name);
    if (found !== null) return found;
  }
  throw notFound(name);
}

function notFound(name: string): TaskError {
  return new TaskError('not-found', 'DataSource.NotFound', `datasource:[${name}] is invalid.`);
}

async function mustBeFree(
  records: TaskRecords,
  project: ProjectId,
  { name, env }: { readonly name: string; readonly env: EnvType },
): Promise<void> {
  const own = await records.dataSourceNamed(project, env, name);
  const shared = own ?? (await records.dataSourceSharedAs(project, env, name, null));
  if (shared !== null)
    throw new TaskError(
      'name-taken',
      'DataSource.NameTaken',
      `The connection with envType ${env} and name ${name} already exists.`,
    );
}

/** A task of whichever project that would take this data source for one of its ends. */
async function taskUsing(records: TaskRecords, source: StoredDataSource): Promise<TaskRecord | null> {
  const places = [{ project: source.project, name: source.name }, ...(await records.shares(source.id))];
  for (const { project, name } of places) {
    const task = await records.taskUsing(project, name);
    if (task !== null && (await resolveDataSource(records, project, name)).id === source.id) return task;
  }
  return null;
}

/** As the API's own messages name one: `DEV shop`. */
function named({ env, name }: NewDataSource): string {
  return `${env === 0 ? 'DEV' : 'PROD'} ${name}`;
}

function whyNot({ kind, message }: TaskError): string {
  return kind === 'name-taken' ? 'already exists' : `was not imported: ${message.replace(/\.$/, '')}`;
}
