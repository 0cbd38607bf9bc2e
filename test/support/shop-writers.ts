import type { Connection } from 'mysql2/promise';
import { randomOf } from '../../bench/workload.ts';
import { pick } from './log-grammar.ts';
import type { AddedColumn } from './shop-columns.ts';

/** Changes single rows, often the same ones as its neighbours: inserts again what it deleted, moves keys. */
export class RowWriter {
  changes = 0;
  readonly #connection: Connection;
  readonly #random: () => number;
  readonly #added: () => readonly AddedColumn[];
  #running = false;
  #done: Promise<void> = Promise.resolve();

  /** `added`: columns that may be written to as well. */
  constructor(connection: Connection, seed: number, added: () => readonly AddedColumn[]) {
    this.#connection = connection;
    this.#random = randomOf(seed);
    this.#added = added;
  }

  start(): void {
    this.#running = true;
    this.#done = this.#loop();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
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
    const [sql, values] = this.#random() < 0.3 ? this.#toAdded(id) : pick(this.#random, ROW_CHANGES)(id, amount);
    try {
      const [result] = await this.#connection.query(sql, values);
      this.changes += (result as { affectedRows: number }).affectedRows;
    } catch (error) {
      if (!CLASHES.has((error as { code?: string }).code ?? '')) throw error;
    }
  }

  #toAdded(id: number): [sql: string, values: (number | string)[]] {
    const added = this.#added();
    if (added.length === 0) return ['DO 0', []];
    const { table, name, type } = pick(this.#random, added);
    const where = table === 'order_items' ? 'order_id' : 'id';
    return [`UPDATE ${table} SET ${name} = ${type.literal(id)} WHERE ${where} BETWEEN ? AND ?`, [id, id + 5]];
  }
}

/** Two writers met, or a column got another name just now: nothing was changed. */
const CLASHES: ReadonlySet<string> = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_DUP_ENTRY',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_BAD_FIELD_ERROR',
]);

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

/** Transactions of two phases, one in three of which is rolled back after it was prepared; others write meanwhile. */
export class XaWriter {
  changes = 0;
  readonly #connection: Connection;
  readonly #random: () => number;
  readonly #name: string;
  #running = false;
  #done: Promise<void> = Promise.resolve();
  #turn = 0;

  constructor(connection: Connection, seed: number) {
    this.#connection = connection;
    this.#random = randomOf(seed);
    this.#name = `x${seed}`;
  }

  start(): void {
    this.#running = true;
    this.#done = this.#loop();
  }

  /** Every transaction has its outcome then. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #loop(): Promise<void> {
    while (this.#running) {
      this.#turn += 1;
      await this.#transaction(`'${this.#name}','${this.#turn}'`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Its rows are its own, so that nobody is in its way. */
  async #transaction(xid: string): Promise<void> {
    const run = async (sql: string): Promise<void> => void (await this.#connection.query(sql));
    const at = this.#turn % 300;
    const [review, order] = [40_000_000 + at, 40_000_000 + at];
    await run(`XA START ${xid}`);
    await run(
      `REPLACE INTO reviews (id, product_id, stars, body, written_at) VALUES (${review}, 1, 3, 'xa ${this.#turn}', '2024-02-29 01:02:03')`,
    );
    await run(
      `REPLACE INTO order_items (order_id, line, product_id, quantity, price) VALUES (${order}, 1, 1, 1, ${this.#turn % 1000}), (${order}, 2, 1, 1, 2)`,
    );
    if (this.#turn % 2 === 0) await run(`DELETE FROM order_items WHERE order_id = ${order} AND line = 2`);
    await run(`XA END ${xid}`);
    await run(`XA PREPARE ${xid}`);
    await new Promise((resolve) => setTimeout(resolve, this.#random() * 300));
    const isCommitted = this.#random() < 0.67;
    await run(`XA ${isCommitted ? 'COMMIT' : 'ROLLBACK'} ${xid}`);
    if (isCommitted) this.changes += 3;
  }
}
