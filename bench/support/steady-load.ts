import type { Connection } from 'mysql2/promise';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 12;
/** Rows that each transaction inserts, and as many it updates. */
const ROWS = 2;

export function createSteadyTableSql(table: string): string {
  return `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, n INT NOT NULL, text VARCHAR(100) NOT NULL, written_us BIGINT NOT NULL)`;
}

/** About 333 row changes a second to one table, in small transactions; each row tells when its writer wrote it. */
export class SteadyLoad {
  /** Row changes that the server has acknowledged. */
  changes = 0;
  /** Milliseconds from a row's clock to the server's word that it is committed. */
  commits: number[] = [];
  readonly #connection: Connection;
  readonly #table: string;
  #running = true;
  readonly #done: Promise<void>;

  constructor(connection: Connection, table: string) {
    this.#connection = connection;
    this.#table = table;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #run(): Promise<void> {
    let next = 1;
    // By the clock: a slow transaction is made up for.
    let due = Date.now();
    while (this.#running) {
      due += EVERY_MS;
      const wait = due - Date.now();
      if (wait > 0) await sleep(wait);
      const now = micros();
      const rows = Array.from({ length: ROWS }, (_, row) => `(${next + row}, 0, 'a row of the steady load', ${now})`);
      await this.#connection.query('BEGIN');
      await this.#connection.query(`INSERT INTO ${this.#table} VALUES ${rows.join(',')}`);
      if (next > ROWS) {
        const before = Math.max(1, next - ROWS * (1 + Math.floor(Math.random() * 500)));
        await this.#connection.query(
          `UPDATE ${this.#table} SET n = n + 1, written_us = ${now} WHERE id BETWEEN ${before} AND ${before + ROWS - 1}`,
        );
        this.changes += ROWS;
      }
      await this.#connection.query('COMMIT');
      this.commits.push((micros() - now) / 1000);
      this.changes += ROWS;
      next += ROWS;
    }
  }
}

/** Microseconds since the epoch, by the one clock of this machine. */
export function micros(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}
