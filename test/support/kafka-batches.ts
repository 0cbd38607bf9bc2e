import assert from 'node:assert/strict';
import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka';

export interface ReadRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly time: bigint;
  readonly headers: readonly (readonly [string, string])[];
}

export interface ReadBatch {
  readonly attributes: number;
  readonly producerId: bigint;
  readonly epoch: number;
  readonly baseSequence: number;
  readonly firstTime: bigint;
  readonly maxTime: bigint;
  readonly records: readonly ReadRecord[];
}

/** Reads record batches with the reader of a Kafka client, and checks what it does not: lengths, CRC and offset deltas. */
export function readBatches(bytes: Uint8Array): ReadBatch[] {
  const batches: ReadBatch[] = [];
  for (let at = 0; at < bytes.length; ) {
    const whole = Buffer.from(bytes.subarray(at));
    const length = 12 + whole.readInt32BE(8);
    const batch = Buffer.from(whole.subarray(0, length));
    assert.equal(batch.length, length);
    assert.equal(batch.readUInt32BE(17), crc32c(batch.subarray(21)) >>> 0, 'the CRC fits');
    const read = readRecordsBatch(Reader.from(batch));
    const { records } = read;
    assert.equal(read.lastOffsetDelta, records.length - 1);
    assert.deepEqual(
      records.map(({ offsetDelta }) => Number(offsetDelta)),
      records.map((_, index) => index),
    );
    batches.push({
      attributes: read.attributes,
      producerId: read.producerId,
      epoch: read.producerEpoch,
      baseSequence: read.firstSequence,
      firstTime: read.firstTimestamp,
      maxTime: read.maxTimestamp,
      records: records.map(({ key, value, timestampDelta, headers }) => ({
        key: textOf(key),
        value: textOf(value),
        time: read.firstTimestamp + timestampDelta,
        headers: headers.map(([name, text]) => [textOf(name) ?? '', textOf(text) ?? ''] as const),
      })),
    });
    at += length;
  }
  return batches;
}

function textOf(bytes: Buffer | null | undefined): string | null {
  return bytes == null ? null : bytes.toString('utf8');
}
