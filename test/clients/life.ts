import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareTable } from '../../quickstart/compare.ts';
import { type Ends, openEnds, TaskUnderTest } from '../support/task-under-test.ts';
import type { AccessKey, Service } from '../support/service.ts';
import type { Command } from './fetch.ts';

const ONE_LIFE_MS = 180_000;
const ROWS_MS = 30_000;

/** What every program says, in this order: operations that answered, tables whose rows it waited for, what it was refused. */
const LIFE: readonly string[] = [
  'CreateDataSource',
  'CreateDataSource',
  'ListDataSources',
  'GenerateDISyncTaskConfigForCreating',
  'QueryDISyncTaskConfigProcessResult',
  'CreateDISyncTask',
  'DeployDISyncTask',
  'StartDISyncInstance',
  'GetDISyncInstanceInfo: RUN',
  'rows: orders',
  'GenerateDISyncTaskConfigForUpdating',
  'QueryDISyncTaskConfigProcessResult',
  'UpdateDISyncTask',
  'DeployDISyncTask',
  'rows: customers',
  'GetDISyncTask',
  'StopDISyncInstance',
  'GetDISyncInstanceInfo: PAUSE',
  'TerminateDISyncInstance',
  'DeleteDISyncTask',
  'DeleteDataSource',
  'DeleteDataSource',
  'wrong secret',
  'foreign project',
];

/** The service with what a client may use of it, and a project that it may not. */
export interface Cloud {
  readonly service: Service;
  readonly project: number;
  readonly foreignProject: number;
  readonly key: AccessKey;
}

/** Runs a client's program through a whole life of a task, from MariaDB to PostgreSQL. Errors: Error at what went wrong. */
export async function live(command: Command, cloud: Cloud): Promise<void> {
  const ends = await openEnds('mariadb');
  try {
    await ends.mysql.query(
      "CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(40)); CREATE TABLE customers LIKE orders; INSERT INTO orders VALUES (1, 'one'), (2, '二'); INSERT INTO customers VALUES (1, 'first')",
    );
    assert.deepEqual(await stepsOf(command, settings(cloud, ends), ends), LIFE);
  } finally {
    await ends.close();
  }
}

/** The program's environment: everything that it has to be told. */
function settings({ service, project, foreignProject, key }: Cloud, ends: Ends): Record<string, string> {
  const { source, target, database, targetDatabase } = ends;
  const task = new TaskUnderTest(service, ends);
  const login = ({ user, password }: { user: string; password: string }) => ({ username: user, password });
  const reader = {
    name: 'Reader',
    category: 'reader',
    parameter: { connection: [{ table: ['orders', 'customers'] }] },
  };
  const told: Record<string, string | number | object> = {
    ENDPOINT: `127.0.0.1:${service.port}`,
    KEY_ID: key.accessKeyId,
    KEY_SECRET: key.accessKeySecret,
    PROJECT: project,
    FOREIGN_PROJECT: foreignProject,
    NAME: task.name,
    MYSQL: { jdbcUrl: `jdbc:mysql://127.0.0.1:${source.port}/${database}`, ...login(source) },
    SINK: { jdbcUrl: `jdbc:postgresql://127.0.0.1:${target.port}/${targetDatabase}`, ...login(target) },
    CREATE_PARAM: task.createParam({ table: ['orders'] }),
    UPDATE_PARAM: { steps: [reader] },
    TASK_PARAM: { ResourceGroup: 'S_res_group_1_1' },
    START_PARAM: { failoverLimit: { count: 10, interval: 5 } },
    FIRST_TABLE: 'orders',
    ADDED_TABLE: 'customers',
  };
  return Object.fromEntries(
    Object.entries(told).map(([name, value]) => [
      `CLIENT_${name}`,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

async function stepsOf({ program, args, env }: Command, told: Record<string, string>, ends: Ends): Promise<string[]> {
  const child = spawn(program, args, { env: { ...process.env, ...env, ...told }, timeout: ONE_LIFE_MS });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const said = text(child.stderr);
  const steps: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(`  ${line}`);
    const [what = '', read = ''] = line.split(': ');
    steps.push(['rows', 'GetDISyncInstanceInfo'].includes(what) ? line : what);
    if (what !== 'rows') continue;
    child.stdin.write((await rowsCome(ends, read)) ? 'there\n' : 'not there\n');
  }
  const code = await ended;
  if (code !== 0) throw new Error(`the program ended with ${code}: ${(await said).trim()}`);
  return steps;
}

/** Whether the target comes to hold what the source holds, also of a change made now. */
async function rowsCome({ mysql, pg, database }: Ends, table: string): Promise<boolean> {
  await mysql.query(
    `INSERT INTO ${table} VALUES (10, 'while it runs'); UPDATE ${table} SET note = 'changed' WHERE id = 1`,
  );
  const deadline = Date.now() + ROWS_MS;
  while (Date.now() < deadline) {
    // The table is not there before it is made.
    const found = await compareTable(mysql, pg, database, table).catch(() => null);
    if (found?.differences === 0) return true;
    await sleep(100);
  }
  return false;
}
