// The main job, live: a MySQL shop arrives in a Hologres-compatible database, a table joins while others flow, another
// leaves, and every row is checked. `-- --once` ends when it has checked itself; without it the stack stays up.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { type Server, startServer } from '../scripts/servers/servers.ts';
import { Api } from './api.ts';
import { compareTable } from './compare.ts';
import { LagProbe } from './lag-probe.ts';
import { DATABASE, fillShop, ShopWriter, type ShopTable } from './shop.ts';

const PROJECT = 10000;
const FIRST: readonly ShopTable[] = ['customers', 'products', 'orders', 'reviews'];
const ADDED: ShopTable = 'order_items';
const REMOVED: ShopTable = 'reviews';

const once = process.argv.includes('--once');
const begun = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'disync-quickstart-'));
const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];

function say(text: string): void {
  console.log(`${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${text}`);
}

async function main(): Promise<number> {
  say('starting MariaDB and PostgreSQL (the Hologres stand-in): private instances, nothing of yours is touched');
  const [source, target] = await Promise.all([startServer('mariadb'), startServer('postgres')]);
  closing.unshift(
    () => source.stop(),
    () => target.stop(),
  );
  say(`${source.version} on port ${source.port}, ${target.version} on port ${target.port}`);

  const connection = await connectMysql(source);
  await fillShop(connection, (table, rows) => say(`filled ${table}: ${rows.toLocaleString('en')} rows`));
  const writer = new ShopWriter(await connectMysql(source));
  writer.start();
  closing.unshift(() => writer.stop());
  say('a steady write load has begun');

  const endpoint = await startService();
  say(`disync serves on http://${endpoint}`);
  const api = new Api(endpoint, PROJECT);
  const file = await createTask(api, source, target);
  await untilStreaming(api, file, FIRST);
  say(`all ${FIRST.length} tables stream`);

  const pgClient = await connectPostgres(target);
  const probe = new LagProbe(await connectPostgres(target));
  probe.start();
  await change(api, file, [...FIRST, ADDED], `adding ${ADDED} while the others flow`);
  await untilStreaming(api, file, [...FIRST, ADDED]);
  const lag = await probe.stop();
  say(
    `${ADDED} is loaded and streams; the untouched tables lagged ${lag.p50} ms (median), ${lag.p99} ms (p99), ${lag.max} ms (most) meanwhile`,
  );

  const kept = [...FIRST, ADDED].filter((table) => table !== REMOVED);
  await change(api, file, kept, `removing ${REMOVED}`);
  await untilStreaming(api, file, kept);
  const before = await countRows(pgClient, REMOVED);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const frozen = (await countRows(pgClient, REMOVED)) === before;
  say(
    `${REMOVED} left: its ${before.toLocaleString('en')} rows at the target ${frozen ? 'stay as they are' : 'STILL CHANGE'}`,
  );

  await writer.stop();
  say(`the load has ended after ${writer.changes.toLocaleString('en')} row changes; comparing every row`);
  const different = await compareAll(connection, pgClient, kept);
  const good = different === 0 && frozen;
  say(good ? 'all rows are equal' : `NOT EQUAL: ${different} rows differ`);
  if (!once) {
    explain(endpoint, file, source, target);
    await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
  }
  return good ? 0 : 1;
}

async function createTask(api: Api, source: Server, target: Server): Promise<number> {
  const dataSource = (name: string, type: string, content: object) =>
    api.call('CreateDataSource', { Name: name, DataSourceType: type, EnvType: 1, Content: JSON.stringify(content) });
  await dataSource('shop_mysql', 'mysql', {
    jdbcUrl: `jdbc:mysql://127.0.0.1:${source.port}/${DATABASE}`,
    username: source.user,
    password: source.password,
  });
  await dataSource('bi_holo', 'holo', {
    endpoint: `127.0.0.1:${target.port}`,
    database: 'postgres',
    accessId: target.user,
    accessKey: target.password,
  });
  const taskParam = {
    type: 'realtime',
    version: '1.0',
    setting: { resourceGroup: 'S_res_group_1_1', taskType: 'oneclick_to_holo', name: 'quickstart' },
    steps: [
      {
        stepType: 'mysql',
        name: 'Reader',
        category: 'reader',
        parameter: { connection: [{ datasourceType: 'mysql', datasource: 'shop_mysql', table: FIRST }] },
      },
      { stepType: 'holo', name: 'Writer', category: 'writer', parameter: { datasource: 'bi_holo' } },
    ],
  };
  const generated = await api.call('GenerateDISyncTaskConfigForCreating', {
    TaskType: 'DI_REALTIME',
    TaskParam: JSON.stringify(taskParam),
  });
  const { TaskContent } = await api.result((generated['Data'] as { ProcessId: number }).ProcessId);
  const settings = { FileFolderPath: 'Business Flow/shop/Data Integration', ResourceGroup: 'S_res_group_1_1' };
  const created = await api.call(
    'CreateDISyncTask',
    { TaskType: 'DI_REALTIME', TaskName: 'quickstart', TaskParam: JSON.stringify(settings) },
    { TaskContent },
  );
  const file = (created['Data'] as { FileId: number }).FileId;
  await api.call('DeployDISyncTask', { TaskType: 'DI_REALTIME', FileId: file });
  await api.call('StartDISyncInstance', { TaskType: 'DI_REALTIME', FileId: file });
  say(`task ${file} is created, deployed and started with ${FIRST.join(', ')}`);
  return file;
}

/** The three calls that change a running task: plan, save, deploy. */
async function change(api: Api, file: number, tables: readonly string[], what: string): Promise<void> {
  const taskParam = { steps: [{ name: 'Reader', category: 'reader', parameter: { connection: [{ table: tables }] } }] };
  const generated = await api.call('GenerateDISyncTaskConfigForUpdating', {
    TaskType: 'DI_REALTIME',
    TaskId: file,
    TaskParam: JSON.stringify(taskParam),
  });
  const { TaskContent, Plan } = await api.result((generated['Data'] as { ProcessId: number }).ProcessId);
  const plan = JSON.parse(Plan) as { tables: Record<'added' | 'removed' | 'kept', { table: string }[]> };
  const names = (list: { table: string }[]) => list.map(({ table }) => table).join(', ') || 'none';
  say(
    `${what}; the plan: added ${names(plan.tables.added)}; removed ${names(plan.tables.removed)}; kept ${names(plan.tables.kept)}`,
  );
  await api.call('UpdateDISyncTask', { TaskType: 'DI_REALTIME', FileId: file, TaskContent });
  await api.call('DeployDISyncTask', { TaskType: 'DI_REALTIME', FileId: file });
}

interface Extend {
  readonly appliedVersion: number;
  readonly deployedVersion: number;
  readonly tables: {
    table: string;
    state: string;
    chunksDone: number;
    chunksAll: number;
    rows: number;
    message: string | null;
  }[];
}

/** Waits until the deployed version is applied and its tables stream; says how far the loads are. */
async function untilStreaming(api: Api, file: number, tables: readonly string[]): Promise<void> {
  let said = '';
  for (;;) {
    const body = await api.call('GetDISyncInstanceInfo', { TaskType: 'DI_REALTIME', FileId: file });
    const data = body['Data'] as { Status: string; Message: string | null; Extend: string | null };
    if (data.Status === 'PAUSE') throw new Error(`the task stopped: ${data.Message}`);
    const extend = JSON.parse(data.Extend ?? 'null') as Extend | null;
    const states = extend?.tables ?? [];
    const failed = states.find(({ state }) => state === 'FAILED');
    if (failed !== undefined) throw new Error(`table ${failed.table} failed: ${failed.message}`);
    const streaming = states.filter(({ state, table }) => state === 'STREAMING' && tables.includes(table)).length;
    if (extend !== null && extend.appliedVersion === extend.deployedVersion && streaming === tables.length) return;
    const loading = states
      .filter(({ state }) => state === 'SNAPSHOTTING')
      .map(({ table, chunksDone, chunksAll }) => `${table} ${chunksDone}/${chunksAll} chunks`);
    const line = loading.length === 0 ? '' : `loading ${loading.join(', ')}`;
    if (line !== '' && line !== said) say(line);
    said = line;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function compareAll(source: mysql.Connection, target: pg.Client, tables: readonly string[]): Promise<number> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const results = [];
    for (const table of tables) results.push(await compareTable(source, target, DATABASE, table));
    const different = results.reduce((sum, { differences }) => sum + differences, 0);
    if (different > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      continue;
    }
    console.log(`\n          table            rows   differences`);
    for (const { table, rows, differences } of results)
      console.log(`          ${table.padEnd(12)} ${String(rows).padStart(8)}   ${String(differences).padStart(11)}`);
    console.log();
    return different;
  }
}

async function startService(): Promise<string> {
  const service = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '..', 'src', 'main.ts'),
      'serve',
      '--dev',
      '--port',
      '0',
      '--data-dir',
      join(folder, 'data'),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DISYNC_LOG_LEVEL: process.env['DISYNC_LOG_LEVEL'] ?? 'warn' },
    },
  );
  closing.unshift(() => stopService(service));
  return new Promise((resolve, reject) => {
    let text = '';
    service.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const match = /ready on http:\/\/([\d.:]+)/.exec(text);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    service.once('exit', (code) => reject(new Error(`the service ended with code ${code}`)));
  });
}

async function stopService(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null) return;
  const ended = new Promise((resolve) => service.once('exit', resolve));
  service.kill('SIGTERM');
  await ended;
}

async function connectMysql({ port, user, password }: Server): Promise<mysql.Connection> {
  return mysql.createConnection({ host: '127.0.0.1', port, user, password, charset: 'utf8mb4', decimalNumbers: false });
}

async function connectPostgres({ port, user, password }: Server): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'postgres' });
  await client.connect();
  closing.unshift(() => client.end());
  return client;
}

async function countRows(client: pg.Client, table: string): Promise<number> {
  const { rows } = await client.query(`SELECT count(*)::int AS n FROM "${DATABASE}"."${table}"`);
  return (rows[0] as { n: number }).n;
}

function explain(endpoint: string, file: number, source: Server, target: Server): void {
  console.log(`
          The stack stays up until Ctrl-C. Try, in another terminal:

            mariadb -h127.0.0.1 -P${source.port} -u${source.user} -p${source.password} ${DATABASE}
            PGPASSWORD=${target.password} psql -h 127.0.0.1 -p ${target.port} -U ${target.user} postgres
            export DISYNC_ENDPOINT=http://${endpoint}
            node bin/disync.mjs call GetDISyncInstanceInfo ProjectId=${PROJECT} TaskType=DI_REALTIME FileId=${file}
            curl http://${endpoint}/metrics
`);
}

let code = 1;
try {
  code = await main();
} catch (error) {
  console.error(error instanceof Error ? `\nquickstart failed: ${error.message}` : error);
} finally {
  for (const close of closing) await Promise.resolve(close()).then(undefined, () => {});
}
process.exit(code);
