import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../../lib/log.ts';
import { LoggedStatements } from './logged-statements.ts';

/** Follows a statement some times while no table is captured; what was told. */
function followed(sql: string, times: number): [facts: object, event: string][] {
  const told: [facts: object, event: string][] = [];
  const statements = new LoggedStatements({
    log: { ...silentLog, warn: (facts, event) => void told.push([facts, event]) },
    tables: new Map(),
    lowerCaseNames: false,
    fail: () => assert.fail('no table is captured'),
  });
  for (let position = 1; position <= times; position += 1)
    statements.follow({ sql, database: 'd', ansiQuotes: false }, { file: 'binlog.000001', position }, []);
  return told;
}

void describe('changes that are logged as statements', () => {
  void it('are counted: the first, the tenth and the hundredth are told, without their text', () => {
    const event =
      'changes of tables that are not captured are in the log as statements: what their triggers did to captured ones is not seen';
    assert.deepEqual(followed("INSERT INTO t VALUES ('secret')", 120), [
      [{ statements: 1, position: 'binlog.000001:1' }, event],
      [{ statements: 10, position: 'binlog.000001:10' }, event],
      [{ statements: 100, position: 'binlog.000001:100' }, event],
    ]);
  });

  void it('are nobody’s business where a managed server writes its heartbeats (D25)', () => {
    assert.deepEqual(followed('INSERT INTO mysql.rds_heartbeat2 (id, value) VALUES (1, 2)', 120), []);
  });
});
