import { CommitRecords } from '../../src/connectors/kafka/encode/commit-records.ts';
import type { Envelope } from '../../src/connectors/kafka/encode/envelope.ts';
import { openEnvelope } from '../../src/connectors/kafka/encode/envelopes.ts';
import { sealBatch } from '../../src/connectors/kafka/encode/record-batch.ts';
import type { TableTopic } from '../../src/connectors/kafka/encode/table-topic.ts';
import { DEFAULT_OPTIONS } from '../../src/connectors/kafka/options.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { VERSION } from '../../src/lib/version.ts';
import type { RowsPart } from '../../src/pipeline/batch.ts';

const COMMIT_BYTES = 16 << 20;
const TOPIC: TableTopic = {
  topic: 'rows',
  partitions: 12,
  keyColumns: null,
  compression: 'none',
  needsKeys: false,
  maxBatchBytes: Infinity,
  maxRecordBytes: 1_048_588,
};
const PRODUCER = { producerId: 1n, epoch: 0, baseSequence: 0, isTransactional: true };

/** Makes the records of one envelope out of parts, and seals their batches every 16 MiB. */
export class EncodedRows {
  bytes = 0;
  records = 0;
  readonly #commit = new CommitRecords(2 * COMMIT_BYTES);
  readonly #envelope: Envelope;

  constructor(way: 'dataworks' | 'debezium' | 'debezium-schema' | 'canal') {
    const writeMode = way === 'dataworks' ? 'json' : way === 'canal' ? 'canal' : 'debezium';
    this.#envelope = openEnvelope(
      { ...DEFAULT_OPTIONS, writeMode, debeziumSchema: way === 'debezium-schema' },
      {
        sourceName: 'bench',
        version: VERSION,
        clock: systemClock,
        onDirty: ({ bytes }) => {
          throw new Error(`a record of ${bytes} bytes`);
        },
      },
    );
  }

  write(part: RowsPart): void {
    this.#envelope.rows(part, TOPIC, this.#commit);
    if (this.#commit.bytes >= COMMIT_BYTES) this.seal();
  }

  seal(): void {
    for (const { records, count } of this.#commit.finish()) {
      sealBatch(records, PRODUCER);
      this.bytes += records.length;
      this.records += count;
    }
    this.#commit.reset(true);
  }
}
