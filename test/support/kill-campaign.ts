import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import { DATABASE, fillShop, SHOP_TABLES, ShopWriter } from '../../quickstart/shop.ts';
import { compareTable } from '../../quickstart/compare.ts';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { HOLOGRES_FUNCTIONS } from './hologres-under-test.ts';
import { type Family, mysqlClient, pgClient } from './servers.ts';
import { Service } from './service.ts';
import { TaskUnderTest } from './task-under-test.ts';

export interface CampaignResult {
  readonly kills: number;
  readonly changes: number;
  readonly columnsAdded: number;
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
 * Kills the service with SIGKILL at random moments of planning, deploying, loading and streaming, while writers write,
 * columns are added and the list of tables changes at random; in the end every table that is wanted must be equal, row for row.
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
  const [source, target] = await Promise.all([startServer(family), startServer('postgres')]);
  const client = await mysqlClient(source);
  await fillShop(client, () => {});
  const writer = new ShopWriter(await mysqlClient(source, DATABASE));
  const others = await Promise.all(
    [1, 2, 3].map(async (at) => new RowWriter(await mysqlClient(source, DATABASE), seed + at)),
  );
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
    for (const each of [writer, ...others]) each.start();
    let wanted: string[] = ['customers', 'orders'];
    let columnsAdded = 0;
    const failures: Record<string, number> = {};
    const refusals: Record<string, number> = {};
    await task.run({ table: wanted });
    for (let kill = 1; kill <= kills; kill += 1) {
      const next = SHOP_TABLES.filter(() => random() < 0.6);
      const tables = next.length === 0 ? ['orders'] : [...next];
      // Whoever adds a column to a table that is not captured adds it to the target too, before the table is wanted again.
      await addMissingColumns(
        task,
        SHOP_TABLES.filter((table) => !wanted.includes(table)),
      );
      const changing =
        random() < 0.7
          ? task.change({ table: tables }).then(() => void (wanted = tables), note(refusals))
          : Promise.resolve();
      await new Promise((resolve) => setTimeout(resolve, random() * 600));
      if (random() < 0.5) {
        const table = ALTERED[Math.floor(random() * ALTERED.length)];
        const column = COLUMNS[columnsAdded % COLUMNS.length];
        columnsAdded += 1;
        await client.query(`ALTER TABLE ${DATABASE}.${table} ADD COLUMN added${columnsAdded} ${column}`);
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 600));
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
    await settle(task, wanted, failures);
    await Promise.all([writer, ...others].map((each) => each.stop()));
    const compared = await compareAll(client, pg, wanted);
    const filled = await countFilled(client, pg, compared);
    await pg.end();
    return {
      kills,
      changes: [writer, ...others].reduce((sum, each) => sum + each.changes, 0),
      columnsAdded,
      failures,
      refusals,
      filled,
      compared,
    };
  } finally {
    await Promise.all([writer, ...others].map((each) => each.stop()));
    await service.dispose();
    await client.end();
    await Promise.all(([source, target] as Server[]).map((server) => server.stop()));
  }
}

/**
 * Not customers: orders refer to it, so that MariaDB's ALTER and a transaction on both wait for each other until a time-out.
 */
const ALTERED = SHOP_TABLES.filter((table) => table !== 'customers');
/** What a column that is added may be: without a default, as rows that are at the target already do not get it there. */
const COLUMNS = ['INT', 'VARCHAR(30)', 'DECIMAL(12,3)', 'DATETIME(3)', 'BIGINT UNSIGNED'] as const;

/**
 * What was wanted last may have been deployed or not when its call was cut: it is said again. A target that lacks columns,
 * because its table was not part of the task when they were added, is refused: then it gets them, as the message says.
 */
async function settle(task: TaskUnderTest, wanted: readonly string[], failures: Record<string, number>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await task.change({ table: wanted });
      await task.untilStreaming(...wanted);
      return;
    } catch (error) {
      if (tries === 5) throw error;
      await countFailures(task, failures);
      await addMissingColumns(task, wanted);
    }
  }
}

async function countFailures(task: TaskUnderTest, failures: Record<string, number>): Promise<void> {
  const { extend } = await task.info();
  for (const { code } of extend.tables) if (code !== null) failures[code] = (failures[code] ?? 0) + 1;
}

async function addMissingColumns({ ends }: TaskUnderTest, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const [rows] = await ends.mysql.query(
      "SELECT COLUMN_NAME name, DATA_TYPE type FROM information_schema.columns WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME LIKE 'added%'",
      [DATABASE, table],
    );
    for (const { name, type } of rows as { name: string; type: string }[])
      await ends.pg.query(
        `ALTER TABLE IF EXISTS "${DATABASE}"."${table}" ADD COLUMN IF NOT EXISTS ${name} ${TARGET_TYPES[type]}`,
      );
  }
}

const TARGET_TYPES: Readonly<Record<string, string>> = {
  int: 'integer',
  varchar: 'text',
  decimal: 'numeric(12,3)',
  datetime: 'timestamp',
  bigint: 'numeric(20,0)',
};

/** Changes single rows, often the same ones as its neighbours: inserts again what it deleted, moves keys. */
class RowWriter {
  changes = 0;
  readonly #connection: Connection;
  readonly #random: () => number;
  #running = true;
  #done: Promise<void> = Promise.resolve();

  constructor(connection: Connection, seed: number) {
    this.#connection = connection;
    this.#random = randomOf(seed);
  }

  start(): void {
    this.#done = this.#loop();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await this.#connection.end().catch(() => {});
  }

  async #loop(): Promise<void> {
    while (this.#running) {
      await this.#change();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #change(): Promise<void> {
    const id = 1 + Math.floor(this.#random() * 2000);
    const amount = Math.floor(this.#random() * 1000) / 100;
    const [sql, values] = ROW_CHANGES[Math.floor(this.#random() * ROW_CHANGES.length)]?.(id, amount) ?? ['DO 0', []];
    try {
      const [result] = await this.#connection.query(sql, values);
      this.changes += (result as { affectedRows: number }).affectedRows;
    } catch (error) {
      if (!CLASHES.has((error as { code?: string }).code ?? '')) throw error;
    }
  }
}

/** Two writers met: nothing was changed. */
const CLASHES: ReadonlySet<string> = new Set(['ER_LOCK_DEADLOCK', 'ER_DUP_ENTRY', 'ER_LOCK_WAIT_TIMEOUT']);

type RowChange = (id: number, amount: number) => [sql: string, values: (number | string)[]];
const ROW_CHANGES: readonly RowChange[] = [
  (id, amount) => ['UPDATE customers SET balance = ? WHERE id = ?', [amount, id]],
  (id, amount) => ['UPDATE products SET price = ?, weight = ? WHERE id = ?', [amount, amount, id]],
  (id, amount) => ['UPDATE orders SET total = ? WHERE id = ?', [amount, id]],
  (id, amount) => ['UPDATE order_items SET price = ? WHERE order_id = ?', [amount, id]],
  (id) => ['DELETE FROM order_items WHERE order_id = ? AND line = 9', [id]],
  (id, amount) => [
    'REPLACE INTO order_items (order_id, line, product_id, quantity, price) VALUES (?, 9, 1, 1, ?)',
    [id, amount],
  ],
  (id) => ['UPDATE order_items SET line = 19 - line WHERE order_id = ? AND line IN (9, 10)', [id]],
  (id) => ['DELETE FROM reviews WHERE id = ?', [20_000_000 + id]],
  (id, amount) => [
    "REPLACE INTO reviews (id, product_id, stars, body, written_at) VALUES (?, 1, 5, ?, '2024-02-29 01:02:03')",
    [20_000_000 + id, `r ${amount}`],
  ],
];

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

async function compareAll(client: Connection, pg: Parameters<typeof compareTable>[1], tables: readonly string[]) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const compared = [];
    for (const table of tables) compared.push(await compareTable(client, pg, DATABASE, table));
    if (compared.every(({ differences }) => differences === 0) || Date.now() > deadline) return compared;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
