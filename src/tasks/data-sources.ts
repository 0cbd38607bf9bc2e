import type { Clock } from '../lib/clock.ts';
import { type Connectors, connectorType, readSettings } from './connections.ts';
import type { DataSource, DataSourceFilter, DataSourceService, NewDataSource } from './data-source-service.ts';
import type { DataSourceId, ProjectId } from './ids.ts';
import { TaskError } from './task-error.ts';
import type { Caller } from './task-service.ts';
import type { TaskStore } from './task-store.ts';

/** The registered connections. Content is read by its connector before it is stored. */
export class DataSources implements DataSourceService {
  readonly #store: TaskStore;
  readonly #connectors: Connectors;
  readonly #instances: Readonly<Record<string, string>>;
  readonly #clock: Clock;

  constructor(options: {
    store: TaskStore;
    connectors: Connectors;
    instances: Readonly<Record<string, string>>;
    clock: Clock;
  }) {
    this.#store = options.store;
    this.#connectors = options.connectors;
    this.#instances = options.instances;
    this.#clock = options.clock;
  }

  async create({ project, accessKeyId }: Caller, source: NewDataSource): Promise<DataSourceId> {
    const { masked } = readSettings(
      this.#connectors,
      this.#instances,
      connectorType(source.type, source.subType),
      source.content,
    );
    const now = this.#clock.now();
    return this.#store.transaction(async (records) => {
      if ((await records.dataSourceNamed(project, source.env, source.name)) !== null) {
        throw new TaskError(
          'name-taken',
          'DataSource.NameTaken',
          `The connection with envType ${source.env} and name ${source.name} already exists.`,
        );
      }
      return records.insertDataSource({
        ...source,
        project,
        maskedContent: masked,
        createdAt: now,
        modifiedAt: now,
        operator: accessKeyId,
      });
    });
  }

  async list({ project }: Caller, filter: DataSourceFilter): Promise<{ rows: readonly DataSource[]; total: number }> {
    return this.#store.transaction((records) => records.dataSources(project, filter));
  }

  async delete(projects: readonly ProjectId[], id: DataSourceId): Promise<void> {
    await this.#store.transaction(async (records) => {
      const source = await records.dataSource(id);
      if (source === null || !projects.includes(source.project))
        throw new TaskError('not-found', 'DataSource.NotFound', `dataSourceId:[${id}] is invalid.`);
      const user = await records.taskUsing(source.project, source.name);
      if (user !== null)
        throw new TaskError(
          'wrong-state',
          'DataSource.InUse',
          `The data source ${source.name} is used by task ${user.name} (fileId ${user.id}). Delete that task first.`,
        );
      await records.deleteDataSource(id);
    });
  }
}
