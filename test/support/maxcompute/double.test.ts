import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseColumnType } from '../../../src/connectors/maxcompute/protocol/column-type.ts';
import type { RowValue } from '../../../src/connectors/maxcompute/protocol/row-value.ts';
import { type Credential, signatureHeaders } from '../../../src/connectors/maxcompute/protocol/sign-request.ts';
import { whyNot } from './check-value.ts';
import { MaxComputeDouble } from './double.ts';
import { DOCUMENTED_LIMITS, Pace } from './limits.ts';
import { checkPartition } from './partitions.ts';
import { DoubleTable } from './tables.ts';

void test('the double takes what a column of the service takes, and nothing beyond', () => {
  const takes = (type: string, ...values: readonly RowValue[]) =>
    values.map((value) => whyNot(parseColumnType(type), value) === null);
  assert.deepEqual(takes('tinyint', 127n, -128n, 128n, null), [true, true, false, true]);
  assert.deepEqual(takes('int', 2n ** 31n - 1n, 2n ** 31n), [true, false]);
  assert.deepEqual(takes('bigint', 2n ** 63n - 1n, -(2n ** 63n) + 1n, -(2n ** 63n)), [true, true, false]);
  assert.deepEqual(takes('decimal(4,2)', '-99.99', '0099.990', '100', '1.001', 'x'), [true, true, false, false, false]);
  assert.deepEqual(takes('varchar(2)', '中𝄞', 'abc'), [true, false]);
  assert.deepEqual(takes('string', 'x'.repeat(8 * 2 ** 20), `${'x'.repeat(8 * 2 ** 20)}x`), [true, false]);
  assert.deepEqual(takes('date', 2_932_896n, 2_932_897n, -719_528n, -719_529n), [true, false, true, false]);
  assert.deepEqual(takes('datetime', 253_402_300_799_999n, 253_402_300_800_000n), [true, false]);
  assert.deepEqual(takes('array<tinyint>', [1n, null], [128n]), [true, false]);
  assert.deepEqual(takes('map<string,tinyint>', [['a', 1n]], [['a', 128n]]), [true, false]);
  assert.deepEqual(takes('struct<a:tinyint>', [1n], [128n]), [true, false]);
});

void test('the documented limits refuse what comes too often to one table, and let it pass later', () => {
  let now = 0;
  const pace = new Pace(() => now);
  pace.limits = DOCUMENTED_LIMITS;
  const [users, orders] = [{}, {}];
  pace.take('upsertsCommitted', users, 'pt=1');
  pace.take('upsertsCommitted', users, 'pt=2');
  pace.take('upsertsCommitted', orders, 'pt=1');
  assert.throws(() => pace.take('upsertsCommitted', users, 'pt=1'), { status: 429 });
  now = 60_000;
  pace.take('upsertsCommitted', users, 'pt=1');
  for (let begun = 0; begun < 500; begun += 1) pace.take('uploadsBegun', users);
  assert.throws(() => pace.take('uploadsBegun', users), { status: 429 });
});

void test('partitions that the service does not take are refused with its code', () => {
  const table = new DoubleTable('t', { columns: [], partitionColumns: ['pt'] });
  checkPartition(table, 'pt=20240101');
  for (const value of ['', '中', 'x'.repeat(256), "a'b"])
    assert.throws(() => checkPartition(table, `pt=${value}`), /ODPS-0123031/);
  for (let index = 0; index < 60_000; index += 1) table.partitions.set(`pt=${index}`, []);
  assert.throws(() => checkPartition(table, 'pt=one-more'), /60000/);
  checkPartition(table, 'pt=7');
});

void test('who signs with another key, another version of a wrong key, or for another time is refused', async () => {
  const double = await MaxComputeDouble.start({ accessId: 'id', accessKey: 'key', securityToken: 'token' });
  double.catalog.addProject('p');
  const ask = async (credential: Credential, at = new Date()) => {
    const params = [['curr_project', 'p']] as const;
    const headers = { Date: at.toUTCString() };
    const signed = signatureHeaders({ method: 'GET', path: '/projects/p', params, headers }, credential, at);
    const reply = await fetch(`${double.url}/api/projects/p?curr_project=p`, { headers: { ...headers, ...signed } });
    return reply.ok ? 'ok' : /<Code>(\w+)/.exec(await reply.text())?.[1];
  };
  const key = { accessId: 'id', accessKey: 'key', securityToken: 'token' };
  try {
    assert.equal(await ask(key), 'ok');
    assert.equal(await ask({ ...key, region: 'cn-shanghai' }), 'ok');
    assert.equal(await ask(key, new Date(Date.now() - 14 * 60_000)), 'ok');
    assert.equal(await ask(key, new Date(Date.now() - 16 * 60_000)), 'RequestTimeTooSkewed');
    assert.equal(await ask({ ...key, accessKey: 'other' }), 'SignatureNotMatch');
    assert.equal(await ask({ ...key, accessKey: 'other', region: 'cn-shanghai' }), 'SignatureNotMatch');
    assert.equal(await ask({ ...key, accessId: 'other' }), 'SignatureNotMatch');
    assert.equal(await ask({ ...key, securityToken: 'other' }), 'SignatureNotMatch');
  } finally {
    await double.stop();
  }
});
