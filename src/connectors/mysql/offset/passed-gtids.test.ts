import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PassedGtids } from './passed-gtids.ts';

const U = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

void test('a checkpoint without ids gets them from the next file, with those that no file holds', () => {
  const passed = new PassedGtids({ family: 'mysql', text: null, purged: `${U}:1-3`, filesTell: true });
  passed.add({ gtid: { source: U, number: 9n }, originMicros: null });
  assert.deepEqual([passed.known, passed.whole], [`${U}:9`, null]);
  passed.fileBegins(`${U}:5-9`);
  assert.equal(passed.whole, `${U}:1-3:5-9`);
});

void test('a file adds what the server executed without logging it', () => {
  const passed = new PassedGtids({ family: 'mysql', text: `${U}:1-3`, filesTell: true });
  passed.fileBegins(`${U}:1-3:7`);
  assert.equal(passed.whole, `${U}:1-3:7`);
});

void test('ids do not tell what was passed after a transaction without one, or where transactions have none', () => {
  const passed = new PassedGtids({ family: 'mysql', text: `${U}:1`, filesTell: true });
  passed.add(null);
  assert.equal(passed.whole, null);
  const off = new PassedGtids({ family: 'mysql', text: null, filesTell: false });
  off.fileBegins('');
  assert.equal(off.whole, null);
});

void test('MariaDB: a position moves with the log, and a file tells it only where it is not known', () => {
  const passed = new PassedGtids({ family: 'mariadb', text: null, filesTell: true });
  passed.fileBegins('0-2-3,0-1-7');
  assert.equal(passed.whole, '0-1-7');
  passed.add({ gtid: { source: '0-2', number: 8n }, originMicros: null });
  passed.fileBegins('0-1-7,0-2-8,1-1-1');
  assert.equal(passed.whole, '0-2-8');
});
