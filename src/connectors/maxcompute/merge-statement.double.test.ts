import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MaxComputeDouble } from '../../../test/support/maxcompute/double.ts';
import { packRows } from '../../../test/support/maxcompute/write-rows.ts';
import { DEFAULT_HOST_POLICY } from '../../lib/host-policy.ts';
import { type Merge, mergeStatement } from './merge-statement.ts';
import { parseColumnType } from './protocol/column-type.ts';
import type { RowValue } from './protocol/row-value.ts';
import { ServiceClient } from './protocol/service-client.ts';
import { runSql } from './protocol/sql-instance.ts';
import { UploadSession } from './protocol/upload-session.ts';

const credential = { accessId: 'id', accessKey: 'key' };
const DAY_MS = 86_400_000;
const TODAY = Date.UTC(2024, 0, 2);
const COLUMNS = { id: 'bigint', name: 'string', amount: 'decimal(20,4)', at: 'timestamp', more: 'string' } as const;
const MERGE: Merge = {
  base: { project: 'p', table: 'orders_base' },
  log: { project: 'p', table: 'orders_log' },
  columns: Object.entries(COLUMNS).map(([name, type]) => ({
    name,
    type: parseColumnType(type),
    inBase: name !== 'more',
    inLog: true,
  })),
  key: ['id'],
  into: [['pt', '20240102']],
  from: { partition: [['pt', '20240101']], untilMs: TODAY },
  untilMs: TODAY + DAY_MS,
  logPartition: { column: 'pt', valueAt: (ms) => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '') },
};
const AT = { seconds: -1n, nanos: 123_456_789 };

/** A row of the base, or of the log's own columns: what `more` is, only the log knows. */
const row = (id: number, name: string | null, more?: string): RowValue[] => [
  BigInt(id),
  name,
  '-1234567890123456.7891',
  AT,
  ...(more === undefined ? [] : [more]),
];
const change = (
  place: number,
  operation: 'I' | 'U' | 'D' | 'T',
  images: 'NY' | 'YN' | 'NN',
  of: readonly RowValue[],
): RowValue[] => [
  String(place).padStart(20, '0'),
  operation,
  BigInt(TODAY + place),
  images.slice(0, 1),
  images.slice(1),
  ...of,
];

/** The log of a day in which every kind of thing happened to a key. */
const LOG: readonly (readonly RowValue[])[] = [
  change(1, 'I', 'NY', row(10, 'inserted', 'x')),
  change(2, 'U', 'YN', row(2, 'b', 'x')),
  change(2, 'U', 'NY', row(2, 'updated', 'x')),
  change(3, 'D', 'YN', row(3, 'c', 'x')),
  change(4, 'D', 'YN', row(4, 'd', 'x')),
  change(9, 'I', 'NY', row(4, 'inserted again', 'x')),
  change(5, 'U', 'YN', row(5, 'e', 'x')),
  change(5, 'U', 'NY', row(50, 'moved', 'x')),
  change(6, 'I', 'NY', row(60, 'inserted', 'x')),
  change(7, 'D', 'YN', row(60, 'inserted', 'x')),
];

void test('H11: the service, as the double runs it, merges a log of every kind of change into the next base', async () => {
  const double = await MaxComputeDouble.start(credential);
  double.catalog.addProject('p');
  const settings = { credential, hosts: DEFAULT_HOST_POLICY, retryFirstMs: 1 };
  const service = new ServiceClient({ ...settings, endpoint: `${double.url}/api` });
  const tunnel = new ServiceClient({ ...settings, endpoint: double.url });
  const sql = (query: string) => runSql(service, { project: 'p', query });
  const upload = async (table: string, pt: string, rows: readonly (readonly RowValue[])[]) => {
    const target = { project: 'p', table, partition: `pt=${pt}` };
    const session = await UploadSession.begin(tunnel, target, { overwrite: false, createPartition: true });
    await session.writeBlock(0, await packRows(session.columns, rows, 'deflate'), 'deflate');
    assert.equal(await session.commit(), 'committed');
  };
  const merged = () =>
    double
      .table('projects/p/tables/orders_base')
      .rows('pt=20240102')
      .toSorted(([a], [b]) => Number(a) - Number(b));
  try {
    const columns = Object.entries(COLUMNS).map(([name, type]) => `${name} ${type}`);
    await sql(`CREATE TABLE orders_base (${columns.slice(0, -1).join()}) PARTITIONED BY (pt STRING)`);
    await sql(
      `CREATE TABLE orders_log (_sequence_id_ STRING, _operation_type_ STRING, _execute_time_ BIGINT, _before_image_ STRING,
        _after_image_ STRING, ${columns.join()}) PARTITIONED BY (pt STRING)`,
    );
    await upload(
      'orders_base',
      '20240101',
      ['a', 'b', 'c', 'd', 'e'].map((name, index) => row(index + 1, name)),
    );
    // Written twice, as after a crash.
    for (const _time of [1, 2]) await upload('orders_log', '20240102', LOG);
    // The base gets the new column, as the merge of the day in which it was added needs it.
    await sql('ALTER TABLE orders_base ADD COLUMNS (more STRING)');
    const expected = [
      [...row(1, 'a'), null],
      row(2, 'updated', 'x'),
      row(4, 'inserted again', 'x'),
      row(10, 'inserted', 'x'),
      row(50, 'moved', 'x'),
    ];
    await sql(mergeStatement(MERGE));
    assert.deepEqual(merged(), expected);
    await sql(mergeStatement(MERGE));
    assert.deepEqual(merged(), expected, 'again');

    await upload('orders_log', '20240102', [
      change(20, 'T', 'NN', [null, null, null, null, null]),
      change(21, 'I', 'NY', row(7, 'after it was emptied', 'x')),
    ]);
    await sql(mergeStatement(MERGE));
    assert.deepEqual(merged(), [row(7, 'after it was emptied', 'x')]);
  } finally {
    service.close();
    tunnel.close();
    await double.stop();
  }
});
