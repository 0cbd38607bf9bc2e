import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CatchUp } from './catch-up.ts';

const at = (position: number) => ({ file: 'binlog.000007', position });
const id = (text: string) => {
  const [, source = '', number = ''] = /^(.+)[:-](\d+)$/.exec(text) ?? [];
  return { gtid: { source, number: BigInt(number) }, originMicros: 7 };
};
const U = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

void test('MySQL: a transaction was passed when it is in the set, wherever it lies in the log', () => {
  const catchUp = new CatchUp({ family: 'mysql', passed: `${U}:1-5:8`, last: null, before: '', until: at(900) });
  const passed = (text: string) => catchUp.wasPassed(id(text), at(4));
  assert.deepEqual([`${U}:6`, `${U}:8`, `${U}:5`, `${U}:9`, `${U}:tag:1`].map(passed), [
    false,
    true,
    true,
    false,
    false,
  ]);
  assert.equal(catchUp.isOver(at(899)), false);
  assert.equal(catchUp.isOver(at(900)), true);
  assert.throws(
    () => catchUp.wasPassed({ gtid: null, originMicros: null }, at(77)),
    /the transaction at binlog\.000007:77 has no id/,
  );
});

void test('MySQL: an id that was used twice is found out by when its transaction was committed first', () => {
  const log = (originMicros: number) => {
    const last = { gtid: `${U}:5`, originMicros };
    return new CatchUp({ family: 'mysql', passed: `${U}:1-5`, last, before: '', until: at(900) });
  };
  assert.equal(log(7).wasPassed(id(`${U}:5`), at(4)), true);
  assert.equal(log(8).wasPassed(id(`${U}:4`), at(4)), true);
  assert.throws(
    () => log(8).wasPassed(id(`${U}:5`), at(4)),
    /its \S+:5 is another transaction than the one that was passed/,
  );
});

void test('MariaDB: a domain was passed up to its last transaction and with it, whatever their numbers; a new domain was not', () => {
  const catchUp = new CatchUp({
    family: 'mariadb',
    passed: '0-1-100,1-1-5,2-1-9',
    last: null,
    before: '0-1-90,2-1-9',
    until: at(900),
  });
  const passed = (text: string) => catchUp.wasPassed(id(text), at(4));
  const log = ['0-1-99', '0-2-101', '7-1-1', '0-1-100', '0-2-101', '1-1-5', '1-1-6', '2-1-10'];
  assert.deepEqual(log.map(passed), [true, true, false, true, false, true, false, false]);
  assert.equal(catchUp.isOver(at(900)), true);
});

void test('MariaDB: a log that ends without what was passed is another history', () => {
  const catchUp = new CatchUp({ family: 'mariadb', passed: '0-1-100', last: null, before: '', until: at(900) });
  assert.equal(catchUp.wasPassed(id('0-2-100'), at(4)), true);
  assert.throws(() => catchUp.isOver(at(900)), /the log up to binlog\.000007:900 is without 0-1-100, which was passed/);
});
