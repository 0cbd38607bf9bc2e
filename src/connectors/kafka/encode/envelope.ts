import type { Clock } from '../../../lib/clock.ts';
import type { DdlPart, RowsPart } from '../../../pipeline/batch.ts';
import type { TableId } from '../../../pipeline/table.ts';
import type { CommitRecords } from './commit-records.ts';
import type { Partitioner } from './partitioner.ts';
import type { TableTopic } from './table-topic.ts';

/** A row or a statement that its topic does not take: nothing of it was written. */
export interface DirtyRecord {
  readonly table: TableId;
  readonly topic: string;
  /** Of the record that is too long. */
  readonly bytes: number;
  /** What the topic takes (`max.message.bytes`). */
  readonly limit: number;
}

/** Milliseconds since the epoch. */
export interface HeartbeatTimes {
  readonly eventTime: number;
  readonly checkpointTime: number;
}

/** Writes changes as the records that readers of one format expect. */
export interface Envelope {
  /** Writes the rows of a part; counts those that it wrote. */
  rows(part: RowsPart, to: TableTopic, into: CommitRecords): void;
  /** Writes a statement, where the format has something for it. */
  ddl(part: DdlPart, to: TableTopic, into: CommitRecords): void;
  /** Writes that everything before was seen, where the format has something for it. */
  heartbeat(topic: string, partition: number, times: HeartbeatTimes, into: CommitRecords): void;
}

export interface EnvelopeOptions {
  readonly partitioner: Partitioner;
  /** Whose clock a DATETIME shows. */
  readonly timeZone: string;
  /** What Debezium calls the logical name of the source: `source.name`, and the first part of its schemas' names. */
  readonly sourceName: string;
  /** Ours. */
  readonly version: string;
  readonly clock: Clock;
  readonly onDirty: (record: DirtyRecord) => void;
}
