import type { Api } from '../../quickstart/api.ts';
import { type TestServer, uniqueName } from './servers.ts';
import type { Service } from './service.ts';

export type ApiTaskType = 'DI_REALTIME' | 'DI_SOLUTION';

export interface TableInfo {
  readonly database: string;
  readonly table: string;
  readonly state: string;
  readonly chunksDone: number;
  readonly rows: number;
  readonly code: string | null;
  readonly message: string | null;
}

export interface Info {
  readonly Status: string;
  readonly Message: string | null;
  readonly extend: {
    readonly appliedVersion: number | null;
    readonly deployedVersion: number | null;
    readonly tables: readonly TableInfo[];
  };
}

/** The sink of a task, as the API is told of it. */
export interface TaskSink {
  readonly type: 'holo' | 'kafka' | 'odps';
  /** `Content` of the data source. */
  readonly content: object;
  /** The writer's options. */
  readonly options: object;
}

/** Where a task reads: a database of its own on a shared server. */
export interface TaskSource {
  readonly source: TestServer;
  readonly database: string;
}

/** One task of the service, driven through the API with the vendor's client. */
export class ApiTask {
  readonly service: Service;
  readonly name = uniqueName('task');
  file = 0;
  readonly type: ApiTaskType;
  readonly #source: TaskSource;
  readonly #sink: TaskSink;

  constructor(service: Service, source: TaskSource, sink: TaskSink, type: ApiTaskType = 'DI_REALTIME') {
    this.service = service;
    this.type = type;
    this.#source = source;
    this.#sink = sink;
  }

  get api(): Api {
    return this.service.api;
  }

  async registerDataSources(): Promise<void> {
    const { source, database } = this.#source;
    const make = (name: string, type: string, content: object) =>
      this.api.call('CreateDataSource', {
        Name: name,
        DataSourceType: type,
        EnvType: 1,
        Content: JSON.stringify(content),
      });
    await make(`${this.name}_mysql`, 'mysql', {
      jdbcUrl: `jdbc:mysql://127.0.0.1:${source.port}/${database}`,
      username: source.user,
      password: source.password,
    });
    await make(`${this.name}_sink`, this.#sink.type, this.#sink.content);
  }

  /** The script of a new task; `connection` names its tables in either form. */
  createParam(connection: object, setting: object = {}): string {
    return JSON.stringify({
      type: 'realtime',
      version: '1.0',
      setting: {
        resourceGroup: 'S_res_group_1_1',
        taskType: `oneclick_to_${this.#sink.type}`,
        name: this.name,
        ...setting,
      },
      steps: [
        {
          stepType: 'mysql',
          name: 'Reader',
          category: 'reader',
          parameter: { connection: [{ datasourceType: 'mysql', datasource: `${this.name}_mysql`, ...connection }] },
        },
        {
          stepType: this.#sink.type,
          name: 'Writer',
          category: 'writer',
          parameter: { datasource: `${this.name}_sink`, ...this.#sink.options },
        },
      ],
    });
  }

  async planNew(connection: object, setting: object = {}): Promise<{ TaskContent: string; Plan: string }> {
    const answer = await this.api.call('GenerateDISyncTaskConfigForCreating', {
      TaskType: this.type,
      TaskParam: this.createParam(connection, setting),
    });
    return this.api.result((answer['Data'] as { ProcessId: number }).ProcessId, this.type);
  }

  async planChange(connection: object): Promise<{ TaskContent: string; Plan: string }> {
    const TaskParam = JSON.stringify({
      steps: [{ name: 'Reader', category: 'reader', parameter: { connection: [connection] } }],
    });
    const answer = await this.api.call('GenerateDISyncTaskConfigForUpdating', {
      TaskType: this.type,
      TaskId: this.file,
      TaskParam,
    });
    return this.api.result((answer['Data'] as { ProcessId: number }).ProcessId, this.type);
  }

  async create(connection: object, setting: object = {}): Promise<void> {
    const { TaskContent } = await this.planNew(connection, setting);
    const answer = await this.api.call(
      'CreateDISyncTask',
      { TaskType: this.type, TaskName: this.name, TaskParam: '{"ResourceGroup":"S_res_group_1_1"}' },
      { TaskContent },
    );
    this.file = (answer['Data'] as { FileId: number }).FileId;
  }

  /** Creates, deploys, starts. */
  async run(connection: object, setting: object = {}): Promise<void> {
    await this.registerDataSources();
    await this.create(connection, setting);
    await this.do('DeployDISyncTask');
    await this.do('StartDISyncInstance');
  }

  /** Plans, saves and deploys a change of the running task. */
  async change(connection: object): Promise<void> {
    const { TaskContent } = await this.planChange(connection);
    await this.do('UpdateDISyncTask', { TaskContent });
    await this.do('DeployDISyncTask');
  }

  async do(action: string, query: Readonly<Record<string, string | number>> = {}): Promise<void> {
    await this.api.call(action, { TaskType: this.type, FileId: this.file, ...query });
  }

  async info(): Promise<Info> {
    const body = await this.api.call('GetDISyncInstanceInfo', { TaskType: this.type, FileId: this.file });
    const data = body['Data'] as { Status: string; Message: string | null; Extend: string | null };
    const extend = (JSON.parse(data.Extend ?? 'null') as Info['extend'] | null) ?? {
      appliedVersion: null,
      deployedVersion: null,
      tables: [],
    };
    return { Status: data.Status, Message: data.Message, extend };
  }

  async table(name: string): Promise<TableInfo | undefined> {
    return (await this.info()).extend.tables.find(({ table }) => table === name);
  }

  /** Waits until `what` holds of the task. Errors: Error after 30 s with what it was instead. */
  async until(what: (info: Info) => boolean): Promise<Info> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const info = await this.info();
      if (what(info)) return info;
      if (Date.now() > deadline) throw new Error(`the task did not come to that: ${JSON.stringify(info)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits until the deployed version is applied, and exactly these tables stream. */
  async untilStreaming(...tables: readonly string[]): Promise<Info> {
    return this.until(({ extend }) => {
      const streaming = extend.tables.filter(({ state }) => state === 'STREAMING').map(({ table }) => table);
      return (
        extend.appliedVersion === extend.deployedVersion && streaming.toSorted().join() === tables.toSorted().join()
      );
    });
  }
}
