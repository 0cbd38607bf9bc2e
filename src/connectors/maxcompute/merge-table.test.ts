import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MaxComputeDouble } from '../../../test/support/maxcompute/double.ts';
import { packRows } from '../../../test/support/maxcompute/write-rows.ts';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { TimeZone } from '../../lib/time-zone.ts';
import { baseName, endOfPartition, type MergeOrder, partitionAt, planMerge } from './merge-table.ts';
import { PartitionRule } from './partition.ts';
import { ServiceClient } from './protocol/service-client.ts';
import { runSql } from './protocol/sql-instance.ts';
import { UploadSession } from './protocol/upload-session.ts';

const SHANGHAI = new TimeZone('Asia/Shanghai');
const credential = { accessId: 'id', accessKey: 'key' };
const MIDNIGHT = Date.parse('2024-01-03T00:00+08:00');

let double: MaxComputeDouble;
let service: ServiceClient;
let tunnel: ServiceClient;

before(async () => {
  double = await MaxComputeDouble.start(credential);
  double.catalog.addProject('p');
  const settings = { credential, hosts: DEFAULT_HOST_POLICY, retryFirstMs: 1 };
  service = new ServiceClient({ ...settings, endpoint: `${double.url}/api` });
  tunnel = new ServiceClient({ ...settings, endpoint: double.url });
});
after(async () => {
  service.close();
  tunnel.close();
  await double.stop();
});

void test('a partition of the base is the day that ends, or the minute, and says so again', () => {
  const ends: readonly (readonly [time: string, partition: string])[] = [
    ['2024-01-02T16:00:00Z', '20240102'],
    ['2024-01-02T16:01:00Z', '202401030001'],
    ['2024-01-02T15:59:00Z', '202401022359'],
    ['2024-02-29T16:00:00Z', '20240229'],
  ];
  for (const [time, partition] of ends) {
    assert.equal(partitionAt(Date.parse(time), SHANGHAI), partition);
    assert.equal(endOfPartition(partition, SHANGHAI), Date.parse(time));
  }
  for (const other of ['', '2024', '20240230', '2024010', 'null_pt', '2024-01-01', '20240101x'])
    assert.equal(endOfPartition(other, SHANGHAI), null, other);
});

void test('the base of a log has its name', () => {
  assert.deepEqual(baseName({ project: 'p', schema: 's', table: 'a_log' }), {
    project: 'p',
    schema: 's',
    table: 'a_base',
  });
  assert.equal(baseName({ project: 'p', table: 'log_a' }).table, 'log_a_base');
});

async function logOf(
  table: string,
  rows: readonly (readonly [place: number, ms: number, id: number])[],
): Promise<MergeOrder> {
  const columns =
    '_sequence_id_ STRING, _operation_type_ STRING, _execute_time_ BIGINT, _before_image_ STRING, _after_image_ STRING, id INT';
  await runSql(service, { project: 'p', query: `CREATE TABLE ${table} (${columns}) PARTITIONED BY (region STRING)` });
  for (const region of ['cn', 'us']) {
    const target = { project: 'p', table, partition: `region=${region}` };
    const session = await UploadSession.begin(tunnel, target, { overwrite: false, createPartition: true });
    const own = rows
      .filter(([place]) => (place % 2 === 0 ? 'cn' : 'us') === region)
      .map(([place, ms, id]) => [String(place).padStart(32, '0'), 'I', BigInt(ms), 'N', 'Y', BigInt(id)]);
    await session.writeBlock(0, await packRows(session.columns, own, 'deflate'), 'deflate');
    assert.equal(await session.commit(), 'committed');
  }
  return {
    log: { project: 'p', table },
    key: ['id'],
    partitions: PartitionRule.parse('region=#{region}'),
    zone: SHANGHAI,
    untilMs: MIDNIGHT,
  };
}

void test('a log that is not partitioned by time is read as a whole, also by a service that wants to be told so', async () => {
  const order = await logOf('whole_log', [
    [1, MIDNIGHT - 1, 1],
    [2, MIDNIGHT - 2, 2],
    [3, MIDNIGHT, 3],
  ]);
  const plan = await planMerge(service, order);
  assert.deepEqual([plan.table, plan.into, plan.from], ['whole_base', '20240102', null]);
  await plan.run();
  const ids = (partition: string) =>
    new Set(
      double
        .table('projects/p/tables/whole_base')
        .rows(partition)
        .map(([id]) => id),
    );
  assert.deepEqual(ids('pt=20240102'), new Set([1n, 2n]));
  const next = await planMerge(service, { ...order, untilMs: MIDNIGHT + 60_000 });
  assert.deepEqual([next.into, next.from], ['202401030001', '20240102']);
  await next.run();
  await (await planMerge(service, order)).run();
  assert.deepEqual(ids('pt=20240102'), new Set([1n, 2n]), 'a day that is merged again begins before that minute');
  assert.deepEqual(ids('pt=202401030001'), new Set([1n, 2n, 3n]));
});

void test('what is no log, has no key, or whose base is partitioned otherwise, is refused before anything runs', async () => {
  const order = await logOf('refused_log', []);
  const refused = async (more: Partial<MergeOrder>, reason: RegExp) =>
    assert.rejects(planMerge(service, { ...order, ...more }), reason);
  await refused({ key: [] }, /without a primary key cannot be merged/);
  await refused({ log: { project: 'p', table: 'nothing' } }, /there is no table nothing/);
  await runSql(service, { project: 'p', query: 'CREATE TABLE plain (id INT)' });
  await refused(
    { log: { project: 'p', table: 'plain' } },
    /plain is no log: it has no column _sequence_id_, _operation_type_/,
  );
  await runSql(service, { project: 'p', query: 'CREATE TABLE refused_base (id INT)' });
  await refused({}, /refused_base is to be partitioned by one column, the day/);
});
