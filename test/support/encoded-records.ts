import type { DdlPart, RowsPart } from '../../src/pipeline/batch.ts';
import type { TableVersion, ValueType } from '../../src/pipeline/table.ts';
import { CommitRecords } from '../../src/connectors/kafka/encode/commit-records.ts';
import type { DirtyRecord, Envelope, EnvelopeOptions } from '../../src/connectors/kafka/encode/envelope.ts';
import { sealBatch } from '../../src/connectors/kafka/encode/record-batch.ts';
import type { TableTopic } from '../../src/connectors/kafka/encode/table-topic.ts';
import { readBatches, type ReadRecord } from './kafka-batches.ts';
import { type ScriptedRow, scriptedTable, type ScriptedValue } from './scripted-rows.ts';

export const NOW = 1_700_000_001_000;
export const SERVER = { system: 'mysql', version: '9.7.1', id: 11 };
export const PLACE = {
  server: SERVER,
  epoch: 2,
  file: 'binlog.000031',
  fileNumber: 31,
  position: 123_456_789,
  within: 5,
  gtid: null,
};
/** The time of changes, in microseconds. */
export const TIME_MICROS = 1_700_000_000_123_456;

export const TOPIC: TableTopic = {
  topic: 'orders',
  partitions: 6,
  keyColumns: null,
  compression: 'none',
  needsKeys: false,
  maxBatchBytes: Infinity,
  maxRecordBytes: 1_048_588,
};

export function envelopeOptions(changed: Partial<EnvelopeOptions> = {}): EnvelopeOptions {
  return {
    partitioner: 'key',
    timeZone: 'UTC',
    sourceName: 'shop_source',
    version: '0.1.0',
    clock: { now: () => NOW },
    onDirty: ({ bytes, limit }) => {
      throw new Error(`a record of ${bytes} bytes where ${limit} are allowed`);
    },
    ...changed,
  };
}

/** A part as of a log, with the time and place that tests expect. */
export function logged(part: RowsPart, changed: Partial<RowsPart> = {}): RowsPart {
  return { ...part, timeMicros: TIME_MICROS, place: PLACE, ...changed };
}

export interface EncodedRecord extends ReadRecord {
  readonly topic: string;
  readonly partition: number;
}

/** What an envelope makes of parts, as a Kafka client's reader finds it: by partition, in order. */
export function encoded(
  envelope: Envelope,
  parts: readonly (RowsPart | DdlPart)[],
  to: TableTopic = TOPIC,
): EncodedRecord[] {
  const commit = new CommitRecords(0);
  for (const part of parts) {
    if (part.kind === 'rows') envelope.rows(part, to, commit);
    else envelope.ddl(part, to, commit);
  }
  return recordsOf(commit);
}

export function recordsOf(commit: CommitRecords): EncodedRecord[] {
  return commit.finish().flatMap(({ topic, partition, records }) => {
    sealBatch(records, { producerId: 1n, epoch: 0, baseSequence: 0, isTransactional: true });
    return readBatches(records).flatMap((batch) => batch.records.map((record) => ({ topic, partition, ...record })));
  });
}

/** A table with a key `id` and one column `v` of a type. */
export function tableOf(type: ValueType, { nullable = true, sourceType = '' } = {}): TableVersion {
  const table = scriptedTable('shop', 'orders', { id: { kind: 'integer', bytes: 8, unsigned: false }, v: type }, [
    'id',
  ]);
  const columns = table.columns.map((column) => (column.name === 'v' ? { ...column, nullable, sourceType } : column));
  return { ...table, columns };
}

export function rowOf(value: ScriptedValue): ScriptedRow {
  return [1, value];
}

export type { DirtyRecord };
