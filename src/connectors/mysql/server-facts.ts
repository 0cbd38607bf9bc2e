import type { Questions } from './connect.ts';
import type { LogPosition } from './offset/position.ts';

/** What must be known of a server before its log is read. */
export interface ServerFacts {
  readonly family: 'mysql' | 'mariadb';
  /** Such as `MySQL 9.7.4`. */
  readonly title: string;
  /** Major, minor, patch. */
  readonly version: readonly [number, number, number];
  /** Differs between servers and stays over restarts. */
  readonly identity: string;
  /** MySQL: new transactions have ids; others, from before or from another server, may have none. */
  readonly gtidMode: boolean;
  /** Every transaction has an id. */
  readonly gtids: boolean;
  readonly logBin: boolean;
  readonly format: string;
  readonly rowImage: string;
  /** FULL, MINIMAL or NO_LOG; empty where the server does not know the setting. */
  readonly rowMetadata: string;
  readonly serverId: number;
  readonly lowerCaseTableNames: number;
  /** Seconds; 0 keeps the log until it is purged by hand. */
  readonly retentionSeconds: number | null;
  /** The account may read performance_schema.log_status. */
  readonly logStatus: boolean;
  /** The account has more than SELECT on its tables: locking reads work on any version. */
  readonly lockingReads: boolean;
  /** Whom the server takes us for, as GRANT takes it: `'repl'@'%'`. */
  readonly account: string;
  /** Global settings (WANTED) by name; without those that the server does not know. */
  readonly variables: ReadonlyMap<string, string>;
}

/** The variables that make up a server's identity. */
export const IDENTITY = ['server_uuid', 'server_uid', 'server_id', 'hostname', 'port'] as const;

const WANTED = [
  'version',
  ...IDENTITY,
  'gtid_mode',
  'log_bin',
  'binlog_format',
  'binlog_row_image',
  'binlog_row_metadata',
  'binlog_row_value_options',
  'lower_case_table_names',
  'binlog_expire_logs_seconds',
  'expire_logs_days',
  'binlog_expire_logs_auto_purge',
  'binlog_space_limit',
  'basedir',
  'max_binlog_total_size',
  'binlog_checksum',
  'binlog_transaction_compression',
  'log_bin_compress',
  'enforce_gtid_consistency',
  'gtid_strict_mode',
  'gtid_slave_pos',
  'sync_binlog',
  'innodb_flush_log_at_trx_commit',
  'innodb_native_foreign_keys',
  'log_slave_updates',
  'log_replica_updates',
  'max_allowed_packet',
  'net_write_timeout',
  'wait_timeout',
];

export async function readServerFacts(connection: Questions): Promise<ServerFacts> {
  const rows = await connection.query('SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)', [WANTED]);
  const values = new Map(rows.map((row) => [String(row['Variable_name']).toLowerCase(), row['Value'] ?? '']));
  const value = (name: string) => values.get(name) ?? '';
  const text = value('version');
  const family = /mariadb/i.test(text) ? 'mariadb' : 'mysql';
  const version = parseVersion(text);
  const grants = await grantsOf(connection);
  return {
    family,
    title: `${family === 'mariadb' ? 'MariaDB' : 'MySQL'} ${version.join('.')}`,
    version,
    identity: identityOf(values),
    gtidMode: family === 'mysql' && value('gtid_mode').startsWith('ON'),
    gtids: family === 'mariadb' || value('gtid_mode') === 'ON',
    logBin: value('log_bin') === 'ON',
    format: value('binlog_format') || 'ROW',
    rowImage: value('binlog_row_image') || 'FULL',
    rowMetadata: value('binlog_row_metadata'),
    serverId: Number(value('server_id')),
    lowerCaseTableNames: Number(value('lower_case_table_names')),
    retentionSeconds: retention(values),
    logStatus: family === 'mysql' && atLeast(version, [8, 0, 0]) && (await canReadLogStatus(connection)),
    lockingReads: grants.some((grant) =>
      /^GRANT (?:ALL PRIVILEGES|(?:[^`]*, )?(?:UPDATE|DELETE|LOCK TABLES)\b)/i.test(grant),
    ),
    account: await accountOf(connection),
    variables: values,
  };
}

/** Differs between servers, and stays over restarts: from the variables of IDENTITY. */
export function identityOf(values: ReadonlyMap<string, string>): string {
  const value = (name: (typeof IDENTITY)[number]) => values.get(name) ?? '';
  return value('server_uuid') || value('server_uid') || `${value('hostname')}:${value('port')}:${value('server_id')}`;
}

/** Digits only: `8.0.36-0ubuntu`, `10.11.6-MariaDB`, `5.5.5-10.11.6-MariaDB`, `8.0.mysql_aurora.3.05`. */
export function parseVersion(text: string): readonly [number, number, number] {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text.replace(/^5\.5\.5-(?=1\d\.)/, ''));
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0), Number(match?.[3] ?? 0)];
}

export function atLeast(version: readonly number[], wanted: readonly number[]): boolean {
  for (const [index, number] of wanted.entries()) {
    const have = version[index] ?? 0;
    if (have !== number) return have > number;
  }
  return true;
}

/** The statement's name changed: MySQL 8.2 brought the new one, 8.4 took the old one away; MariaDB keeps the old. */
export function logStatusStatement({ family, version }: Pick<ServerFacts, 'family' | 'version'>): string {
  return family === 'mysql' && atLeast(version, [8, 2, 0]) ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
}

/** Where the server's log ends; null when the server writes none. */
export async function readLogEnd(
  connection: Questions,
  facts: Pick<ServerFacts, 'family' | 'version'>,
): Promise<LogPosition | null> {
  const [row] = await connection.query(logStatusStatement(facts));
  return row === undefined ? null : { file: row['File'] ?? '', position: Number(row['Position']) };
}

function retention(values: ReadonlyMap<string, string>): number | null {
  const seconds = values.get('binlog_expire_logs_seconds');
  if (seconds !== undefined && Number(seconds) > 0) return Number(seconds);
  const days = values.get('expire_logs_days');
  if (days !== undefined) return Number(days) * 86400;
  return seconds === undefined ? null : 0;
}

async function canReadLogStatus(connection: Questions): Promise<boolean> {
  return connection.query('SELECT 1 FROM performance_schema.log_status').then(
    () => true,
    () => false,
  );
}

/** `repl@%`, of which the last @ is the border. */
async function accountOf(connection: Questions): Promise<string> {
  const [row] = await connection.query('SELECT CURRENT_USER() AS account');
  const text = row?.['account'] ?? '';
  const at = text.lastIndexOf('@');
  const quoted = (part: string) => `'${part.replaceAll("'", "''")}'`;
  return `${quoted(text.slice(0, at))}@${quoted(text.slice(at + 1))}`;
}

async function grantsOf(connection: Questions): Promise<string[]> {
  const rows = await connection.query('SHOW GRANTS').catch(() => []);
  return rows.flatMap((row) => Object.values(row).filter((text) => text !== null));
}
