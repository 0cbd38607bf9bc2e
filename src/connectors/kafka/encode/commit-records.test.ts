import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBatches } from '../../../../test/support/kafka-batches.ts';
import { CommitRecords } from './commit-records.ts';
import { type Codec, compressBatches } from './compression.ts';
import { sealBatch } from './record-batch.ts';

const KEPT_BYTES = 1 << 20;
const PRODUCER = { producerId: 7n, epoch: 3, baseSequence: 40, isTransactional: true };

function add(into: CommitRecords, partition: number, key: string | null, value: string | null, time = 1000): void {
  into.add({
    topic: 'a',
    partition,
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    time,
  });
}

void test('a reader finds the records of each partition in order, with keys, values, nulls and times', () => {
  const commit = new CommitRecords(KEPT_BYTES);
  add(commit, 1, 'k', 'v', 1_700_000_000_123);
  add(commit, 0, null, 'other');
  add(commit, 1, '', null, 1_699_000_000_000);
  add(commit, 1, 'x'.repeat(70), 'y'.repeat(9000), 1_700_000_000_124);
  const [first, second, ...more] = commit.finish();
  assert.ok(first !== undefined && second !== undefined);
  assert.deepEqual(more, []);
  for (const { records } of [first, second]) sealBatch(records, PRODUCER);
  assert.deepEqual(
    [first, second].map(({ topic, partition, count }) => ({ topic, partition, count })),
    [
      { topic: 'a', partition: 1, count: 3 },
      { topic: 'a', partition: 0, count: 1 },
    ],
  );
  assert.deepEqual(readBatches(first.records), [
    {
      attributes: 0x10,
      producerId: 7n,
      epoch: 3,
      baseSequence: 40,
      firstTime: 1_700_000_000_123n,
      maxTime: 1_700_000_000_124n,
      records: [
        { key: 'k', value: 'v', time: 1_700_000_000_123n, headers: [] },
        { key: '', value: null, time: 1_699_000_000_000n, headers: [] },
        { key: 'x'.repeat(70), value: 'y'.repeat(9000), time: 1_700_000_000_124n, headers: [] },
      ],
    },
  ]);
  assert.deepEqual(
    readBatches(second.records).flatMap(({ records }) => records),
    [{ key: null, value: 'other', time: 1000n, headers: [] }],
  );
});

void test('batches end before the size that topics allow, and a longer record has its own', () => {
  const commit = new CommitRecords(KEPT_BYTES);
  for (let i = 0; i < 3; i += 1) add(commit, 0, String(i), 'x'.repeat(400_000));
  add(commit, 0, 'long', 'y'.repeat(3_000_000));
  add(commit, 0, 'last', 'z');
  assert.deepEqual(
    commit.finish().map(({ records }) => {
      sealBatch(records, PRODUCER);
      return readBatches(records).flatMap((batch) => batch.records.map(({ key }) => key));
    }),
    [['0', '1'], ['2'], ['long'], ['last']],
  );
});

void test('memory is used again after a commit, but for what is more than is kept', () => {
  const commit = new CommitRecords(KEPT_BYTES);
  add(commit, 0, 'k', 'v'.repeat(5_000_000));
  assert.ok(commit.memoryBytes >= 5_000_000);
  commit.reset(true);
  assert.deepEqual([commit.memoryBytes, commit.bytes, commit.finish()], [0, 0, []]);
  add(commit, 1, 'k', 'v');
  const [first] = commit.finish();
  commit.reset(true);
  add(commit, 3, 'k', 'w');
  const [second] = commit.finish();
  assert.equal(second?.records.buffer, first?.records.buffer);
  // What a socket may still read is not written to again.
  commit.reset(false);
  add(commit, 0, 'k', 'v');
  const [third] = commit.finish();
  assert.notEqual(third?.records.buffer, second?.records.buffer);
});

void test('memory that smaller commits do not need is given back little by little', () => {
  const commit = new CommitRecords(64 << 20);
  for (let partition = 0; partition < 40; partition += 1) add(commit, partition, 'k', 'v'.repeat(600_000));
  commit.reset(true);
  const { keptBytes } = commit.pool;
  assert.ok(keptBytes >= 40 << 20);
  for (let i = 0; i < 100; i += 1) {
    add(commit, i % 40, 'k', 'v');
    // Partitions that were large once do not take as much again.
    assert.ok(commit.memoryBytes <= 1 << 20);
    commit.reset(true);
  }
  assert.ok(commit.pool.keptBytes < 2 << 20);
});

void test('a commit as large as the last one takes no new memory', () => {
  const commit = new CommitRecords(64 << 20);
  const fill = () => {
    for (let i = 0; i < 300; i += 1) add(commit, i % 12, 'k', 'v'.repeat(20_000));
  };
  for (let i = 0; i < 30; i += 1) {
    fill();
    commit.reset(true);
  }
  const before = new Set<ArrayBufferLike>();
  fill();
  for (const { records } of commit.finish()) before.add(records.buffer);
  commit.reset(true);
  fill();
  assert.ok(commit.finish().every(({ records }) => before.has(records.buffer)));
});

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] satisfies Codec[]) {
  void test(`batches compressed with ${codec} are read back whole, in order`, async () => {
    const commit = new CommitRecords(KEPT_BYTES);
    for (let partition = 0; partition < 7; partition += 1) add(commit, partition, 'k', `of ${partition}`.repeat(9000));
    for (let i = 0; i < 2000; i += 1) add(commit, 7, `key ${i}`, `value ${i * 7919}`, i);
    const batches = commit.finish();
    const all = await compressBatches(batches, codec);
    assert.deepEqual(
      all.map(({ topic, partition, count }) => [topic, partition, count]),
      batches.map(({ topic, partition, count }) => [topic, partition, count]),
    );
    for (const { records } of all) sealBatch(records, PRODUCER);
    for (let partition = 0; partition < 7; partition += 1) {
      const [read] = readBatches(all[partition]?.records ?? new Uint8Array(0));
      assert.equal(read?.records[0]?.value, `of ${partition}`.repeat(9000));
    }
    const compressed = all[7]?.records ?? new Uint8Array(0);
    if (codec !== 'none') assert.ok(compressed.length < (batches[7]?.records.length ?? 0));
    const [read, ...more] = readBatches(compressed);
    assert.deepEqual(more, []);
    assert.equal((read?.attributes ?? 0) & 7, ['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(codec));
    assert.deepEqual(
      read?.records,
      Array.from({ length: 2000 }, (_, i) => ({
        key: `key ${i}`,
        value: `value ${i * 7919}`,
        time: BigInt(i),
        headers: [],
      })),
    );
  });
}
