import mysql from 'mysql2/promise';
import pg from 'pg';
import type { Server } from '../../scripts/servers/servers.ts';

export async function connectSource({ port, user, password }: Server): Promise<mysql.Connection> {
  return mysql.createConnection({ host: '127.0.0.1', port, user, password, charset: 'utf8mb4' });
}

export async function connectTarget({ port, user, password }: Server, database = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
  client.on('error', () => {}); // a server that ends tells the query that runs, too
  await client.connect();
  return client;
}

/** Makes a database, which the connection uses from here on. */
export async function createDatabase(source: mysql.Connection, name: string): Promise<void> {
  await source.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await source.query(`USE ${name}`);
}

/** Commits of the source that need not last while it is filled; `false` is how it is measured. */
export async function relaxed(source: mysql.Connection, value: boolean): Promise<void> {
  await source.query(`SET GLOBAL sync_binlog = ${value ? 0 : 1}`);
  await source.query(`SET GLOBAL innodb_flush_log_at_trx_commit = ${value ? 0 : 1}`);
}

/** Where the log of the source ends now. */
export async function logEnd(source: mysql.Connection): Promise<{ file: string; position: number }> {
  const [rows] = await source.query('SHOW BINARY LOG STATUS').catch(() => source.query('SHOW MASTER STATUS'));
  const [row] = rows as { File: string; Position: number }[];
  if (row === undefined) throw new Error('the source writes no binary log');
  return { file: row.File, position: Number(row.Position) };
}
