import { randomInt } from 'node:crypto';
import { messageOf } from '../../../lib/errors.ts';
import { withOpen } from '../../../lib/with-open.ts';
import type { Finding } from '../../../pipeline/connector.ts';
import { connectRaw, type Questions, type Row } from '../connect.ts';
import { isDenied, toPipelineError } from '../errors.ts';
import { type LoadMethod, loadMethod } from '../load/load-method.ts';
import type { MysqlSettings } from '../options.ts';
import type { LogPosition } from '../offset/position.ts';
import { atLeast, logStatusStatement, readLogEnd, type ServerFacts } from '../server-facts.ts';
import { fine, grantStatement, problem, warning } from './finding.ts';

/** ER_XAER_RMERR: what MySQL answers without XA_RECOVER_ADMIN. */
const NO_RECOVER_RIGHT = 1401;

/** Whether the account sees where the log ends; and what the server leaves out of it, which it says there. */
export async function checkStatusRight(
  connection: Questions,
  facts: ServerFacts,
  databases: readonly string[],
): Promise<Finding[]> {
  const { family, version } = facts;
  const right = family === 'mariadb' && atLeast(version, [10, 5, 2]) ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
  try {
    const [status] = await connection.query(logStatusStatement(facts));
    await connection.query('SHOW BINARY LOGS');
    return [fine(right, `the account has ${right}`), ...checkFilters(status, databases)];
  } catch (error) {
    if (!isDenied(error)) throw error; // an outage is no missing right
    return [
      problem('MySQL.Denied', right, {
        found: `the account has no ${right} (${messageOf(error)})`,
        consequence: 'it cannot see which logs there are, and where the last one ends',
        remedy: grantStatement(facts, right),
      }),
    ];
  }
}

/** With rows in the log, the database of the table decides. */
function checkFilters(status: Row | undefined, databases: readonly string[]): Finding[] {
  const names = (column: string) => (status?.[column] ?? '').split(',').filter((name) => name !== '');
  const only = names('Binlog_Do_DB');
  const without = names('Binlog_Ignore_DB');
  const about = only.length > 0 ? 'binlog_do_db' : 'binlog_ignore_db';
  if (only.length === 0 && without.length === 0) return [];
  const found =
    only.length > 0
      ? `the log holds only changes of ${only.join(', ')} (binlog_do_db)`
      : `the log leaves out changes of ${without.join(', ')} (binlog_ignore_db)`;
  const lost = databases.filter((name) => (only.length > 0 ? !only.includes(name) : without.includes(name)));
  const remedy = `Take ${about} out of the server's configuration, and restart it.`;
  if (lost.length > 0)
    return [
      problem('MySQL.LogFiltered', about, {
        found,
        consequence: `changes of ${lost.join(', ')} would be missed`,
        remedy,
      }),
    ];
  return [warning(about, { found, consequence: 'tables of other databases would stay as they were loaded', remedy })];
}

/** Whether changes that the server has from another one are in its log. */
export async function checkReplica(connection: Questions, facts: ServerFacts): Promise<Finding> {
  const { family, version, variables } = facts;
  const name = variables.has('log_replica_updates') ? 'log_replica_updates' : 'log_slave_updates';
  if (variables.get(name) !== 'OFF') return fine(name, `${name} is ${variables.get(name) ?? 'not needed'}`);
  const trouble = {
    consequence: 'what it has from its primary is not in its log, and would be missed',
    remedy: `Read from the primary; or stop the server, write ${name} = ON under [mysqld] in its configuration, and start it again.`,
  };
  const newWords = family === 'mysql' && atLeast(version, [8, 0, 22]);
  try {
    const sources = await connection.query(
      family === 'mariadb' ? 'SHOW ALL SLAVES STATUS' : `SHOW ${newWords ? 'REPLICA' : 'SLAVE'} STATUS`,
    );
    if (sources.length === 0) return fine(name, `${name} is OFF`, 'the server is no replica');
    return problem('MySQL.ReplicaLog', name, { found: `the server is a replica, and ${name} is OFF`, ...trouble });
  } catch (error) {
    if (!isDenied(error)) throw error;
    // MariaDB remembers what it ever had from another server of its kind.
    if (variables.get('gtid_slave_pos') === '') return fine(name, `${name} is OFF`, 'the server never was a replica');
    return warning(name, {
      found: `${name} is OFF, and the account may not see whether the server is a replica`,
      consequence: `if it is one, ${trouble.consequence}`,
      remedy: `${grantStatement(facts, family === 'mariadb' ? 'REPLICA MONITOR' : 'REPLICATION CLIENT')} ${trouble.remedy}`,
    });
  }
}

/** No server has such a file: one that looks for it has found that the account may. */
const NOWHERE = { file: 'none.000000', position: 4 };

async function logEndIfSeen(connection: Questions, facts: ServerFacts): Promise<LogPosition | null> {
  try {
    return await readLogEnd(connection, facts);
  } catch (error) {
    if (isDenied(error)) return null;
    throw error;
  }
}

/** Asks for the end of the log without waiting there: the server says at once if the account may not read it. */
export async function checkDumpRight(
  connection: Questions,
  settings: MysqlSettings,
  facts: ServerFacts,
  signal: AbortSignal,
): Promise<Finding> {
  const right = 'REPLICATION SLAVE';
  const open = () => connectRaw(settings);
  try {
    await withOpen({ open, close: (raw) => raw.close(), signal }, async (raw) => {
      const end = (await logEndIfSeen(connection, facts)) ?? NOWHERE;
      await raw.probeDump(end.file, end.position, randomInt(2 ** 30, 2 ** 31));
    });
    return fine(right, `the account has ${right}`);
  } catch (error) {
    const { code, message } = toPipelineError(error, 'reading the binary log');
    if (code === 'MySQL.BinlogUnreadable') return fine(right, `the account has ${right}`);
    if (code !== 'MySQL.Denied') throw error;
    return problem(code, right, {
      found: `the account has no ${right} (${message})`,
      consequence: 'the server does not send it the log',
      remedy: grantStatement(facts, right),
    });
  }
}

const METHODS: Readonly<Record<LoadMethod, string>> = {
  snapshot: 'consistent snapshots',
  gtid: 'gtid_executed',
  'log-status': 'performance_schema.log_status',
  lock: 'locking reads, which wait for writers of the same rows, and writers for them',
};

/** Whether there is a way to tell what a SELECT shows (load-method.ts). */
export function checkLoad(facts: ServerFacts): Finding {
  const method = loadMethod(facts);
  if (method !== null) return fine('load', `existing rows are loaded by ${METHODS[method]}`);
  return problem('MySQL.NoSafeLoad', 'load', {
    found: `${facts.title} without GTID gives an account with SELECT alone no way to tell what a SELECT shows`,
    consequence: 'a loaded row could be older than a change that was delivered before',
    remedy: `${
      atLeast(facts.version, [8, 0, 0]) ? grantStatement(facts, 'BACKUP_ADMIN') : grantStatement(facts, 'LOCK TABLES')
    } Or switch gtid_mode on, or set setting.initialLoad to 'none'.`,
  });
}

/** Prepared XA transactions can be waited for at a first start only where the account sees them. */
export async function checkXaRight(connection: Questions, facts: ServerFacts): Promise<Finding> {
  const right = 'XA_RECOVER_ADMIN';
  try {
    await connection.query('XA RECOVER');
    return fine('XA RECOVER', 'the account sees prepared XA transactions');
  } catch (error) {
    if (!isDenied(error) && (error as { errno?: number }).errno !== NO_RECOVER_RIGHT) throw error;
    return warning(right, {
      found: `the account has no ${right}`,
      consequence:
        'XA transactions that are prepared at a first start are not waited for: their commit stops the task with MySQL.XaUnknown',
      remedy: `${grantStatement(facts, right)} Not needed where nobody uses XA.`,
    });
  }
}
