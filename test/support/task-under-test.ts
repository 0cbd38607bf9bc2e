import type { Connection } from 'mysql2/promise';
import type { Client } from 'pg';
import type { Api } from '../../quickstart/api.ts';
import { compareTable } from '../../quickstart/compare.ts';
import {
  type Family,
  freshMysqlDatabase,
  freshPgDatabase,
  mysqlClient,
  pgClient,
  sharedServer,
  type TestServer,
  uniqueName,
} from './servers.ts';
import type { Service } from './service.ts';

const REALTIME = { TaskType: 'DI_REALTIME' } as const;

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

/** Where a task reads and writes: a database of its own on each shared server, and connections to both. */
export interface Ends {
  readonly source: TestServer;
  readonly target: TestServer;
  readonly database: string;
  readonly targetDatabase: string;
  readonly mysql: Connection;
  readonly pg: Client;
  close(): Promise<void>;
}

export async function openEnds(family: Family): Promise<Ends> {
  const [source, target] = await Promise.all([sharedServer(family), sharedServer('postgres')]);
  const database = await freshMysqlDatabase(source);
  const targetDatabase = await freshPgDatabase(target);
  const mysql = await mysqlClient(source, database);
  const pg = await pgClient(target, targetDatabase);
  return {
    source,
    target,
    database,
    targetDatabase,
    mysql,
    pg,
    close: async () => void (await Promise.allSettled([mysql.end(), pg.end()])),
  };
}

/** One task of the service, driven through the API with the vendor's client. */
export class TaskUnderTest {
  readonly service: Service;
  readonly ends: Ends;
  readonly name = uniqueName('task');
  file = 0;

  constructor(service: Service, ends: Ends) {
    this.service = service;
    this.ends = ends;
  }

  get api(): Api {
    return this.service.api;
  }

  async registerDataSources(): Promise<void> {
    const { source, target, database, targetDatabase } = this.ends;
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
    await make(`${this.name}_holo`, 'holo', {
      endpoint: `127.0.0.1:${target.port}`,
      database: targetDatabase,
      accessId: target.user,
      accessKey: target.password,
    });
  }

  /** The script of a new task; `connection` names its tables in either form. */
  createParam(connection: object, setting: object = {}): string {
    return JSON.stringify({
      type: 'realtime',
      version: '1.0',
      setting: { resourceGroup: 'S_res_group_1_1', taskType: 'oneclick_to_holo', name: this.name, ...setting },
      steps: [
        {
          stepType: 'mysql',
          name: 'Reader',
          category: 'reader',
          parameter: { connection: [{ datasourceType: 'mysql', datasource: `${this.name}_mysql`, ...connection }] },
        },
        { stepType: 'holo', name: 'Writer', category: 'writer', parameter: { datasource: `${this.name}_holo` } },
      ],
    });
  }

  async planNew(connection: object, setting: object = {}): Promise<{ TaskContent: string; Plan: string }> {
    const answer = await this.api.call('GenerateDISyncTaskConfigForCreating', {
      ...REALTIME,
      TaskParam: this.createParam(connection, setting),
    });
    return this.api.result((answer['Data'] as { ProcessId: number }).ProcessId);
  }

  async planChange(connection: object): Promise<{ TaskContent: string; Plan: string }> {
    const TaskParam = JSON.stringify({
      steps: [{ name: 'Reader', category: 'reader', parameter: { connection: [connection] } }],
    });
    const answer = await this.api.call('GenerateDISyncTaskConfigForUpdating', {
      ...REALTIME,
      TaskId: this.file,
      TaskParam,
    });
    return this.api.result((answer['Data'] as { ProcessId: number }).ProcessId);
  }

  async create(connection: object, setting: object = {}): Promise<void> {
    const { TaskContent } = await this.planNew(connection, setting);
    const answer = await this.api.call(
      'CreateDISyncTask',
      { ...REALTIME, TaskName: this.name, TaskParam: '{"ResourceGroup":"S_res_group_1_1"}' },
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
    await this.api.call(action, { ...REALTIME, FileId: this.file, ...query });
  }

  async info(): Promise<Info> {
    const body = await this.api.call('GetDISyncInstanceInfo', { ...REALTIME, FileId: this.file });
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

  /** Waits until a table at the target is the source's, row for row; gives the number of rows. Errors: Error with the differences. */
  async untilEqual(table: string, database = this.ends.database): Promise<number> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const found = await compareTable(this.ends.mysql, this.ends.pg, database, table).catch(notThereYet);
      if (found?.differences === 0) return found.rows;
      if (Date.now() > deadline) {
        const how = found === null ? 'its shape differs' : `${found.differences} of ${found.rows} rows differ`;
        throw new Error(`${table}: ${how}: ${JSON.stringify(await this.info())}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** PostgreSQL's undefined_column and undefined_table: the change that makes it is still on its way. */
function notThereYet(error: unknown): null {
  if (['42703', '42P01'].includes((error as { code?: string }).code ?? '')) return null;
  throw error;
}

/** Statements that fill `table` (id INT, n INT) with ids 1 to `count`. */
export function fillSql(table: string, count: number): string[] {
  const statements: string[] = [];
  for (let from = 1; from <= count; from += 2000) {
    const rows = Array.from({ length: Math.min(2000, count - from + 1) }, (_, index) => `(${from + index}, 0)`);
    statements.push(`INSERT INTO ${table} (id, n) VALUES ${rows.join(',')}`);
  }
  return statements;
}
