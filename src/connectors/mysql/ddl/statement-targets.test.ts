import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statementTargets } from './statement-targets.ts';

/** `db.table` of each target. */
function targets(sql: string, ansiQuotes = false): string {
  const found = statementTargets({ sql, database: 'd', ansiQuotes });
  if (found === null) return 'none';
  return found === 'unknown' ? 'unknown' : found.map(({ database, table }) => `${database}.${table}`).join(', ');
}

const READ: readonly (readonly [sql: string, targets: string])[] = [
  ["INSERT INTO t VALUES (1, 'UPDATE u SET x = 1')", 'd.t'],
  ['insert low_priority ignore t set a = 1', 'd.t'],
  ['INSERT INTO `other db`.`t``1` SELECT * FROM u', 'other db.t`1'],
  ['REPLACE DELAYED e.t (a) VALUES (1)', 'e.t'],
  ['/* one */ -- two\n # three\n INSERT /* four */ INTO t VALUES (1)', 'd.t'],
  ['/*!40000 INSERT INTO t VALUES (1) */', 'd.t'],
  ['/*M!100000 INSERT INTO t VALUES (1) */', 'd.t'],
  [`INSERT INTO t VALUES ${Array.from({ length: 9000 }, (_, n) => `(${n}, 'it''s')`).join()}`, 'd.t'],
  [`INSERT INTO ${' '.repeat(480)} a_name_that_the_first_part_cuts VALUES (1)`, 'd.a_name_that_the_first_part_cuts'],
  ["LOAD DATA LOCAL INFILE 'into table x' REPLACE INTO TABLE e.t FIELDS TERMINATED BY ','", 'e.t'],
  ["LOAD XML INFILE 'f' INTO TABLE t", 'd.t'],
  ['UPDATE t SET a = (SELECT MAX(b) FROM u), c = 1 WHERE a IN (SELECT 1)', 'd.t'],
  ['UPDATE LOW_PRIORITY IGNORE e.t AS x SET x.a = 1', 'e.t'],
  ['UPDATE t, u SET t.a = u.b', 'd.t'],
  ['UPDATE t x JOIN u y ON x.id = y.id AND (y.a > 1) SET y.a = x.a, y.b = 2 WHERE x.id = 1', 'd.u, d.u'],
  ['UPDATE t LEFT JOIN (u, e.v) ON t.a = u.a SET v.a = 1, t.b = f(1, 2)', 'e.v, d.t'],
  ['UPDATE t JOIN u USING (id) SET a = 1', 'd.t, d.u'],
  ['UPDATE t JOIN (SELECT * FROM u) y ON t.a = y.a SET t.a = 1', 'd.t'],
  ['UPDATE t PARTITION (p0) USE INDEX (i) SET a = 1', 'd.t'],
  ["UPDATE t, JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) j SET t.a = j.a", 'd.t'],
  ['WITH c AS (SELECT * FROM v), e (x) AS (SELECT 1) UPDATE t JOIN c ON c.a = t.a SET b = 1', 'd.t'],
  ['WITH RECURSIVE c AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM c)', 'd.t'],
  ['DELETE FROM t', 'd.t'],
  ['DELETE QUICK FROM e.t WHERE a = 1 ORDER BY a LIMIT 3', 'e.t'],
  ['DELETE x FROM t AS x JOIN u ON x.a = u.a', 'd.t'],
  ['DELETE t.*, y FROM t, e.u AS y WHERE t.a = y.a', 'd.t, e.u'],
  ['DELETE FROM x, e.u USING t x, e.u WHERE x.a = u.a', 'd.t, e.u'],
  ['CREATE TABLE IF NOT EXISTS t (a INT) SELECT 1 AS a', 'd.t'],
  ['CREATE OR REPLACE TABLE t AS (SELECT 1 AS a)', 'd.t'],
  ['SELECT `e`.`f`()', 'unknown'],
  ['DO f(1)', 'unknown'],
  ["INSERT INTO t VALUES ('without an end", 'unknown'],
  ['UPDATE t JOIN u', 'unknown'],
  ['INSERT INTO t\ufffd VALUES (1)', 'unknown'],
  ["CREATE TABLE t (a INT COMMENT 'SELECT')", 'none'],
  ['CREATE TEMPORARY TABLE t SELECT 1', 'none'],
  ['CREATE VIEW v AS SELECT 1', 'none'],
  ['CREATE PROCEDURE p() BEGIN SELECT 1; INSERT INTO t VALUES (1); END', 'none'],
  ['BEGIN', 'none'],
  ['GRANT SELECT ON *.* TO u', 'none'],
  ['SAVEPOINT `insert`', 'none'],
];

void describe('the tables that a logged statement changes', () => {
  for (const [sql, expected] of READ)
    void it(`are read from ${sql.slice(0, 70)}`, () => {
      assert.equal(targets(sql), expected);
    });

  void it('are read by the quotes of the session', () => {
    assert.equal(targets('INSERT INTO "t" VALUES ("a")', true), 'd.t');
    assert.equal(targets('INSERT INTO "t" VALUES ("a")'), 'unknown');
  });

  void it('are read in time from a statement behind many comments', () => {
    const started = performance.now();
    assert.equal(targets(`${'/* a */ '.repeat(20_000)}GRANT SELECT ON *.* TO u`), 'none');
    assert.ok(performance.now() - started < 1000);
  });
});
