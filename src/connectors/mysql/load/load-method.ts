import { atLeast, type ServerFacts } from '../server-facts.ts';

/**
 * How a load makes sure that the storage engine shows all that our reader has passed, before a chunk is selected
 * (a binary log position is no safe low mark: the log runs ahead of what a SELECT sees).
 * `snapshot`   MariaDB: a consistent snapshot that tells its own log position
 * `gtid`       MySQL with GTID: gtid_executed holds what we passed
 * `log-status` MySQL 8: performance_schema.log_status is at or behind what the engine shows
 * `lock`       a locking read, which waits for transactions that are in the log but not yet shown
 */
export type LoadMethod = 'snapshot' | 'gtid' | 'log-status' | 'lock';

/** Null where none is possible: the load is refused at planning. */
export function loadMethod(facts: ServerFacts): LoadMethod | null {
  if (facts.family === 'mariadb') return 'snapshot';
  if (facts.gtidMode) return 'gtid';
  if (facts.logStatus) return 'log-status';
  if (atLeast(facts.version, [8, 0, 22]) || facts.lockingReads) return 'lock';
  return null;
}
