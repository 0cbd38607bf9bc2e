import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { ADMIN_PASSWORD, own } from './lifecycle.ts';

/** Settings that both families share: durable, with a full row log, and small. */
const SHARED: Readonly<Record<string, string>> = {
  'bind-address': '127.0.0.1',
  'skip-name-resolve': '',
  server_id: '1',
  log_bin: 'binlog',
  binlog_format: 'ROW',
  binlog_row_image: 'FULL',
  sync_binlog: '1',
  innodb_flush_log_at_trx_commit: '1',
  innodb_buffer_pool_size: '256M',
  character_set_server: 'utf8mb4',
  max_connections: '400',
  max_allowed_packet: '256M',
};

/** Writes the option file and gives its path; a setting `skip-x` needs no value. */
export function settingsFile(folder: string, settings: Readonly<Record<string, string>>): string {
  const path = join(folder, 'my.cnf');
  const all = {
    ...SHARED,
    // A server that starts removes what others of its kind left, as it thinks, in the folder of temporary files.
    tmpdir: folder,
    socket: join(folder, 's.sock'),
    'pid-file': join(folder, 'pid'),
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  writeFileSync(path, `[mysqld]\n${lines.join('\n')}\n`);
  own(path);
  return path;
}

/** Run at each start: the administrator who may connect over TCP. One statement a line, as init files want it. */
export function adminSql(): string {
  return [
    'SET SESSION sql_log_bin = 0;',
    "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';",
    `ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '${ADMIN_PASSWORD}';`,
    "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;",
    '',
  ].join('\n');
}

/** MySQL before 5.7 knows neither IF NOT EXISTS nor ALTER USER … IDENTIFIED. */
export function oldAdminSql(): string {
  return [
    'SET SESSION sql_log_bin = 0;',
    `GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' IDENTIFIED BY '${ADMIN_PASSWORD}' WITH GRANT OPTION;`,
    '',
  ].join('\n');
}

export async function mysqlReady(port: number): Promise<void> {
  const connection = await mysql.createConnection({
    host: '127.0.0.1',
    port,
    user: 'root',
    password: ADMIN_PASSWORD,
    connectTimeout: 2000,
  });
  connection.destroy();
}
