import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  encoded,
  type EncodedRecord,
  envelopeOptions,
  logged,
  recordsOf,
  TOPIC,
} from '../../../../test/support/encoded-records.ts';
import { deletes, inserts, scriptedTable, updates } from '../../../../test/support/scripted-rows.ts';
import type { RowsPart } from '../../../pipeline/batch.ts';
import { BATCH_BYTES_MAX, CommitRecords } from './commit-records.ts';
import { type Codec, compressedLength } from './compression.ts';
import { openEnvelope } from './envelopes.ts';
import { DEFAULT_OPTIONS } from '../options.ts';

const TABLES = ['a', 'b', 'c'].map((name) =>
  scriptedTable('shop', name, { id: { kind: 'integer', bytes: 8, unsigned: false }, v: { kind: 'text' } }, ['id']),
);
/** Lengths of one to four bytes; records of their own memory. */
const LIMITS = [3000, 20_000, 500_000, 8_000_000];

const MODES = [
  { writeMode: 'json', debeziumSchema: false },
  { writeMode: 'debezium', debeziumSchema: false },
  { writeMode: 'debezium', debeziumSchema: true },
  { writeMode: 'canal', debeziumSchema: false },
] as const;
/** Its own key, a nullable text that may be long, both in another order, none. */
const KEYS = [null, [1], [1, 0], []];

const table = fc.constantFrom(...TABLES);
const row = fc.tuple(
  fc.nat(30),
  fc.oneof(
    { weight: 10, arbitrary: fc.constant(null) },
    { weight: 10, arbitrary: fc.nat(80).map((length) => 'x'.repeat(length)) },
    { weight: 10, arbitrary: fc.constantFrom(70, 700, 2200, 4000, 90_000).map((length) => '"'.repeat(length)) },
    { weight: 1, arbitrary: fc.constant('"'.repeat(1_200_000)) },
  ),
);
const rows = fc.array(row, { minLength: 1, maxLength: 5 });
const timeMicros = fc.integer({ min: 0, max: 1_700_000_000 }).map((seconds) => seconds * 1e6);
const part: fc.Arbitrary<RowsPart> = fc.oneof(
  fc.tuple(table, rows, timeMicros).map(([of, after, time]) => logged(inserts(of, after), { timeMicros: time })),
  fc.tuple(table, rows, timeMicros).map(([of, before, time]) => logged(deletes(of, before), { timeMicros: time })),
  fc
    .tuple(table, fc.array(fc.tuple(row, row), { minLength: 1, maxLength: 5 }), timeMicros)
    .map(([of, pairs, time]) => logged(updates(of, pairs), { timeMicros: time })),
);
const step = fc.oneof({ weight: 8, arbitrary: part }, { weight: 1, arbitrary: table.map((dropped) => ({ dropped })) });

function byPartition(records: readonly EncodedRecord[]) {
  // Canal numbers its messages.
  const plain = records.map((record) => ({
    ...record,
    value: record.value?.replace(/^\{"id":\d+/, '{"id":0') ?? null,
  }));
  return plain.toSorted((a, b) => a.partition - b.partition);
}

for (const mode of MODES) {
  const name = `${mode.writeMode}${mode.debeziumSchema ? ' with schema' : ''}`;
  void test(`${name}: whatever is too long or taken out again, what is left is what was written of the others, in order`, () => {
    const choices = fc.record({
      partitions: fc.integer({ min: 1, max: 3 }),
      maxRecordBytes: fc.constantFrom(...LIMITS),
      keyColumns: fc.constantFrom(...KEYS),
      compression: fc.constantFrom<Codec>('none', 'none', 'lz4', 'snappy'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), choices, (steps, chosen) => {
        const to = { ...TOPIC, ...chosen };
        let dirty = 0;
        const options = envelopeOptions({ onDirty: () => (dirty += 1) });
        const open = () => openEnvelope({ ...DEFAULT_OPTIONS, ...mode }, options);
        const writing = open();
        const commit = new CommitRecords(1 << 20);
        // What was in the memory before must not matter.
        for (const one of steps) if ('kind' in one) writing.rows(one, to, commit);
        commit.reset(true);
        let kept: RowsPart[] = [];
        for (const one of steps) {
          if ('kind' in one) {
            writing.rows(one, to, commit);
            kept.push(one);
          } else {
            commit.exclude(one.dropped.id);
            kept = kept.filter((written) => written.table !== one.dropped);
          }
        }
        dirty = 0;
        // Each part for itself has batches of its own.
        const expected = kept.flatMap((one) => encoded(open(), [one], to));
        assert.deepEqual(byPartition(recordsOf(commit)), byPartition(expected));
        assert.equal(commit.rows, kept.reduce((sum, { count }) => sum + count, 0) - dirty);
        const batches = commit.finish();
        assert.equal(
          commit.bytes,
          batches.reduce((sum, { records: { length } }) => sum + length - 61, 0),
        );
        for (const { count, records } of batches) {
          assert.ok(count === 1 || records.length <= Math.min(to.maxRecordBytes, BATCH_BYTES_MAX));
          if (records.length <= to.maxRecordBytes) continue;
          assert.ok(to.compression !== 'none');
          assert.ok(61 + compressedLength(records.subarray(61), to.compression) <= to.maxRecordBytes);
        }
      }),
      { numRuns: 30 },
    );
  });
}
