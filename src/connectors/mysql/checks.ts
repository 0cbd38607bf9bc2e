import type { Problem } from '../../pipeline/connector.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Questions } from './connect.ts';
import { isDenied } from './errors.ts';
import { loadMethod } from './load-method.ts';
import { readLogEnd, type ServerFacts } from './server-facts.ts';

const HOUR = 3600;
/** What the vendor asks for: 72 hours. Below that a warning, below one hour a refusal. */
const RETENTION_WANTED = 72 * HOUR;

export interface ServerCheck {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** All that must hold of a server before its log can be read, one clear problem each. */
export async function checkServer(connection: Questions, facts: ServerFacts, load: boolean): Promise<ServerCheck> {
  const problems: Problem[] = [];
  const add = (code: string, message: string, remedy: string) => problems.push({ code, message, remedy });
  if (!facts.logBin)
    add('MySQL.LogOff', `${facts.title} writes no binary log (log_bin is OFF)`, 'Start the server with --log-bin.');
  if (facts.format !== 'ROW')
    add(
      'MySQL.BinlogFormat',
      `binlog_format is ${facts.format}`,
      'SET GLOBAL binlog_format = ROW, and reconnect the writers.',
    );
  if (facts.rowImage !== 'FULL')
    add(
      'MySQL.RowImage',
      `binlog_row_image is ${facts.rowImage}`,
      'SET GLOBAL binlog_row_image = FULL, and reconnect the writers.',
    );
  if (facts.serverId === 0)
    add('MySQL.ServerId', 'server_id is 0', 'Give the server a server_id that is not 0: without one it sends no log.');
  if (facts.logBin) await checkStatusRight(connection, facts, add);
  const retention = facts.retentionSeconds;
  if (retention !== null && retention > 0 && retention < HOUR) {
    add(
      'MySQL.Retention',
      `the binary log is kept for ${retention} s only`,
      `SET GLOBAL binlog_expire_logs_seconds = ${RETENTION_WANTED}.`,
    );
  }
  if (load && loadMethod(facts) === null) {
    add(
      'MySQL.NoSafeLoad',
      `${facts.title} without GTID gives an account with SELECT alone no way to tell what a SELECT shows`,
      "Switch gtid_mode on, or grant the account LOCK TABLES, or set setting.initialLoad to 'none'.",
    );
  }
  return { problems, warnings: warnings(facts) };
}

async function checkStatusRight(
  connection: Questions,
  facts: ServerFacts,
  add: (code: string, message: string, remedy: string) => void,
): Promise<void> {
  try {
    await readLogEnd(connection, facts);
  } catch (error) {
    if (!isDenied(error)) throw error; // an outage is no missing right
    const right = facts.family === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
    add(
      'MySQL.Denied',
      `the account cannot see where the log ends: ${messageOf(error)}`,
      `GRANT ${right} ON *.* to the account of the data source.`,
    );
  }
}

function warnings(facts: ServerFacts): string[] {
  const found: string[] = [];
  const retention = facts.retentionSeconds;
  if (retention !== null && retention >= HOUR && retention < RETENTION_WANTED) {
    found.push(
      `the binary log is kept for ${Math.floor(retention / HOUR)} hours: a longer stop of the task cannot be caught up`,
    );
  }
  if (facts.rowMetadata !== 'FULL') {
    found.push(
      'binlog_row_metadata is not FULL: a change of a table’s columns is checked against the server, and stops the table in doubt',
    );
  }
  return found;
}
