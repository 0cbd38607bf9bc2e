import type { Codec } from './compression.ts';

/** Where a table's records go, and under which keys. */
export interface TableTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Indexes into the columns of the table version, in key order; null for its own key. */
  readonly keyColumns: readonly number[] | null;
  /** The largest record batch that the topic takes (`max.message.bytes`). */
  readonly maxRecordBytes: number;
  /** No batch of more than one record is longer. */
  readonly maxBatchBytes: number;
  /** The topic is compacted: it takes no record without a key. */
  readonly needsKeys: boolean;
  /** What batches are compressed with: the topic's limit is of what comes out. */
  readonly compression: Codec;
}
