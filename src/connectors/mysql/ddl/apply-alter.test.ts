import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyAlter } from './apply-alter.ts';
import { readDdl } from './statement.ts';

/** A table whose one column `b` is a TINYBLOB: BLOB codes in the log carry the number of their length bytes. */
const blob = applyAlter({ columns: [], family: 'mysql', charset: 'latin1' }, actionsOf('ALTER TABLE t ADD b TINYBLOB'));

function actionsOf(sql: string) {
  const statement = readDdl(sql, 'd');
  if (statement?.kind !== 'alter' || statement.actions === null) throw new Error('not an ALTER');
  return statement.actions;
}

function columnsAfter(sql: string) {
  const shape = { columns: blob?.columns ?? [], family: 'mysql', charset: 'latin1' } as const;
  return applyAlter(shape, actionsOf(sql))?.columns.map(({ column, log }) => [column.name, log.meta]) ?? null;
}

void test('leaves to the server what becomes of a blob that is changed where texts are converted', () => {
  assert.deepEqual(columnsAfter('ALTER TABLE t CHANGE b c MEDIUMBLOB'), [['c', 3]]);
  assert.deepEqual(columnsAfter('ALTER TABLE t CONVERT TO CHARACTER SET utf16'), [['b', 1]]);
  assert.deepEqual(columnsAfter('ALTER TABLE t CONVERT TO CHARACTER SET utf16, CHANGE b c INT'), [['c', 0]]);
  assert.equal(columnsAfter('ALTER TABLE t CONVERT TO CHARACTER SET utf16, CHANGE b c MEDIUMBLOB'), null);
});
