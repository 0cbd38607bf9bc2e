import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { MaxComputeDouble } from '../../../../test/support/maxcompute/double.ts';
import { Refusal } from '../../../../test/support/maxcompute/refusal.ts';
import { DoubleTable } from '../../../../test/support/maxcompute/tables.ts';
import { DEFAULT_HOST_POLICY } from '../../../lib/host-policy.ts';
import { compress } from './compression.ts';
import { retryRuleOf } from './retry-rule.ts';
import { RowStream } from './row-stream.ts';
import { writeRow } from './row-value.ts';
import { ServiceClient } from './service-client.ts';
import { StreamSession } from './stream-session.ts';
import type { TunnelTarget } from './tunnel-target.ts';

const credential = { accessId: 'id', accessKey: 'key' };
const target: TunnelTarget = { project: 'p', table: 'log', partition: 'pt=1' };
const isPut = (method: string) => method === 'PUT';

let double: MaxComputeDouble;
let table: DoubleTable;
let client: ServiceClient;

beforeEach(async () => {
  double = await MaxComputeDouble.start(credential);
  table = double.add(
    'projects/p/tables/log',
    new DoubleTable('log', { columns: [{ name: 'id', type: { kind: 'bigint' } }], partitionColumns: ['pt'] }),
  );
  client = new ServiceClient({ endpoint: double.url, credential, hosts: DEFAULT_HOST_POLICY, retryFirstMs: 1 });
});

afterEach(async () => {
  client.close();
  await double.stop();
});

const begin = () => StreamSession.begin(client, target, { createPartition: true });

async function write(session: StreamSession, id: bigint): Promise<void> {
  const stream = new RowStream();
  writeRow(
    stream,
    session.columns.map(({ type }) => type),
    [id],
  );
  await session.write({ rows: 1, packed: await compress(stream.finish(), 'deflate'), compression: 'deflate' });
}

void test('rows are there as soon as they are written, slot after slot', async () => {
  const session = await begin();
  assert.deepEqual(session.columns, [{ name: 'id', type: { kind: 'bigint' }, nullable: true }]);
  for (const id of [1n, 2n, 3n]) {
    await write(session, id);
    assert.deepEqual(table.rows('pt=1').at(-1), [id]);
  }
  const slots = double.calls.flatMap((call) => /slotid=(\d)/.exec(call)?.[1] ?? []);
  assert.deepEqual([slots.length, new Set(slots).size, slots[0]], [3, 2, slots[2]]);
});

void test('a session that is not ready is asked for until it is', async () => {
  double.tunnel.streams.initial = 1;
  double.tunnel.streams.unseenSchemas = 2;
  await write(await begin(), 1n);
  assert.deepEqual(double.answers, [
    'POST streams 404',
    'POST streams 404',
    'POST streams 200',
    'GET streams 200',
    'PUT streams 200',
  ]);
});

void test('slots that moved, and more slots than there were, are learned from the answers', async () => {
  const session = await begin();
  const servers: string[] = [];
  double.watch = ({ method, headers }) => {
    if (method === 'PUT') servers.push(String(headers['odps-tunnel-routed-server']));
  };
  double.tunnel.streams.moveSlots();
  for (const id of [1n, 2n, 3n]) await write(session, id);
  assert.deepEqual(
    servers.map((server) => server.split('.')[2]),
    ['0', '0', '1'],
  );
  double.tunnel.streams.slots = 3;
  await write(session, 4n);
  assert.equal(double.answers.at(-1), 'GET streams 200');
  servers.length = 0;
  for (const id of [5n, 6n, 7n]) await write(session, id);
  assert.equal(new Set(servers).size, 3);
});

void test('faults are sat out by way of another slot, after a look at the session where the way was bad', async () => {
  const session = await begin();
  for (const refusal of [new Refusal(502, '', 'bad'), new Refusal(429, 'FlowExceeded', 'slow', {}, 2)])
    double.faults.push({ when: isPut, what: { kind: 'refuse', refusal } });
  double.faults.push({ when: isPut, what: { kind: 'cut' } });
  double.answers.length = 0;
  await write(session, 1n);
  assert.deepEqual(double.answers, ['PUT streams 502', 'GET streams 200', 'PUT streams 429', 'PUT streams 200']);
  assert.deepEqual(table.rows('pt=1'), [[1n]]);
});

void test('rows may be there twice when the answer was lost', async () => {
  const session = await begin();
  double.faults.push({ when: isPut, what: { kind: 'replyLost' } });
  await write(session, 1n);
  assert.deepEqual(table.rows('pt=1'), [[1n], [1n]]);
});

void test('a table that was changed meanwhile takes no rows of the old session', async () => {
  const session = await begin();
  table.addColumn({ name: 'name', type: { kind: 'string' } });
  await assert.rejects(write(session, 1n), (error) => retryRuleOf(error).kind === 'schema');
  assert.deepEqual(table.rows('pt=1'), []);
  const next = await begin();
  assert.equal(next.columns.length, 2);
  await write(next, 1n);
  assert.deepEqual(table.rows('pt=1'), [[1n, null]]);
});

void test('a session that the service does not know is gone', async () => {
  const session = await begin();
  double.tunnel.streams.forgetAll();
  await assert.rejects(write(session, 1n), (error) => retryRuleOf(error).kind === 'gone');
});
