import type { Api } from '../../quickstart/api.ts';
import type { TaskSink, TaskSource } from './api-task.ts';
import { uniqueName } from './servers.ts';
import type { Service } from './service.ts';

export interface JobData {
  readonly JobStatus: string;
  readonly ErrorMessage: string | null;
  readonly RunStats: Readonly<Record<string, string>>;
  readonly TableMappings: unknown;
}

export interface JobRule {
  readonly RuleName: string;
  readonly RuleActionType: string;
  readonly RuleTargetType: string;
  readonly RuleExpression: string;
}

export interface JobMapping {
  /** Exact names of tables of the source's database. */
  readonly tables: readonly string[];
  readonly rules?: readonly JobRule[];
}

/** What a job is made with, beside its data sources. */
export interface JobParts {
  readonly migrationType?: string;
  readonly mappings: readonly JobMapping[];
  readonly settings?: object;
}

const SINK_TYPES = { holo: 'Hologres', kafka: 'Kafka', odps: 'MaxCompute' } as const;

/** One job of the service, driven through the API with the vendor's client. */
export class ApiJob {
  readonly service: Service;
  readonly name = uniqueName('job');
  id = 0;
  readonly #source: TaskSource;
  readonly #sink: TaskSink;

  constructor(service: Service, source: TaskSource, sink: TaskSink) {
    this.service = service;
    this.#source = source;
    this.#sink = sink;
  }

  get api(): Api {
    return this.service.api;
  }

  async create({ migrationType = 'FullAndRealtimeIncremental', mappings, settings }: JobParts): Promise<void> {
    const { source, database } = this.#source;
    const { user: username, password } = source;
    const jdbcUrl = `jdbc:mysql://127.0.0.1:${source.port}/${database}`;
    await this.#register('source', 'mysql', { jdbcUrl, username, password });
    await this.#register('sink', this.#sink.type, this.#sink.content);
    const answer = await this.api.call(
      'CreateDIJob',
      { JobName: this.name, MigrationType: migrationType },
      {
        SourceDataSourceType: 'MySQL',
        DestinationDataSourceType: SINK_TYPES[this.#sink.type],
        SourceDataSourceSettings: JSON.stringify([{ DataSourceName: `${this.name}_source` }]),
        DestinationDataSourceSettings: JSON.stringify([{ DataSourceName: `${this.name}_sink` }]),
        TableMappings: mappingsOf(mappings),
        TransformationRules: JSON.stringify([...new Set(mappings.flatMap(({ rules = [] }) => rules))]),
        ...(settings === undefined ? {} : { JobSettings: JSON.stringify(settings) }),
      },
    );
    this.id = answer['DIJobId'] as number;
  }

  async do(action: string, query: Readonly<Record<string, string | number>> = {}): Promise<void> {
    await this.api.call(action, { DIJobId: this.id, ...query });
  }

  async updateTables(...mappings: readonly JobMapping[]): Promise<void> {
    await this.api.call('UpdateDIJob', { DIJobId: this.id }, { TableMappings: mappingsOf(mappings) });
  }

  async get(): Promise<JobData> {
    return (await this.api.call('GetDIJob', { DIJobId: this.id }))['Data'] as JobData;
  }

  /** Waits until `what` holds of the job. Errors: Error after 30 s with what it was instead. */
  async until(what: (job: JobData) => boolean): Promise<JobData> {
    for (const deadline = Date.now() + 30_000; ; ) {
      const job = await this.get();
      if (what(job)) return job;
      if (Date.now() > deadline) throw new Error(`the job did not come to that: ${JSON.stringify(job)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Waits until so many tables stream, and what is deployed is applied. */
  async untilStreaming(count: number): Promise<JobData> {
    return this.until(
      ({ RunStats }) =>
        RunStats['tables.STREAMING'] === String(count) && RunStats['appliedVersion'] === RunStats['deployedVersion'],
    );
  }

  async #register(end: string, type: string, content: object): Promise<void> {
    const named = { Name: `${this.name}_${end}`, DataSourceType: type, EnvType: 1 };
    await this.api.call('CreateDataSource', { ...named, Content: JSON.stringify(content) });
  }
}

function mappingsOf(mappings: readonly JobMapping[]): string {
  return JSON.stringify(
    mappings.map(({ tables, rules = [] }) => ({
      SourceObjectSelectionRules: tables.map((Expression) => ({ ObjectType: 'Table', Expression })),
      TransformationRules: rules.map(({ RuleName, RuleActionType, RuleTargetType }) => {
        return { RuleName, RuleActionType, RuleTargetType };
      }),
    })),
  );
}
