import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { encoded, logged, PLACE, SERVER, TIME_MICROS, TOPIC } from '../../../../test/support/encoded-records.ts';
import { readTopicByJava } from '../../../../test/support/kafka-console-reader.ts';
import { newTopic, openCluster, openProducer } from '../../../../test/support/kafka-protocol-under-test.ts';
import { type KafkaRecord, readTopic } from '../../../../scripts/servers/kafka-reader.ts';
import { sharedKafka, type TestKafka } from '../../../../test/support/kafka-under-test.ts';
import { deletes, inserts, scriptedTable, updates } from '../../../../test/support/scripted-rows.ts';
import { pause } from '../../../lib/retry.ts';
import type { RowsPart } from '../../../pipeline/batch.ts';
import { DEFAULT_OPTIONS, type KafkaOptions } from '../options.ts';
import type { Cluster } from '../protocol/cluster.ts';
import { type Codec, compressBatches } from './compression.ts';
import { CommitRecords } from './commit-records.ts';
import { openEnvelope } from './envelopes.ts';

const TABLE = scriptedTable(
  'shop',
  'orders',
  {
    id: { kind: 'integer', bytes: 8, unsigned: true },
    note: { kind: 'text' },
    amount: { kind: 'decimal', precision: 30, scale: 2 },
  },
  ['id'],
);

function rowOf(id: number) {
  return [
    id,
    id % 7 === 0 ? null : `note ${id} žluť "😀"`.repeat(1 + (id % 50)),
    `${id}00000000000000000000.25`,
  ] as const;
}

/** Every kind of change, also of a key, over more than one batch. */
const PARTS: readonly RowsPart[] = [
  logged(
    inserts(
      TABLE,
      Array.from({ length: 3000 }, (_, id) => rowOf(id)),
      'read',
    ),
  ),
  logged(
    updates(
      TABLE,
      Array.from({ length: 500 }, (_, id) => [rowOf(id), [id, 'x', null]] as const),
    ),
  ),
  logged(
    updates(
      TABLE,
      Array.from({ length: 20 }, (_, id) => [[id, 'x', null], rowOf(10_000 + id)] as const),
    ),
    {
      place: { ...PLACE, server: SERVER, gtid: 'u:1' },
      timeMicros: TIME_MICROS + 5_000_000,
    },
  ),
  logged(
    deletes(
      TABLE,
      Array.from({ length: 500 }, (_, id) => rowOf(1000 + id)),
    ),
  ),
];

const CHOICES: readonly (Pick<KafkaOptions, 'writeMode' | 'debeziumSchema'> & { readonly codec: Codec })[] = [
  { writeMode: 'json', debeziumSchema: false, codec: 'none' },
  { writeMode: 'json', debeziumSchema: false, codec: 'snappy' },
  { writeMode: 'debezium', debeziumSchema: false, codec: 'lz4' },
  { writeMode: 'debezium', debeziumSchema: true, codec: 'zstd' },
  { writeMode: 'canal', debeziumSchema: false, codec: 'gzip' },
];

void describe('records in a broker', () => {
  let kafka: TestKafka;
  let cluster: Cluster;
  const end = new AbortController();

  before(async () => {
    kafka = await sharedKafka();
    cluster = await openCluster(kafka.port, end.signal);
  });
  after(() => end.abort());

  for (const { codec, ...choice } of CHOICES) {
    const name = `${choice.writeMode}${choice.debeziumSchema ? ' with schema' : ''}, ${codec}`;
    void it(`are read by librdkafka and by Java as they were written: ${name}`, async () => {
      const open = () =>
        openEnvelope(
          { ...DEFAULT_OPTIONS, ...choice },
          {
            sourceName: 's',
            version: '1',
            clock: { now: () => 1_700_000_001_000 },
            onDirty: () => assert.fail('dirty'),
          },
        );
      const topic = await newTopic(cluster, 3);
      const to = { ...TOPIC, topic, partitions: 3 };
      const commit = new CommitRecords(0);
      const envelope = open();
      for (const part of PARTS) envelope.rows(part, to, commit);
      const batches = await compressBatches(commit.finish(), codec);
      const producer = await openProducer(cluster, 'transactional', topic);
      await producer.send(batches);
      await producer.endTransaction('commit');
      producer.close();
      const expected = encoded(open(), PARTS, to)
        .map(({ partition, key, value, time, headers }) => ({ partition, key, value, time: Number(time), headers }))
        .toSorted((a, b) => a.partition - b.partition);
      assert.deepEqual(await untilThere(() => readTopic(kafka, { topic }), expected.length), expected);
      assert.deepEqual(shownOf(await readTopicByJava(kafka, { topic, max: expected.length })), expected);
    });
  }

  /** An end is acknowledged before readers see it. */
  async function untilThere(read: () => Promise<KafkaRecord[]>, count: number) {
    for (const until = performance.now() + 20_000; ; await pause(20)) {
      const records = await read();
      if (records.length >= count || performance.now() > until) return shownOf(records);
    }
  }
});

/** By partition, each in its order. */
function shownOf(records: readonly KafkaRecord[]) {
  return records
    .map(({ partition, key, value, timestamp, headers }) => ({
      partition,
      key: key === null ? null : key.toString('utf8'),
      value: value === null ? null : value.toString('utf8'),
      time: timestamp,
      headers,
    }))
    .toSorted((a, b) => a.partition - b.partition);
}
