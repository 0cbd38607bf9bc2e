import type { Connection } from 'mysql2/promise';
import { DATABASE, type ShopTable } from '../../quickstart/shop.ts';
import { pick } from './log-grammar.ts';

/** A column that a campaign added. */
export interface AddedColumn {
  readonly table: ShopTable;
  name: string;
  /** The name that it had, and that a target may know it by. */
  formerName: string | null;
  type: AddedType;
  isGone: boolean;
}

interface AddedType {
  readonly sql: string;
  /** A type that holds all that this one does, and more. */
  readonly wider: string | null;
  literal(n: number): string;
}

/** Without a default, as rows that are at the target already do not get it there. */
const TYPES: readonly AddedType[] = [
  { sql: 'INT', literal: (n: number) => String(n), wider: 'BIGINT' },
  { sql: 'VARCHAR(30)', literal: (n: number) => `'text ${n}'`, wider: 'VARCHAR(90)' },
  { sql: 'DECIMAL(12,3)', literal: (n: number) => `${n}.125`, wider: 'DECIMAL(20,3)' },
  {
    sql: 'DATETIME(3)',
    literal: (n: number) => `'2024-02-29 01:02:03.${String(n % 1000).padStart(3, '0')}'`,
    wider: null,
  },
  { sql: 'BIGINT UNSIGNED', literal: (n: number) => `1844674407370955${n % 1000}`, wider: null },
];

/**
 * Not customers: orders refer to it, so that MariaDB's ALTER and a transaction on both wait for each other until a time-out.
 */
const ALTERED = ['products', 'orders', 'order_items', 'reviews'] as const;
/** None of them has a foreign key, which CREATE TABLE … LIKE leaves out. */
const SWAPPED = ['products', 'order_items', 'reviews'] as const;

/** Alters the shop's tables at random, as people and their tools do, and knows what became of the columns. */
export class ShopColumns {
  /** Statements by kind. */
  readonly counts: Record<string, number> = {};
  readonly #client: Connection;
  readonly #random: () => number;
  /** While a table is copied nobody writes, instead of the triggers or the log that a tool follows. */
  readonly #alone: (work: () => Promise<void>) => Promise<void>;
  readonly #columns: AddedColumn[] = [];

  constructor(client: Connection, random: () => number, alone: (work: () => Promise<void>) => Promise<void>) {
    this.#client = client;
    this.#random = random;
    this.#alone = alone;
  }

  /** Columns that are there, of every table. */
  get live(): readonly AddedColumn[] {
    return this.#columns.filter(({ isGone }) => !isGone);
  }

  of(table: string): readonly AddedColumn[] {
    return this.live.filter((column) => column.table === table);
  }

  async change(): Promise<void> {
    const kind = this.#random();
    const column = this.live.length === 0 ? null : pick(this.#random, this.live);
    if (kind < 0.4 || column === null) await this.#add(pick(this.#random, ALTERED), '');
    else if (kind < 0.55) await this.#drop(column);
    else if (kind < 0.7) await this.#rename(column);
    else if (kind < 0.85) await this.#widen(column);
    else await this.#swap(pick(this.#random, SWAPPED));
  }

  async #alter(kind: string, table: string, action: string): Promise<void> {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    await this.#client.query(`ALTER TABLE ${DATABASE}.${table} ${action}`);
  }

  async #add(table: ShopTable, copy: string): Promise<void> {
    const name = `added${this.#columns.length + 1}`;
    const type = pick(this.#random, TYPES);
    const place = pick(this.#random, ['', '', ' FIRST']);
    await this.#alter(
      copy === '' ? 'add' : 'swap',
      copy === '' ? table : copy,
      `ADD COLUMN ${name} ${type.sql}${place}`,
    );
    this.#columns.push({ table, name, formerName: null, type, isGone: false });
  }

  async #drop(column: AddedColumn): Promise<void> {
    column.isGone = true;
    await this.#alter('drop', column.table, `DROP COLUMN ${column.name}`);
  }

  /** Once only: a second former name would not be known to be one. */
  async #rename(column: AddedColumn): Promise<void> {
    if (column.formerName !== null) return;
    const [from, to] = [column.name, `${column.name}r`];
    await this.#alter('rename', column.table, `CHANGE COLUMN ${from} ${to} ${column.type.sql}`);
    column.formerName = from;
    column.name = to;
  }

  async #widen(column: AddedColumn): Promise<void> {
    const { wider } = column.type;
    if (wider === null) return;
    await this.#alter('widen', column.table, `MODIFY COLUMN ${column.name} ${wider}`);
    column.type = { ...column.type, sql: wider, wider: null };
  }

  /** As gh-ost does it: a copy is altered, filled, and takes the table's name. */
  async #swap(table: ShopTable): Promise<void> {
    const [copy, old] = [`_${table}_gho`, `_${table}_del`];
    await this.#alone(async () => {
      await this.#client.query(`CREATE TABLE ${DATABASE}.${copy} LIKE ${DATABASE}.${table}`);
      const [rows] = await this.#client.query(
        'SELECT COLUMN_NAME name FROM information_schema.columns WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
        [DATABASE, table],
      );
      const names = (rows as { name: string }[]).map(({ name }) => name).join(', ');
      await this.#add(table, copy);
      await this.#client.query(`INSERT INTO ${DATABASE}.${copy} (${names}) SELECT ${names} FROM ${DATABASE}.${table}`);
      await this.#client.query(
        `RENAME TABLE ${DATABASE}.${table} TO ${DATABASE}.${old}, ${DATABASE}.${copy} TO ${DATABASE}.${table}`,
      );
      await this.#client.query(`DROP TABLE ${DATABASE}.${old}`);
    });
  }
}

/** As our planning makes it at the target. */
export function targetType({ type: { sql } }: AddedColumn): string {
  return TARGET_TYPES[sql] ?? sql;
}

const TARGET_TYPES: Readonly<Record<string, string>> = {
  INT: 'integer',
  'VARCHAR(30)': 'text',
  'VARCHAR(90)': 'text',
  'DECIMAL(12,3)': 'numeric(12,3)',
  'DECIMAL(20,3)': 'numeric(20,3)',
  'DATETIME(3)': 'timestamp',
  BIGINT: 'bigint',
  'BIGINT UNSIGNED': 'numeric(20,0)',
};
