import type { Connection } from 'mysql2/promise';
import { type Server, startServer } from '../../scripts/servers/servers.ts';
import { COUNTED_COLUMNS, CountingWriter } from './counting-writer.ts';
import { type Family, freshMysqlDatabase, mysqlClient } from './servers.ts';

const KEYS = 150;
const PAUSE_MS = 60;

/** A row of its tables. */
export interface SourceRow {
  readonly id: number;
  readonly n: number;
  readonly v: string;
}

/** A server of its own with tables whose rows count their changes, and who writes them. */
export class CountedSource {
  readonly tables: readonly string[];
  readonly server: Server;
  readonly database: string;
  readonly mysql: Connection;
  readonly writers: readonly CountingWriter[];
  readonly #connections: readonly Connection[];

  private constructor(
    server: Server,
    {
      database,
      tables,
      seed,
    }: { readonly database: string; readonly tables: readonly string[]; readonly seed: number },
    [mysql, ...others]: readonly [Connection, ...Connection[]],
  ) {
    this.server = server;
    this.database = database;
    this.tables = tables;
    this.mysql = mysql;
    this.#connections = [mysql, ...others];
    this.writers = others.map(
      (connection, index) =>
        new CountingWriter(connection, {
          tables,
          seed: seed + index,
          firstKey: 1000 * index,
          keys: KEYS,
          pauseMs: PAUSE_MS,
        }),
    );
  }

  /** `writers`: how many. */
  static async start(
    family: Family,
    { tables, writers, seed }: { readonly tables: readonly string[]; readonly writers: number; readonly seed: number },
  ): Promise<CountedSource> {
    const server = await startServer(family);
    const database = await freshMysqlDatabase(server);
    const mysql = await mysqlClient(server, database);
    const others = await Promise.all(Array.from({ length: writers }, () => mysqlClient(server, database)));
    return new CountedSource(server, { database, tables, seed }, [mysql, ...others]);
  }

  async createTables(): Promise<void> {
    for (const table of this.tables) await this.mysql.query(`CREATE TABLE ${table} (${COUNTED_COLUMNS})`);
  }

  /** The last row of each table, by its key. */
  async mark(key: string): Promise<void> {
    for (const table of this.tables) await this.mysql.query(`INSERT INTO ${table} VALUES (${key}, 1, 'mark')`);
  }

  async rows(table: string): Promise<SourceRow[]> {
    const [found] = await this.mysql.query(`SELECT id, n, v FROM ${table}`);
    return found as SourceRow[];
  }

  startWriting(): void {
    for (const writer of this.writers) writer.start();
  }

  async stopWriting(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.stop()));
  }

  /** When whoever reads it has ended. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#connections.map((connection) => connection.end()));
    await this.server.stop();
  }
}
