import type { Connection } from 'mysql2/promise';

/** The tables of the shop, in the order in which they refer to each other. */
export const SHOP_TABLES = ['customers', 'products', 'orders', 'order_items', 'reviews'] as const;
export type ShopTable = (typeof SHOP_TABLES)[number];

export const DATABASE = 'shop';

const CUSTOMERS = 10_000;
const PRODUCTS = 5_000;
const ORDERS = 40_000;
const ITEMS = 60_000;
const REVIEWS = 30_000;

const CREATE: Readonly<Record<ShopTable, string>> = {
  customers: `CREATE TABLE customers (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80) NOT NULL, email VARCHAR(120) NOT NULL,
    balance DECIMAL(12,2) NOT NULL DEFAULT 0, born DATE, updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3))`,
  products: `CREATE TABLE products (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, sku VARCHAR(40) NOT NULL UNIQUE, title TEXT NOT NULL,
    price DECIMAL(10,2) NOT NULL, weight FLOAT, state ENUM('new','active','gone') NOT NULL DEFAULT 'new')`,
  orders: `CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer_id BIGINT NOT NULL, status VARCHAR(16) NOT NULL,
    total DECIMAL(12,2) NOT NULL, placed_at DATETIME(3) NOT NULL, written_us BIGINT NOT NULL,
    FOREIGN KEY (customer_id) REFERENCES customers(id))`,
  order_items: `CREATE TABLE order_items (order_id BIGINT NOT NULL, line INT NOT NULL, product_id INT UNSIGNED NOT NULL, quantity SMALLINT NOT NULL,
    price DECIMAL(10,2) NOT NULL, PRIMARY KEY (order_id, line))`,
  reviews: `CREATE TABLE reviews (id BIGINT PRIMARY KEY AUTO_INCREMENT, product_id INT UNSIGNED NOT NULL, stars TINYINT NOT NULL,
    body VARCHAR(400) NOT NULL, written_at DATETIME NOT NULL)`,
};

/** Makes the shop and fills it with 145,000 rows; `report` hears of each table. */
export async function fillShop(
  connection: Connection,
  report: (table: ShopTable, rows: number) => void,
): Promise<void> {
  await connection.query(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
  await connection.query(`USE ${DATABASE}`);
  for (const table of SHOP_TABLES) await connection.query(CREATE[table]);
  const fill = async (table: ShopTable, columns: string, count: number, row: (index: number) => unknown[]) => {
    for (let from = 1; from <= count; from += 2000) {
      const rows = Array.from({ length: Math.min(2000, count - from + 1) }, (_, index) => row(from + index));
      await connection.query(`INSERT INTO ${table} (${columns}) VALUES ?`, [rows]);
    }
    report(table, count);
  };
  await fill('customers', 'name, email, balance, born', CUSTOMERS, (i) => [
    `Zoë Müller ${i} 李`,
    `c${i}@example.org`,
    (i % 997) + 0.25,
    i % 7 === 0 ? null : '1980-02-29',
  ]);
  await fill('products', 'sku, title, price, weight, state', PRODUCTS, (i) => [
    `SKU-${i}`,
    `Thing "${i}" 🧦 with\ttabs`,
    (i % 500) + 0.99,
    i / 3,
    ['new', 'active', 'gone'][i % 3],
  ]);
  await fill('orders', 'customer_id, status, total, placed_at, written_us', ORDERS, (i) => [
    1 + (i % CUSTOMERS),
    'placed',
    i % 300,
    '2026-01-31 23:59:59.123',
    Date.now() * 1000,
  ]);
  await fill('order_items', 'order_id, line, product_id, quantity, price', ITEMS, (i) => [
    1 + (i % ORDERS),
    1 + Math.floor(i / ORDERS),
    1 + (i % PRODUCTS),
    1 + (i % 5),
    (i % 100) + 0.5,
  ]);
  await fill('reviews', 'product_id, stars, body, written_at', REVIEWS, (i) => [
    1 + (i % PRODUCTS),
    i % 6,
    `Review ${i}: it's fine; 很好 \\ "quoted"`,
    '2026-02-28 12:00:00',
  ]);
}

/** Steady changes to every table until `stop`: inserts, updates, deletes, a key that moves, in small transactions. */
export class ShopWriter {
  changes = 0;
  readonly #connection: Connection;
  #running = true;
  #done: Promise<void> = Promise.resolve();
  #turn = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Also once more, behind `stop`. */
  start(): void {
    this.#running = true;
    this.#done = this.#loop();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  async #loop(): Promise<void> {
    await this.#connection.query(`USE ${DATABASE}`);
    while (this.#running) {
      await this.#transaction().catch((error: unknown) => this.#afterDeadlock(error));
      await new Promise((resolve) => setTimeout(resolve, 12));
    }
  }

  /** Another writer was in the way: the server has taken all of the transaction back. */
  async #afterDeadlock(error: unknown): Promise<void> {
    if ((error as { code?: string }).code !== 'ER_LOCK_DEADLOCK') throw error;
    await this.#connection.rollback();
  }

  async #transaction(): Promise<void> {
    const i = (this.#turn += 1);
    const run = async (sql: string, values: unknown[]) => {
      const [result] = await this.#connection.query(sql, values);
      this.changes += (result as { affectedRows: number }).affectedRows;
      return result as { insertId: number };
    };
    await this.#connection.beginTransaction();
    const { insertId } = await run(
      'INSERT INTO orders (customer_id, status, total, placed_at, written_us) VALUES (?, ?, ?, NOW(3), ?)',
      [1 + (i % CUSTOMERS), 'placed', i % 100, Date.now() * 1000],
    );
    await run(
      'INSERT INTO order_items (order_id, line, product_id, quantity, price) VALUES (?, 1, ?, 1, 9.99), (?, 2, ?, 2, 19.99)',
      [insertId, 1 + (i % PRODUCTS), insertId, 1 + ((i + 1) % PRODUCTS)],
    );
    await run('UPDATE customers SET balance = balance + 1.05, updated_at = NOW(3) WHERE id = ?', [
      1 + ((i * 7) % CUSTOMERS),
    ]);
    await run('INSERT INTO reviews (product_id, stars, body, written_at) VALUES (?, ?, ?, NOW())', [
      1 + (i % PRODUCTS),
      i % 6,
      `live ${i}`,
    ]);
    if (i % 3 === 0) await run('UPDATE products SET price = price + 0.01 WHERE id = ?', [1 + ((i * 13) % PRODUCTS)]);
    if (i % 4 === 0)
      await run('UPDATE orders SET status = ?, written_us = ? WHERE id = ?', [
        'shipped',
        Date.now() * 1000,
        insertId - 2,
      ]);
    if (i % 5 === 0) await run('DELETE FROM order_items WHERE order_id = ?', [insertId - 4]);
    if (i % 6 === 0) await run('UPDATE reviews SET id = id + 10000000 WHERE id = ?', [1 + ((i * 11) % REVIEWS)]);
    if (i % 7 === 0) await run('DELETE FROM reviews WHERE id = ?', [1 + ((i * 17) % REVIEWS)]);
    await this.#connection.commit();
  }
}
