import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import { compareTable, type Comparison, type NameAtTarget } from '../../quickstart/compare.ts';
import { DATABASE, fillShop, SHOP_TABLES, ShopWriter } from '../../quickstart/shop.ts';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { HOLOGRES_FUNCTIONS } from './hologres-under-test.ts';
import { whole } from './random-columns.ts';
import { type Family, mysqlClient, pgClient } from './servers.ts';
import { Service } from './service.ts';
import { type AddedColumn, ShopColumns, targetType } from './shop-columns.ts';
import { RowWriter, XaWriter } from './shop-writers.ts';
import type { Info } from './api-task.ts';
import { TaskUnderTest } from './task-under-test.ts';

export interface CampaignResult {
  readonly kills: number;
  readonly changes: number;
  /** ALTERs by kind. */
  readonly statements: Readonly<Record<string, number>>;
  /** Tables seen FAILED, and changes of the list of tables that were refused, by code. */
  readonly failures: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  /** Of tables that differ: values that are not null, per column at the source and at the target. */
  readonly filled: readonly string[];
  readonly compared: readonly { readonly table: string; readonly rows: number; readonly differences: number }[];
}

/**
 * What the campaign itself brings about: a table altered between its plan and its start, whose target lacks the column then;
 * and, where the log tells no names (MariaDB's default), a shape that was altered again before it was looked up.
 */
const OWN_FAILURES: ReadonlySet<string> = new Set(['Sink.TargetMismatch', 'Table.SchemaChanged']);

/** Every table is equal, row for row, and none failed for a reason of its own. */
export function isWhole({ compared, failures }: CampaignResult): boolean {
  const others = Object.keys(failures).filter((code) => !OWN_FAILURES.has(code));
  return compared.length > 0 && compared.every(({ differences }) => differences === 0) && others.length === 0;
}

/**
 * Kills the service with SIGKILL at random moments of planning, deploying, loading and streaming, while writers write (also in
 * transactions of two phases, all of it compressed), columns come, go and change, tables are swapped, and the list of tables
 * changes at random; in the end every table that is wanted must be equal, row for row, in the columns that both ends have.
 */
export async function killCampaign(options: {
  family: Family;
  /** Who holds the checkpoint: the target in one transaction with the rows, or our own store, as with Hologres. */
  asHologres: boolean;
  kills: number;
  seed: number;
  say: (line: string) => void;
}): Promise<CampaignResult> {
  const { family, asHologres, kills, seed, say } = options;
  const random = randomOf(seed);
  const [source, target] = await Promise.all([startServer(family, COMPRESSED[family]), startServer('postgres')]);
  const client = await mysqlClient(source);
  await fillShop(client, () => {});
  const connections = await Promise.all(Array.from({ length: 6 }, () => mysqlClient(source, DATABASE)));
  const writers = writersOn(connections, seed, () => columns.live);
  const alone = async (work: () => Promise<void>): Promise<void> => {
    await Promise.all(writers.map((writer) => writer.stop()));
    await work();
    for (const writer of writers) writer.start();
  };
  const columns: ShopColumns = new ShopColumns(client, random, alone);
  const service = await Service.start();
  try {
    const pg = await pgClient(target);
    if (asHologres) await pg.query(HOLOGRES_FUNCTIONS);
    const ends = {
      source,
      target,
      database: DATABASE,
      targetDatabase: 'postgres',
      mysql: client,
      pg,
      close: async () => {},
    };
    const task = new TaskUnderTest(service, ends);
    for (const writer of writers) writer.start();
    let wanted: string[] = ['customers', 'orders'];
    const failures: Record<string, number> = {};
    const refusals: Record<string, number> = {};
    await task.run({ table: wanted });
    for (let kill = 1; kill <= kills; kill += 1) {
      const next = SHOP_TABLES.filter(() => random() < 0.6);
      const tables = next.length === 0 ? ['orders'] : [...next];
      // Whoever alters a table that is not captured alters its target too, before the table is wanted again.
      await fitTargets(
        task,
        columns,
        SHOP_TABLES.filter((table) => !wanted.includes(table)),
      );
      const changing =
        random() < 0.7
          ? task.change({ table: tables }).then(() => void (wanted = tables), note(refusals))
          : Promise.resolve();
      await new Promise((resolve) => setTimeout(resolve, random() * 600));
      for (let left = 1 + whole(random, 3); left > 0; left -= 1) {
        await columns.change();
        await new Promise((resolve) => setTimeout(resolve, random() * 250));
      }
      await countFailures(task, failures);
      await service.kill();
      await changing;
      if (random() < 0.25) {
        // Once more while it takes up its runs and processes; this start never comes to its end.
        void service.restart();
        await new Promise((resolve) => setTimeout(resolve, random() * 800));
        await service.kill();
      }
      await service.restart();
      say(`kill ${kill} of ${kills}: wanted ${wanted.join(', ')}`);
    }
    await settle(task, columns, wanted, failures);
    await Promise.all(writers.map((writer) => writer.stop()));
    const compared = await compareAll(task, columns, wanted);
    const filled = await countFilled(client, pg, compared);
    await pg.end();
    return {
      kills,
      changes: writers.reduce((sum, each) => sum + each.changes, 0),
      statements: columns.counts,
      failures,
      refusals,
      filled,
      compared,
    };
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
    await service.dispose();
    await Promise.all([client, ...connections].map((connection) => connection.end()));
    await Promise.all(([source, target] as Server[]).map((server) => server.stop()));
  }
}

/** Writers of MySQL compress by session: here all of them. */
const COMPRESSED: Readonly<Record<Family, Readonly<Record<string, string>>>> = {
  mysql: { binlog_transaction_compression: 'ON' },
  mariadb: { log_bin_compress: '1', log_bin_compress_min_len: '10' },
};

type Writer = ShopWriter | RowWriter | XaWriter;

function writersOn(connections: readonly Connection[], seed: number, added: () => readonly AddedColumn[]): Writer[] {
  return connections.map((connection, at) => {
    if (at === 0) return new ShopWriter(connection);
    return at < 4 ? new RowWriter(connection, seed + at, added) : new XaWriter(connection, seed + at);
  });
}

/**
 * What was wanted last may have been deployed or not when its call was cut: it is said again. A target that lacks columns,
 * because its table was not part of the task when they were added, is refused: then it gets them, as the message says.
 */
async function settle(
  task: TaskUnderTest,
  columns: ShopColumns,
  wanted: readonly string[],
  failures: Record<string, number>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const refusal = await task.change({ table: wanted }).then(
      () => null,
      (error: unknown) => error,
    );
    const { extend } = refusal === null ? await task.until((info) => isSettled(info, wanted)) : await task.info();
    const streaming = extend.tables.filter(({ state }) => state === 'STREAMING').map(({ table }) => table);
    // The columns of tables that stream are the sink's own business.
    const others = wanted.filter((table) => !streaming.includes(table));
    if (refusal === null && others.length === 0) return void (await task.untilStreaming(...wanted));
    if (tries === 5) throw refusal ?? new Error(`they do not come to stream: ${JSON.stringify(extend.tables)}`);
    await countFailures(task, failures);
    await fitTargets(task, columns, others);
  }
}

/** The list is applied, and each of its tables streams or has failed. */
function isSettled({ extend: { appliedVersion, deployedVersion, tables } }: Info, wanted: readonly string[]): boolean {
  const isOver = (name: string) => tables.some(({ table, state }) => table === name && ENDS_OF_LOAD.has(state));
  return appliedVersion === deployedVersion && wanted.every(isOver);
}

const ENDS_OF_LOAD: ReadonlySet<string> = new Set(['STREAMING', 'FAILED']);

async function countFailures(task: TaskUnderTest, failures: Record<string, number>): Promise<void> {
  const { extend } = await task.info();
  for (const { code } of extend.tables) if (code !== null) failures[code] = (failures[code] ?? 0) + 1;
}

/** Gives targets the columns that their tables have now. */
async function fitTargets({ ends }: TaskUnderTest, columns: ShopColumns, tables: readonly string[]): Promise<void> {
  for (const column of tables.flatMap((table) => columns.of(table))) {
    const [target, type] = [`"${DATABASE}"."${column.table}"`, targetType(column)];
    await ends.pg.query(`ALTER TABLE IF EXISTS ${target} ADD COLUMN IF NOT EXISTS ${column.name} ${type}`);
    if (column.type.wider === null)
      await ends.pg.query(`ALTER TABLE IF EXISTS ${target} ALTER COLUMN ${column.name} TYPE ${type}`);
  }
}

/** A call that was cut by the kill has no code: whether it took effect is what the campaign is about. */
function note(refusals: Record<string, number>) {
  return (error: unknown): void => {
    const code = /[A-Z]\w+\.[A-Z]\w+/.exec(String(error))?.[0] ?? 'cut';
    refusals[code] = (refusals[code] ?? 0) + 1;
  };
}

async function countFilled(
  client: Connection,
  pg: Parameters<typeof compareTable>[1],
  compared: CampaignResult['compared'],
): Promise<string[]> {
  const filled: string[] = [];
  for (const { table } of compared.filter(({ differences }) => differences > 0)) {
    const [columns] = await client.query(
      'SELECT COLUMN_NAME name FROM information_schema.columns WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
      [DATABASE, table],
    );
    for (const { name } of columns as { name: string }[]) {
      const [[source]] = (await client.query(`SELECT COUNT(${name}) n FROM ${DATABASE}.${table}`)) as unknown as [
        { n: number }[],
      ];
      const { rows } = await pg.query<{ n: string }>(`SELECT COUNT(${name}) n FROM "${DATABASE}"."${table}"`);
      filled.push(`${table}.${name}: ${source?.n}, ${rows[0]?.n}`);
    }
  }
  return filled;
}

async function compareAll(task: TaskUnderTest, columns: ShopColumns, tables: readonly string[]) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const compared = [];
    for (const table of tables) compared.push(await compareCommon(task, columns, table));
    if (compared.every(({ differences }) => differences === 0) || Date.now() > deadline) return compared;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/**
 * The columns that both ends have. One that was renamed is filled under the name that it had when its table was loaded last:
 * the target may have both.
 */
async function compareCommon({ ends }: TaskUnderTest, columns: ShopColumns, table: string): Promise<Comparison> {
  const { rows } = await ends.pg.query<{ name: string }>(
    'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2',
    [DATABASE, table],
  );
  const there = new Set(rows.map(({ name }) => name));
  const renamed = columns.of(table).filter(({ formerName }) => formerName !== null);
  const compare = (atTarget: NameAtTarget) => compareTable(ends.mysql, ends.pg, DATABASE, table, atTarget);
  const isRenamed = (name: string) => renamed.some((column) => column.name === name);
  const whole = await compare((name) => (there.has(name) && !isRenamed(name) ? name : null));
  let { differences } = whole;
  for (const { name, formerName } of renamed) {
    const names = [name, formerName].filter((each) => each !== null && there.has(each));
    const found: number[] = [];
    for (const known of names) {
      const atTarget = (column: string) => (column === name ? known : KEYS.has(column) ? column : null);
      found.push((await compare(atTarget)).differences);
    }
    if (found.length > 0) differences += Math.min(...found);
  }
  return { ...whole, differences };
}

const KEYS: ReadonlySet<string> = new Set(['id', 'order_id', 'line']);
