import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import { pick } from './log-grammar.ts';
import { whole } from './random-columns.ts';

export interface CountingOptions {
  readonly tables: readonly string[];
  readonly seed: number;
  /** The keys that are this writer's alone. */
  readonly firstKey: number;
  readonly keys: number;
  /** Between two transactions, at most. */
  readonly pauseMs: number;
}

interface Row {
  /** Of the key: how many changes it had, whatever became of its row. */
  n: number;
  exists: boolean;
}

/** Statement and what it makes of the writer's rows. */
interface Step {
  readonly sql: string;
  readonly table: string;
  readonly rows: ReadonlyMap<number, Row>;
}

/** Columns of the tables that it writes. */
export const COUNTED_COLUMNS = 'id INT PRIMARY KEY, n INT NOT NULL, v VARCHAR(400) NOT NULL';

/**
 * Writes rows whose `n` counts the changes of their key: an insert, an update, and a move to this key each add one to what the
 * key had last, be it before its row was deleted. Some transactions are rolled back, some have very many rows.
 */
export class CountingWriter {
  /** Rows of transactions that were committed. */
  changes = 0;
  readonly #connection: Connection;
  readonly #options: CountingOptions;
  readonly #random: () => number;
  readonly #rows: ReadonlyMap<string, Map<number, Row>>;
  #running = false;
  #last: Promise<void> = Promise.resolve();
  #done: Promise<void> = Promise.resolve();

  constructor(connection: Connection, options: CountingOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#random = randomOf(options.seed);
    this.#rows = new Map(options.tables.map((table) => [table, new Map()]));
  }

  /** Two of three keys get a row in each table. */
  async fill(): Promise<void> {
    for (const table of this.#options.tables) {
      const keys = this.#allKeys().filter((key) => key % 3 > 0);
      const rows = new Map(keys.map((key) => [key, { n: 1, exists: true }]));
      await this.#connection.query(
        `INSERT INTO ${table} VALUES ${keys.map((key) => `(${key}, 1, ${this.#text()})`).join()}`,
      );
      this.#take([{ sql: '', table, rows }]);
    }
  }

  start(): void {
    this.#running = true;
    this.#done = this.#loop();
    // Whoever stops it hears of it.
    this.#done.catch(() => {});
  }

  /** Resolves once its last transaction is over. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  /** One transaction that changes every row there is. */
  async changeAll(): Promise<void> {
    await this.#inTurn(() => this.#options.tables.map((table) => this.#all(table)));
  }

  async #loop(): Promise<void> {
    while (this.#running) {
      await this.#inTurn(() => this.#plan());
      await new Promise((resolve) => setTimeout(resolve, this.#random() * this.#options.pauseMs));
    }
  }

  /** What is planned depends on what was done. */
  async #inTurn(plan: () => Step[]): Promise<void> {
    const done = this.#last.then(() => this.#transaction(plan()));
    this.#last = done.catch(() => {});
    await done;
  }

  #plan(): Step[] {
    const { tables } = this.#options;
    const chance = this.#random();
    if (chance < 0.005) return tables.map((table) => this.#all(table));
    const count = chance < 0.05 ? 60 : 1 + whole(this.#random, 5);
    const planned: Step[] = [];
    for (let left = count; left > 0; left -= 1) {
      const step = this.#step(pick(this.#random, tables), planned);
      if (step !== null) planned.push(step);
    }
    return planned;
  }

  #all(table: string): Step {
    const { firstKey, keys } = this.#options;
    const rows = new Map(
      [...this.#of(table)].filter(([, { exists }]) => exists).map(([key, { n }]) => [key, { n: n + 1, exists: true }]),
    );
    const where = `id BETWEEN ${firstKey} AND ${firstKey + keys - 1}`;
    return { sql: `UPDATE ${table} SET n = n + 1, v = CONCAT(${this.#text()}, n) WHERE ${where}`, table, rows };
  }

  /** A change of one or two keys, as they are behind what is planned already; null where there is nothing to move. */
  #step(table: string, planned: readonly Step[]): Step | null {
    const state = (key: number): Row =>
      planned.findLast((step) => step.table === table && step.rows.has(key))?.rows.get(key) ??
      this.#of(table).get(key) ?? { n: 0, exists: false };
    const key = pick(this.#random, this.#allKeys());
    const { n, exists } = state(key);
    const one = (sql: string, row: Row): Step => ({ sql, table, rows: new Map([[key, row]]) });
    const written = { n: n + 1, exists: true };
    if (!exists) return one(`INSERT INTO ${table} VALUES (${key}, ${n + 1}, ${this.#text()})`, written);
    const chance = this.#random();
    if (chance < 0.15) return one(`DELETE FROM ${table} WHERE id = ${key}`, { n, exists: false });
    if (chance < 0.9) return one(`UPDATE ${table} SET n = n + 1, v = ${this.#text()} WHERE id = ${key}`, written);
    const to = pick(this.#random, this.#allKeys());
    const there = state(to);
    if (there.exists) return null;
    const rows = new Map([
      [key, { n, exists: false }],
      [to, { n: there.n + 1, exists: true }],
    ]);
    return { sql: `UPDATE ${table} SET id = ${to}, n = ${there.n + 1} WHERE id = ${key}`, table, rows };
  }

  async #transaction(steps: readonly Step[]): Promise<void> {
    if (steps.length === 0) return;
    const isKept = this.#random() < 0.93;
    const statements = steps.map(({ sql }) => sql).join(';');
    try {
      await this.#connection.query(`BEGIN; ${statements}; ${isKept ? 'COMMIT' : 'ROLLBACK'}`);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ER_LOCK_DEADLOCK') throw error;
      await this.#connection.query('ROLLBACK');
      return;
    }
    if (isKept) this.#take(steps);
  }

  #take(steps: readonly Step[]): void {
    for (const { table, rows } of steps) {
      for (const [key, row] of rows) this.#of(table).set(key, row);
      this.changes += rows.size;
    }
  }

  #of(table: string): Map<number, Row> {
    const rows = this.#rows.get(table);
    if (rows === undefined) throw new Error(`${table} is not written`);
    return rows;
  }

  #allKeys(): number[] {
    return Array.from({ length: this.#options.keys }, (_, index) => this.#options.firstKey + index);
  }

  #text(): string {
    return `REPEAT('${pick(this.#random, ['a', 'bc', '漢'])}', ${whole(this.#random, 180)})`;
  }
}
