import type { Connection } from 'mysql2/promise';

/** How many changes of each kind; the usual one is 1.0 M, 0.8 M and 0.2 M. */
export interface WorkloadSize {
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
}

export const USUAL: WorkloadSize = { inserts: 1_000_000, updates: 800_000, deletes: 200_000 };

/** Six mixed columns of about 200 bytes. */
export function createTableSql(table: string): string {
  return `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL,
    updated_at DATETIME(3) NOT NULL, amount DECIMAL(12,2) NOT NULL) DEFAULT CHARACTER SET utf8mb4`;
}

/** A small generator of pseudo-random numbers (mulberry32): the same seed gives the same workload. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Writes the workload into `table`: transactions of 2 to 100 rows; updates and deletes take ranges of recent rows.
 * Ids of inserted rows begin with `firstId`; only a workload without updates and deletes may begin elsewhere than at 1.
 * Returns the row changes that were really made, as the server counted them.
 */
export async function runWorkload(
  connection: Connection,
  table: string,
  size: WorkloadSize,
  seed = 1,
  firstId = 1,
): Promise<number> {
  const random = randomOf(seed);
  const rowsOf = () => 2 + Math.floor(random() * 99);
  const letters = Array.from({ length: 64 }, () => digits(random, 120));
  let next = 1;
  let updated = 0;
  let deleted = 0;
  let changes = 0;
  while (next <= size.inserts) {
    const rows = Math.min(rowsOf(), size.inserts - next + 1);
    const values: string[] = [];
    for (let row = 0; row < rows; row += 1) {
      const c = letters[Math.floor(random() * letters.length)] ?? '';
      values.push(
        `(${firstId - 1 + next + row},${Math.floor(random() * 1e6)},'${c}','${c.slice(0, 60)}',NOW(3),${(random() * 1e6).toFixed(2)})`,
      );
    }
    changes += await affected(connection, `INSERT INTO ${table} VALUES ${values.join(',')}`);
    next += rows;
    for (; updated < (next / size.inserts) * size.updates; ) {
      const count = rowsOf();
      const from = Math.max(1, next - Math.floor(random() * 50_000) - count);
      const made = await affected(
        connection,
        `UPDATE ${table} SET k = k + 1, amount = amount + 1, updated_at = NOW(3) WHERE id BETWEEN ${from} AND ${from + count - 1}`,
      );
      changes += made;
      updated += made === 0 ? count : made;
    }
    for (; deleted < (next / size.inserts) * size.deletes; ) {
      const count = rowsOf();
      const from = 1 + Math.floor(random() * next);
      const made = await affected(connection, `DELETE FROM ${table} WHERE id BETWEEN ${from} AND ${from + count - 1}`);
      changes += made;
      deleted += made === 0 ? count : made;
    }
  }
  return changes;
}

/** Inserts `rows` rows, no key twice: a workload that merging by key cannot shrink. */
export async function runInserts(
  connection: Connection,
  table: string,
  rows: number,
  seed = 1,
  firstId = 1,
): Promise<number> {
  return runWorkload(connection, table, { inserts: rows, updates: 0, deletes: 0 }, seed, firstId);
}

function digits(random: () => number, length: number): string {
  let text = '';
  while (text.length < length) text += Math.floor(random() * 1e9).toString();
  return text.slice(0, length);
}

async function affected(connection: Connection, sql: string): Promise<number> {
  const [result] = await connection.query(sql);
  return (result as { affectedRows: number }).affectedRows;
}
