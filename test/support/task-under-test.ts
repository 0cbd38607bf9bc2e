import type { Connection } from 'mysql2/promise';
import type { Client } from 'pg';
import { compareTable } from '../../quickstart/compare.ts';
import { ApiTask, type ApiTaskType, type TaskSink } from './api-task.ts';
import {
  type Family,
  freshMysqlDatabase,
  freshPgDatabase,
  mysqlClient,
  pgClient,
  sharedServer,
  type TestServer,
} from './servers.ts';
import type { Service } from './service.ts';

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

/** One task from MySQL to PostgreSQL, driven through the API with the vendor's client. */
export class TaskUnderTest extends ApiTask {
  readonly ends: Ends;

  constructor(service: Service, ends: Ends, type: ApiTaskType = 'DI_REALTIME') {
    super(service, ends, holoSink(ends), type);
    this.ends = ends;
  }

  /** Waits until a table at the target is the source's; gives the number of rows. Errors: Error with the differences. */
  async untilEqual(table: string, database = this.ends.database): Promise<number> {
    try {
      return await untilTableEqual(this.ends, table, database);
    } catch (error) {
      throw new Error(`the task stands so: ${JSON.stringify(await this.info())}`, { cause: error });
    }
  }
}

export function holoSink({ target, targetDatabase }: Ends): TaskSink {
  const content = {
    endpoint: `127.0.0.1:${target.port}`,
    database: targetDatabase,
    accessId: target.user,
    accessKey: target.password,
  };
  return { type: 'holo', content, options: {} };
}

/** Waits until a table at the target is the source's, row for row; gives the number of rows. Errors: Error with the differences. */
export async function untilTableEqual(ends: Ends, table: string, database = ends.database): Promise<number> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await compareTable(ends.mysql, ends.pg, database, table).catch(notThereYet);
    if (found?.differences === 0) return found.rows;
    if (Date.now() > deadline) {
      const how = found === null ? 'its shape differs' : `${found.differences} of ${found.rows} rows differ`;
      throw new Error(`${table}: ${how}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
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
