import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupTracker } from './group-tracker.ts';
import { PassedGtids } from './offset/passed-gtids.ts';

const at = (position: number) => ({ file: 'binlog.000001', position });
const tracker = (text: string | null = '') =>
  new GroupTracker(at(4), new PassedGtids({ family: 'mysql', text, filesTell: true }));
const anonymous = { gtid: null, standalone: false, prepares: false, commitMicros: null, originMicros: null };

void test('a transaction ends with its commit, not with the statements inside it', () => {
  const group = tracker();
  group.begin({ ...anonymous, gtid: { source: 'u', number: 7n } }, 1);
  assert.equal(group.statement('BEGIN', 1, at(100)), false);
  assert.equal(group.rows(1), true);
  assert.equal(group.statement('SAVEPOINT `a`', 1, at(200)), false);
  assert.equal(group.statement('ROLLBACK TO `a`', 1, at(210)), false);
  assert.deepEqual([group.open, group.boundary, group.passed.whole], [true, at(4), '']);
  group.end(at(300));
  assert.deepEqual([group.open, group.boundary, group.passed.whole], [false, at(300), 'u:7']);
});

void test('a statement on its own is a group', () => {
  const group = tracker();
  group.begin(anonymous, 1);
  assert.equal(group.statement('ALTER TABLE t ADD c INT', 1, at(100)), true);
  assert.equal(group.statement('DROP TABLE t', 2, at(200)), true);
  assert.deepEqual([group.open, group.boundary], [false, at(200)]);
});

void test('MariaDB: a group whose GTID says standalone ends with its statement, any other with its commit', () => {
  const group = tracker();
  group.begin({ ...anonymous, standalone: true }, 1);
  assert.equal(group.statement('CREATE TABLE t (a INT)', 1, at(100)), true);
  group.begin(anonymous, 2);
  group.markExplicit();
  assert.equal(group.statement('INSERT INTO t VALUES (1)', 2, at(150)), false);
  assert.equal(group.statement('COMMIT', 2, at(200)), true);
  assert.deepEqual(group.boundary, at(200));
});

void test('after a resume inside a transaction, the row events delivered before are passed over once', () => {
  const group = tracker();
  group.skip(2);
  group.begin(anonymous, 1);
  assert.deepEqual([group.rows(1), group.rows(1), group.rows(1)], [false, false, true]);
  group.end(at(100));
  group.begin(anonymous, 2);
  assert.equal(group.rows(2), true);
});
