import type { Finding } from '../../../pipeline/connector.ts';
import type { MysqlSettings } from '../options.ts';
import { atLeast, type ServerFacts } from '../server-facts.ts';
import { fine, inConfiguration, problem, setStatement, warning } from './finding.ts';

const HOUR = 3600;
/** What the vendor asks for: 72 hours. Below that a warning, below one hour a refusal. */
const RETENTION_WANTED = 72 * HOUR;

type Check = (facts: ServerFacts) => Finding | null;

/** Everything that the server's own settings say of its log, each setting once, the necessary ones first. */
export function checkSettings(facts: ServerFacts): Finding[] {
  return CHECKS.flatMap((check) => check(facts) ?? []);
}

const CHECKS: readonly Check[] = [
  (facts) =>
    facts.logBin
      ? fine('log_bin', 'log_bin is ON')
      : problem('MySQL.LogOff', 'log_bin', {
          found: `${facts.title} writes no binary log (log_bin is OFF)`,
          consequence: 'there is nothing to read changes from',
          remedy: `Stop the server, ${inConfiguration('log_bin = binlog')}, and start it again.`,
        }),
  (facts) =>
    facts.serverId !== 0
      ? fine('server_id', `server_id is ${facts.serverId}`)
      : problem('MySQL.ServerId', 'server_id', {
          found: 'server_id is 0',
          consequence: 'the server sends its log to nobody',
          remedy: setStatement(facts, 'server_id = 1'),
        }),
  (facts) =>
    facts.format === 'ROW'
      ? fine('binlog_format', 'binlog_format is ROW')
      : problem('MySQL.BinlogFormat', 'binlog_format', {
          found: `binlog_format is ${facts.format}`,
          consequence: 'the log holds statements, and not the rows that they changed',
          remedy: `${setStatement(facts, 'binlog_format = ROW')} Then reconnect the writers: sessions keep the former one.`,
        }),
  (facts) =>
    facts.rowImage === 'FULL'
      ? fine('binlog_row_image', 'binlog_row_image is FULL')
      : problem('MySQL.RowImage', 'binlog_row_image', {
          found: `binlog_row_image is ${facts.rowImage}`,
          consequence: 'the log leaves out columns that were not changed',
          remedy: `${setStatement(facts, 'binlog_row_image = FULL')} Then reconnect the writers: sessions keep the former one.`,
        }),
  checkMetadata,
  checkGtid,
  checkRetention,
  checkRetentionBytes,
  checkManaged,
  ({ variables, ...facts }) =>
    variables.get('binlog_checksum') !== 'NONE'
      ? fine('binlog_checksum', `binlog_checksum is ${variables.get('binlog_checksum')}`)
      : warning('binlog_checksum', {
          found: 'binlog_checksum is NONE',
          consequence: 'an event that was damaged on a disk or on its way may go unnoticed',
          remedy: setStatement(facts, 'binlog_checksum = CRC32'),
        }),
  durability(
    'sync_binlog',
    'a crash of its machine may take back changes that were delivered already; the task then stops with MySQL.HistoryChanged',
  ),
  durability(
    'innodb_flush_log_at_trx_commit',
    'a crash of its machine may take back rows of which the log, and so the target, still has the change',
  ),
  ({ variables }) =>
    variables.get('binlog_row_value_options') === 'PARTIAL_JSON'
      ? fine('binlog_row_value_options', 'binlog_row_value_options is PARTIAL_JSON', 'JSON is put together again')
      : null,
  ({ variables }) => {
    const name = variables.has('log_bin_compress') ? 'log_bin_compress' : 'binlog_transaction_compression';
    return variables.get(name) === 'ON' ? fine(name, `${name} is ON`, 'it is unpacked here') : null;
  },
  ({ variables }) =>
    fine('max_allowed_packet', `max_allowed_packet is ${variables.get('max_allowed_packet')}`, 'no row is longer'),
  ({ variables }) =>
    fine(
      'net_write_timeout',
      `net_write_timeout is ${variables.get('net_write_timeout')} s, wait_timeout ${variables.get('wait_timeout')} s`,
      'our sessions take a day, as a target may be down for long',
    ),
  () => fine('time_zone', 'our sessions are at +00:00', 'the time zone tables are not needed'),
];

function checkMetadata(facts: ServerFacts): Finding {
  const { rowMetadata, family, version } = facts;
  if (rowMetadata === 'FULL') return fine('binlog_row_metadata', 'binlog_row_metadata is FULL');
  const consequence = 'a change of a table’s columns is checked against the server, and stops the table in doubt';
  return rowMetadata === ''
    ? warning('binlog_row_metadata', {
        found: `${facts.title} has no binlog_row_metadata, so that its log does not name columns`,
        consequence,
        remedy: `It comes with ${family === 'mariadb' ? 'MariaDB 10.5' : 'MySQL 8.0'}.`,
      })
    : warning('binlog_row_metadata', {
        found: `binlog_row_metadata is ${rowMetadata}, and not FULL`,
        consequence,
        remedy: setStatement({ family, version }, 'binlog_row_metadata = FULL'),
      });
}

function checkGtid(facts: ServerFacts): Finding {
  const { variables, family, version } = facts;
  if (family === 'mariadb') {
    return variables.get('gtid_strict_mode') === 'ON'
      ? fine('gtid_strict_mode', 'gtid_strict_mode is ON')
      : warning('gtid_strict_mode', {
          found: 'gtid_strict_mode is OFF',
          consequence:
            'a server may log transactions out of order, so that going on at another one cannot be proven right',
          remedy: setStatement(facts, 'gtid_strict_mode = ON'),
        });
  }
  const mode = variables.get('gtid_mode') ?? 'OFF';
  if (mode === 'ON') return fine('gtid_mode', 'gtid_mode is ON');
  const steps = ['enforce_gtid_consistency = ON', ...modesUpTo(mode).map((next) => `gtid_mode = ${next}`)];
  return warning('gtid_mode', {
    found: `gtid_mode is ${mode}`,
    consequence: 'the task can go on at this server only, and not at a replica of it',
    remedy: atLeast(version, [5, 7, 6])
      ? `${steps.map((step) => setStatement({ family, version }, step)).join(' ')} One after the other, once no transaction of the former kind runs.`
      : `Stop the server, ${inConfiguration('gtid_mode = ON, enforce_gtid_consistency = ON, log_slave_updates = ON')}, and start it again.`,
  });
}

function modesUpTo(mode: string): string[] {
  const modes = ['OFF', 'OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON'];
  return modes.slice(modes.indexOf(mode) + 1);
}

function checkRetention(facts: ServerFacts): Finding {
  const { retentionSeconds: seconds, variables } = facts;
  const about = variables.has('binlog_expire_logs_seconds') ? 'binlog_expire_logs_seconds' : 'expire_logs_days';
  if (seconds === null || seconds === 0 || variables.get('binlog_expire_logs_auto_purge') === 'OFF')
    return fine(about, 'the binary log is kept until it is purged by hand');
  const remedy = setStatement(facts, about === 'expire_logs_days' ? `${about} = 3` : `${about} = ${RETENTION_WANTED}`);
  if (seconds < HOUR)
    return problem('MySQL.Retention', about, {
      found: `the binary log is kept for ${seconds} s only`,
      consequence: 'a short stop of the task, or a load, could not be caught up',
      remedy,
    });
  const hours = `the binary log is kept for ${Math.floor(seconds / HOUR)} hours`;
  return seconds < RETENTION_WANTED
    ? warning(about, { found: hours, consequence: 'a longer stop of the task cannot be caught up', remedy })
    : fine(about, hours);
}

/** MariaDB 11.4 and Percona's servers can also bound all files together. */
function checkRetentionBytes(facts: ServerFacts): Finding | null {
  for (const about of ['max_binlog_total_size', 'binlog_space_limit']) {
    const bytes = Number(facts.variables.get(about) ?? 0);
    if (bytes === 0) continue;
    return warning(about, {
      found: `${about} is ${bytes}`,
      consequence: 'the oldest log is removed once all of it is longer, whoever still needs it',
      remedy: setStatement(facts, `${about} = 0`),
    });
  }
  return null;
}

/** Amazon RDS and Aurora remove the log as soon as no replica of theirs needs it, whatever the setting says. */
function checkManaged({ variables }: ServerFacts): Finding | null {
  if (!variables.get('basedir')?.startsWith('/rdsdbbin')) return null;
  return warning('rds_configuration', {
    found: 'the server is run by Amazon RDS or Aurora',
    consequence:
      'it removes its log as soon as it can, unless it was told how long to keep it, which cannot be seen from here',
    remedy: "CALL mysql.rds_set_configuration('binlog retention hours', 72);",
  });
}

function durability(name: string, consequence: string): Check {
  return (facts) => {
    const value = facts.variables.get(name);
    if (value === undefined) return null;
    if (value === '1') return fine(name, `${name} is 1`);
    return warning(name, { found: `${name} is ${value}`, consequence, remedy: setStatement(facts, `${name} = 1`) });
  };
}

/** What lies between us and the server. */
export function checkEncryption({ host, ssl }: MysqlSettings): Finding {
  const about = 'ssl';
  const isNear = host === 'localhost' || host === '::1' || host.startsWith('127.');
  switch (ssl.mode) {
    case 'disabled':
      if (isNear) return fine(about, 'the connection is not encrypted', 'it does not leave the machine');
      return warning(about, {
        found: 'the connection is not encrypted',
        consequence: 'whoever is on the way can read the rows, and change them',
        remedy: 'Give the data source "ssl": {"mode": "verify-identity", "ca": "…PEM…"}.',
      });
    case 'required':
      return warning(about, {
        found: 'the connection is encrypted, and the server unproven',
        consequence: 'whoever is on the way can stand in for the server',
        remedy: 'Give the data source "ssl": {"mode": "verify-identity", "ca": "…PEM…"}.',
      });
    case 'verify-ca':
    case 'verify-identity':
      return fine(about, `the connection is encrypted, and the server proven (${ssl.mode})`);
  }
}
