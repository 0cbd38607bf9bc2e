import { promisify } from 'node:util';
import { constants, gzip, gzipSync, zstdCompress, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import type { FinishedBatch } from './commit-records.ts';
import { BATCH_HEAD_BYTES, withRecords } from './record-batch.ts';

/** By the bits that say it in a batch's attributes. */
const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export type Codec = keyof typeof CODECS;

/** The fastest level, whose output is hardly longer; what comes out in pieces of 64 KiB. */
const ZSTD = { chunkSize: 64 * 1024, params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const GZIP = { level: 1 };

const gzipAside = promisify(gzip);
const zstdAside = promisify(zstdCompress);

/** As many as there are threads for it; each takes a few MiB. */
const AT_ONCE = 4;

/** Compresses the records of finished batches; the slow ways on threads of their own. The batches are not changed. */
export async function compressBatches(
  batches: readonly FinishedBatch[],
  codec: Codec,
): Promise<readonly FinishedBatch[]> {
  if (codec === 'none') return batches;
  const compressed = [...batches];
  const waiting = batches.entries();
  const work = async () => {
    for (const [index, batch] of waiting) {
      compressed[index] = { ...batch, records: await compressBatch(batch.records, codec) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return compressed;
}

async function compressBatch(
  batch: Uint8Array<ArrayBuffer>,
  codec: Exclude<Codec, 'none'>,
): Promise<Uint8Array<ArrayBuffer>> {
  const records = Buffer.from(batch.buffer, batch.byteOffset + BATCH_HEAD_BYTES, batch.length - BATCH_HEAD_BYTES);
  return withRecords(batch, await compress(records, codec), CODECS[codec]);
}

async function compress(records: Buffer, codec: Exclude<Codec, 'none'>): Promise<Uint8Array> {
  switch (codec) {
    case 'gzip':
      return gzipAside(records, GZIP);
    case 'zstd':
      return zstdAside(records, ZSTD);
    case 'lz4':
      return compressionsAlgorithms.lz4.compressSync(records);
    case 'snappy':
      return xerialSnappy(records);
  }
}

/** Bytes that records take once they are compressed. Waits for it: for single long records. */
export function compressedLength(records: Uint8Array, codec: Exclude<Codec, 'none'>): number {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.length);
  switch (codec) {
    case 'gzip':
      return gzipSync(bytes, GZIP).length;
    case 'zstd':
      return zstdCompressSync(bytes, ZSTD).length;
    case 'lz4':
      return compressionsAlgorithms.lz4.compressSync(bytes).length;
    case 'snappy':
      return xerialSnappy(bytes).length;
  }
}

/** Bytes that Java's SnappyOutputStream compresses together. */
const SNAPPY_BLOCK_BYTES = 32 * 1024;
/** 0x82 "SNAPPY" 0, version 1, compatible with version 1. */
const XERIAL_HEAD = Buffer.from('82534e41505059000000000100000001', 'hex');

/** Snappy as Java's clients frame it: a head, then blocks, each behind its length (int32). */
function xerialSnappy(records: Buffer): Buffer {
  const pieces: Buffer[] = [XERIAL_HEAD];
  for (let at = 0; at < records.length; at += SNAPPY_BLOCK_BYTES) {
    const block = compressionsAlgorithms.snappy.compressSync(records.subarray(at, at + SNAPPY_BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    pieces.push(length, block);
  }
  return Buffer.concat(pieces);
}
