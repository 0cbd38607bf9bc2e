import type { Connection } from 'mysql2/promise';
import { ApiTask, type ApiTaskType, type TaskSink } from './api-task.ts';
import { doubleContent, PROJECT, rowsOf } from './maxcompute-under-test.ts';
import type { MaxComputeDouble } from './maxcompute/double.ts';
import type { DoubleTable } from './maxcompute/tables.ts';
import { type Family, freshMysqlDatabase, mysqlClient, sharedServer, type TestServer } from './servers.ts';
import type { Service } from './service.ts';

/** Where a task reads and writes: a database of its own, and tables of a double that are named after it. */
export interface MaxComputeEnds {
  readonly source: TestServer;
  readonly database: string;
  readonly mysql: Connection;
  readonly double: MaxComputeDouble;
}

export async function openMaxComputeEnds(family: Family, double: MaxComputeDouble): Promise<MaxComputeEnds> {
  const source = await sharedServer(family);
  const database = await freshMysqlDatabase(source);
  return { source, database, mysql: await mysqlClient(source, database), double };
}

/** A double as the sink of a task: commits are a second apart, and what fails is soon tried again. */
export function odpsSink(double: { readonly url: string }, options: object = {}): TaskSink {
  return {
    type: 'odps',
    content: doubleContent(double),
    options: { commitIntervalSeconds: 1, retryFirstMs: 50, ...options },
  };
}

/** One task from MySQL to a double of MaxCompute, driven through the API with the vendor's client. */
export class MaxComputeTask extends ApiTask {
  readonly ends: MaxComputeEnds;
  readonly #suffix: string;

  constructor(
    service: Service,
    ends: MaxComputeEnds,
    { options = {}, type = 'DI_REALTIME' }: { options?: object; type?: ApiTaskType } = {},
  ) {
    super(service, ends, odpsSink(ends.double, options), type);
    this.ends = ends;
    this.#suffix = 'tableType' in options && options.tableType === 'log' ? '_log' : '';
  }

  /** The target of a source table. Errors: Refusal if there is none. */
  target(table: string): DoubleTable {
    return this.ends.double.table(`projects/${PROJECT}/tables/${this.ends.database}_${table}${this.#suffix}`);
  }

  /** Starts it with a StartParam. */
  async start(param: object): Promise<void> {
    await this.do('StartDISyncInstance', { StartParam: JSON.stringify(param) });
  }

  /** Waits until `what` holds of the target. Errors: Error with how the task stands. */
  async untilTrue(what: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 30_000; !what(); await new Promise((resolve) => setTimeout(resolve, 50)))
      if (Date.now() > deadline) throw new Error(`it did not come to that: ${JSON.stringify(await this.info())}`);
  }

  /** Waits until the rows of a Delta table (id, n) are the source's; gives their number. Errors: Error with what is left. */
  async untilEqual(table: string): Promise<number> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const [found] = await this.ends.mysql.query(`SELECT id, n FROM ${table}`);
      const expected = (found as { id: number; n: number | null }[])
        .map(({ id, n }) => [String(id), n === null ? null : String(n)])
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
      const rows = this.#rows(table);
      if (rows !== null && JSON.stringify(rows) === JSON.stringify(expected)) return rows.length;
      if (Date.now() > deadline)
        throw new Error(
          `${table}: ${rows?.length} rows are there, ${expected.length} are at the source: ${JSON.stringify(await this.info())}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #rows(table: string): (string | null)[][] | null {
    try {
      return rowsOf(this.target(table), ['id', 'n']);
    } catch {
      return null;
    }
  }
}
