import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { MaxComputeDouble } from '../../../../test/support/maxcompute/double.ts';
import { Refusal } from '../../../../test/support/maxcompute/refusal.ts';
import { DoubleTable } from '../../../../test/support/maxcompute/tables.ts';
import { DEFAULT_HOST_POLICY, HostRefused } from '../../../lib/host-policy.ts';
import { compress } from './compression.ts';
import { bucketOf, hashOfInteger } from './key-hash.ts';
import { tunnelEndpoint } from './project-facts.ts';
import { RowStream } from './row-stream.ts';
import { type RowValue, writeRow } from './row-value.ts';
import { ServiceClient, type ServiceSettings } from './service-client.ts';
import { ServiceError } from './service-error.ts';
import { tableFacts } from './table-facts.ts';
import type { SessionColumn, TunnelTarget } from './tunnel-target.ts';
import { UploadSession, uploadStateOf } from './upload-session.ts';
import { UPSERT_OPERATION, UpsertSession, upsertStateOf } from './upsert-session.ts';

const credential = { accessId: 'id', accessKey: 'key' };
const columns = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'name', type: { kind: 'string' } },
] as const;
const shown = columns.map((column) => ({ ...column, nullable: true }));
const log: TunnelTarget = { project: 'p', table: 'log', partition: 'pt=2024 中&+%' };
const users: TunnelTarget = { project: 'p', schema: 's', table: 'users' };

const isPut = (method: string) => method === 'PUT';
const isPost = (method: string) => method === 'POST';
const GONE = 'UpsertSessionNotFound';

let double: MaxComputeDouble;
let logTable: DoubleTable;
let usersTable: DoubleTable;
let client: ServiceClient;

const settings = (more: Partial<ServiceSettings> = {}): ServiceSettings => ({
  endpoint: double.url,
  credential,
  hosts: DEFAULT_HOST_POLICY,
  retryFirstMs: 1,
  ...more,
});

beforeEach(async () => {
  double = await MaxComputeDouble.start(credential);
  logTable = double.add(
    'projects/p/tables/log',
    new DoubleTable('log', { columns: [...columns], partitionColumns: ['pt'] }),
  );
  // A value that is no trouble but for the signature.
  logTable.partitions.set('pt=2024 中&+%', []);
  usersTable = double.add(
    'projects/p/schemas/s/tables/users',
    new DoubleTable('users', { columns: [...columns], key: ['id'] }),
  );
  client = new ServiceClient(settings());
});

afterEach(async () => {
  client.close();
  await double.stop();
});

void test('blocks are invisible before the commit and there once after it, whatever was sent twice', async () => {
  const session = await beginUpload();
  assert.deepEqual(session.columns, shown);
  const first = packed(session.columns, [[1n, 'a']]);
  await session.writeBlock(0, first, 'none');
  await session.writeBlock(0, first, 'none');
  await session.writeBlock(
    7,
    await compress(
      packed(session.columns, [
        [2n, '中'],
        [3n, null],
      ]),
      'deflate',
    ),
    'deflate',
  );
  assert.deepEqual(logTable.rows(log.partition), []);
  assert.equal(await session.commit(), 'committed');
  assert.deepEqual(logTable.rows(log.partition), [
    [1n, 'a'],
    [2n, '中'],
    [3n, null],
  ]);
  assert.equal(await uploadStateOf(client, log, session.id), 'committed');
});

void test('the partition is made where the upload says so', async () => {
  await UploadSession.begin(client, { ...log, partition: 'pt=new' }, { overwrite: false, createPartition: true });
  assert.deepEqual([...logTable.partitions.keys()], ['pt=2024 中&+%', 'pt=new']);
});

void test('a commit whose reply was lost is looked up, and rows are there once', async () => {
  const session = await beginUpload();
  await session.writeBlock(0, packed(session.columns, [[1n, 'a']]), 'none');
  double.faults.push({ when: isPost, what: { kind: 'replyLost' } });
  assert.equal(await session.commit(), 'committed');
  assert.deepEqual(logTable.rows(log.partition), [[1n, 'a']]);
});

void test('a commit that never arrived leaves the session open', async () => {
  const session = await beginUpload();
  await session.writeBlock(0, packed(session.columns, [[1n, 'a']]), 'none');
  double.faults.push({ when: isPost, what: { kind: 'cut' } });
  assert.equal(await session.commit(), 'open');
  assert.equal(await session.commit(), 'committed');
  assert.deepEqual(logTable.rows(log.partition), [[1n, 'a']]);
});

void test('a block that met faults and throttling is sent again', async () => {
  const session = await beginUpload();
  for (const refusal of [
    new Refusal(502, '', 'bad'),
    new Refusal(429, 'FlowExceeded', 'slow'),
    new Refusal(500, '', 'bad'),
  ])
    double.faults.push({ when: isPut, what: { kind: 'refuse', refusal } });
  double.faults.push({ when: isPut, what: { kind: 'cut' } }, { when: isPut, what: { kind: 'replyLost' } });
  await session.writeBlock(0, packed(session.columns, [[1n, 'a']]), 'none');
  assert.equal(double.calls.filter((call) => call.startsWith('PUT')).length, 6);
  assert.equal(await session.commit(), 'committed');
  assert.deepEqual(logTable.rows(log.partition), [[1n, 'a']]);
});

void test('what the service refuses for good is said at once, with its code', async () => {
  const session = await beginUpload();
  const refused = async (work: Promise<unknown>, code: string) =>
    assert.rejects(work, (error) => error instanceof ServiceError && error.code === code);
  const damaged = Uint8Array.from(packed(session.columns, [[1n, 'a']]));
  damaged[1] = 4;
  await refused(session.writeBlock(0, damaged, 'none'), 'MalformedDataStream');
  await assert.rejects(session.writeBlock(20_000, damaged, 'none'), /20000 blocks/);
  await refused(
    UploadSession.begin(client, { ...log, partition: 'pt=none' }, { overwrite: false, createPartition: false }),
    'NoSuchPartition',
  );
  await refused(
    UploadSession.begin(client, { ...log, partition: 'pt=中' }, { overwrite: false, createPartition: true }),
    'InvalidPartitionSpec',
  );
  await refused(UpsertSession.begin(client, log), 'InvalidArgument');
  const stranger = new ServiceClient(settings({ credential: { ...credential, accessKey: 'other' } }));
  await refused(UpsertSession.begin(stranger, users), 'SignatureNotMatch');
  stranger.close();
});

void test('an expired upload is lost', async () => {
  const session = await beginUpload();
  await session.writeBlock(0, packed(session.columns, [[1n, 'a']]), 'none');
  double.tunnel.uploads.expireAll();
  assert.equal(await session.commit(), 'lost');
  assert.deepEqual(logTable.rows(log.partition), []);
});

void test('a tunnel that wants datetimes in local time is refused before any row is sent', async () => {
  double.wantsLocalDatetimes = true;
  await assert.rejects(beginUpload(), /local time/);
  await assert.rejects(UpsertSession.begin(client, users), /local time/);
});

void test('a host that the policy forbids is never connected to', async () => {
  const denied = new ServiceClient(settings({ hosts: { private: 'deny', loopback: 'deny' } }));
  await assert.rejects(UpsertSession.begin(denied, users), HostRefused);
  denied.close();
  const byName = new ServiceClient(
    settings({ endpoint: double.url.replace('127.0.0.1', 'localhost'), hosts: { private: 'deny', loopback: 'deny' } }),
  );
  await assert.rejects(UpsertSession.begin(byName, users), HostRefused);
  byName.close();
  assert.deepEqual(double.calls, []);
});

void test('upserts and deletes are visible once committed, each key as it was last', async () => {
  usersTable.merge('', [{ row: [9n, 'old'], isDelete: false }]);
  const session = await UpsertSession.begin(client, users);
  assert.deepEqual([session.buckets, session.hashKey, session.hasher], [4, ['id'], 'default']);
  await upsert(session, [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
    [1, 'again'],
    [9, null],
  ]);
  assert.deepEqual(usersTable.rows(), [[9n, 'old']]);
  assert.equal(await session.commit(), 'committed');
  assert.deepEqual(
    new Map(usersTable.rows().map(([id, name]) => [id, name])),
    new Map([
      [1n, 'again'],
      [2n, 'b'],
      [3n, 'c'],
    ]),
  );
});

void test('rows in a wrong bucket, without a key or wrongly counted are refused', async () => {
  const session = await UpsertSession.begin(client, users);
  const body = (id: bigint | null) =>
    packed(session.columns, [[id, 'a', null, null, BigInt(UPSERT_OPERATION.UPSERT), null, []]]);
  const bucket = bucketOf(hashOfInteger(session.hasher, 1), session.buckets);
  const refused = (at: number, rows: number, of: Uint8Array, why: RegExp) =>
    assert.rejects(session.write(at, { rows, packed: of, compression: 'none' }), why);
  await refused((bucket + 1) % session.buckets, 1, body(1n), /wrong bucket/);
  await refused(bucket, 2, body(1n), /record_count/);
  await refused(bucket, 1, body(null), /key is null/);
  await session.write(bucket, { rows: 1, packed: body(1n), compression: 'none' });
});

void test('a bucket that moved is followed, whether the refusal says where or not', async () => {
  const session = await UpsertSession.begin(client, users);
  for (const [id, says] of [
    [1, true],
    [2, false],
  ] as const) {
    double.tunnel.upserts.moveSlots({ says });
    double.answers.length = 0;
    await upsert(session, [[id, 'a']]);
    assert.deepEqual(double.answers, ['PUT upserts 308', 'GET upserts 200', 'PUT upserts 200']);
  }
  assert.equal(await session.commit(), 'committed');
  assert.equal(usersTable.rows().length, 2);
});

void test('faults are sat out, and commits whose replies were lost are asked for again', async () => {
  const session = await UpsertSession.begin(client, users);
  double.faults.push({ when: isPut, what: { kind: 'refuse', refusal: new Refusal(502, '', 'bad') } });
  double.answers.length = 0;
  await upsert(session, [
    [1, 'a'],
    [1, 'b'],
  ]);
  assert.deepEqual(double.answers, ['PUT upserts 502', 'GET upserts 200', 'PUT upserts 200']);
  double.faults.push({ when: isPost, what: { kind: 'replyLost' } }, { when: isPost, what: { kind: 'replyLost' } });
  assert.equal(await session.commit(), 'committed');
  assert.deepEqual(usersTable.rows(), [[1n, 'b']]);
});

void test('a session that is gone before any commit was heard is not taken for committed', async () => {
  const slow = new Refusal(429, 'FlowExceeded', 'slow');
  for (const refusal of [slow, new Refusal(308, 'SlotReassigned', 'elsewhere')]) {
    const session = await UpsertSession.begin(client, users);
    double.faults.push({ when: isPost, what: { kind: 'refuse', refusal } });
    double.faults.push({ when: isPost, what: { kind: 'refuse', refusal: new Refusal(404, GONE, 'gone') } });
    await assert.rejects(session.commit(), (error) => error instanceof ServiceError && error.code === GONE);
  }
  assert.deepEqual(usersTable.rows(), []);
});

void test('a session that is gone after its commit may have been heard was committed', async () => {
  for (const kind of ['replyLost', 'cut'] as const) {
    const session = await UpsertSession.begin(client, users);
    double.faults.push({ when: isPost, what: { kind } });
    double.faults.push({ when: isPost, what: { kind: 'refuse', refusal: new Refusal(404, GONE, 'gone') } });
    assert.equal(await session.commit(), 'committed');
  }
});

void test('a reply to a commit that cannot be read is an error, not another try', async () => {
  const session = await UpsertSession.begin(client, users);
  double.faults.push({ when: isPost, what: { kind: 'replyIs', body: '{}' } });
  double.answers.length = 0;
  await assert.rejects(session.commit(), /Parse/i);
  const upload = await beginUpload();
  double.faults.push({ when: isPost, what: { kind: 'replyIs', body: '<html/>' } });
  await assert.rejects(upload.commit(), SyntaxError);
  assert.equal(double.answers.filter((answer) => answer.startsWith('POST')).length, 3);
});

void test('a commit that takes its time is on its way until it is made, or fails', async () => {
  double.tunnel.uploads.course.answers = 2;
  for (const [fails, end] of [
    [0, 'committed'],
    [1, 'lost'],
  ] as const) {
    double.tunnel.uploads.course.failures = fails;
    const upload = await beginUpload();
    await upload.writeBlock(0, packed(upload.columns, [[1n, 'a']]), 'none');
    assert.equal(await upload.commit(), 'committing');
    assert.equal(await uploadStateOf(client, log, upload.id), 'committing');
    assert.equal(await uploadStateOf(client, log, upload.id), end);
    assert.deepEqual(logTable.rows(log.partition), [[1n, 'a']]);
  }
  double.tunnel.upserts.course.answers = 3;
  for (const [fails, end] of [
    [0, 'committed'],
    [1, 'lost'],
  ] as const) {
    double.tunnel.upserts.course.failures = fails;
    const session = await UpsertSession.begin(client, users);
    await upsert(session, [[1 + fails, 'a']]);
    assert.equal(await session.commit(), end);
    assert.deepEqual(usersTable.rows(), [[1n, 'a']]);
  }
});

void test('slots that make no sense are refused, however large their buckets', async () => {
  const schema = { columns: [{ name: 'id', type: 'bigint' }] };
  const reply = (...slots: readonly (readonly [address: string, ...buckets: number[]])[]) =>
    JSON.stringify({
      id: 'u',
      status: 'normal',
      schema,
      hash_key: ['id'],
      hasher: 'default',
      slots: slots.map(([worker_addr, ...buckets], slot_id) => ({ slot_id, worker_addr, buckets })),
    });
  for (const [body, why] of [
    [reply(), /no slot/],
    [reply(['h:1']), /no slot/],
    [reply(['h:1', 0, 2]), /bucket 1 out/],
    [reply(['h:1', 4294967294]), /bucket 0 out/],
    [reply(['h:1', -1, 0.5]), /bucket 0 out/],
    [reply([':1', 0]), /no address/],
  ] as const) {
    double.faults.push({ when: isPost, what: { kind: 'replyIs', body } });
    await assert.rejects(UpsertSession.begin(client, users), why);
  }
});

void test('a commit that was throttled is asked for again', async () => {
  const upload = await beginUpload();
  await upload.writeBlock(0, packed(upload.columns, [[1n, 'a']]), 'none');
  double.faults.push({ when: isPost, what: { kind: 'refuse', refusal: new Refusal(429, 'QPSExceeded', 'slow') } });
  assert.equal(await upload.commit(), 'committed');
});

void test('a session that was left behind says what became of it', async () => {
  const left = await UpsertSession.begin(client, users);
  assert.equal(await upsertStateOf(client, users, left.id), 'open');
  await left.abort();
  assert.equal(await upsertStateOf(client, users, left.id), 'lost');
  assert.equal(await upsertStateOf(client, users, 'unknown'), null);
});

void test('the service says what a table is, and where the tunnel', async () => {
  const service = new ServiceClient(settings({ endpoint: `${double.url}/api` }));
  assert.equal(await tunnelEndpoint(service, 'p'), double.url);
  assert.deepEqual(await tableFacts(service, users), {
    columns: shown,
    partitionColumns: [],
    primaryKey: ['id'],
    rows: 0,
  });
  assert.deepEqual(await tableFacts(service, log), {
    columns: shown,
    partitionColumns: ['pt'],
    primaryKey: [],
    rows: 0,
  });
  assert.equal(await tableFacts(service, { project: 'p', table: 'users' }), null);
  service.close();
});

function beginUpload(): Promise<UploadSession> {
  return UploadSession.begin(client, log, { overwrite: false, createPartition: true });
}

function packed(of: readonly SessionColumn[], rows: readonly (readonly RowValue[])[]): Uint8Array {
  const stream = new RowStream();
  const types = of.map(({ type }) => type);
  for (const row of rows) writeRow(stream, types, row);
  return stream.finish();
}

/** Without a name: a delete. */
async function upsert(session: UpsertSession, changes: readonly (readonly [number, string | null])[]): Promise<void> {
  const byBucket = Map.groupBy(changes, ([id]) => bucketOf(hashOfInteger(session.hasher, id), session.buckets));
  for (const [bucket, rows] of byBucket) {
    const body = packed(
      session.columns,
      rows.map(([id, name]) => {
        const operation = name === null ? UPSERT_OPERATION.DELETE : UPSERT_OPERATION.UPSERT;
        return [BigInt(id), name, null, null, BigInt(operation), null, []];
      }),
    );
    await session.write(bucket, { rows: rows.length, packed: body, compression: 'none' });
  }
}
