import { crc32c, Writer } from '@platformatic/kafka';
import { Memory, type MemoryPool } from './memory.ts';
import { endOfVarint, readVarint, sizeOfVarint, writeVarint } from './varint.ts';

/*
 * A record batch, version 2 (KIP-98):
 *    0 baseOffset int64 | 8 batchLength int32 | 12 partitionLeaderEpoch int32 | 16 magic int8 | 17 crc uint32
 *   21 attributes int16 | 23 lastOffsetDelta int32 | 27 baseTimestamp int64 | 35 maxTimestamp int64
 *   43 producerId int64 | 51 producerEpoch int16 | 53 baseSequence int32 | 57 count int32 | 61 records
 * The CRC is of all that follows it. What compression leaves as it is ends at 61.
 */
const AT = {
  LENGTH: 8,
  LEADER_EPOCH: 12,
  MAGIC: 16,
  CRC: 17,
  ATTRIBUTES: 21,
  LAST_OFFSET_DELTA: 23,
  BASE_TIMESTAMP: 27,
  MAX_TIMESTAMP: 35,
  PRODUCER_ID: 43,
  PRODUCER_EPOCH: 51,
  BASE_SEQUENCE: 53,
  COUNT: 57,
} as const;
export const BATCH_HEAD_BYTES = 61;
const MAGIC = 2;
const IS_TRANSACTIONAL = 0x10;
const CODEC_BITS = 0x07;

/** Who writes a batch, and as which of their batches; -1 throughout for a producer without idempotence. */
export interface BatchProducer {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
}

/** Fills in what is known only when a finished batch is sent, then its CRC. May be done again: a re-sent batch may get another sequence. */
export function sealBatch(
  batch: Uint8Array,
  { producerId, epoch, baseSequence, isTransactional }: BatchProducer,
): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const attributes = view.getInt16(AT.ATTRIBUTES) & ~IS_TRANSACTIONAL;
  view.setInt16(AT.ATTRIBUTES, attributes | (isTransactional ? IS_TRANSACTIONAL : 0));
  view.setBigInt64(AT.PRODUCER_ID, producerId);
  view.setInt16(AT.PRODUCER_EPOCH, epoch);
  view.setInt32(AT.BASE_SEQUENCE, baseSequence);
  const start = batch.byteOffset + AT.ATTRIBUTES;
  view.setUint32(AT.CRC, checksum(Buffer.from(batch.buffer, start, batch.length - AT.ATTRIBUTES)));
}

/** CRC32C. What is not in their own kind of buffer they copy first, which takes four times as long. */
function checksum(bytes: Buffer): number {
  return crc32c(Writer.create().append(bytes).dynamicBuffer) >>> 0;
}

/** Records of one partition, in the order in which they are written. Times are milliseconds since the epoch. */
export class RecordBatch {
  readonly memory: Memory;
  count = 0;
  /** Bytes, with the head. */
  end = BATCH_HEAD_BYTES;
  firstTime = 0;
  maxTime = 0;
  /** Runs of records of one owner: whose they are, and where they begin. */
  readonly #owners: number[] = [];
  readonly #starts: number[] = [];

  constructor(pool: MemoryPool, size: number) {
    this.memory = new Memory(pool, size);
  }

  /** A record was written from `end` to `to`. */
  add(owner: number, to: number, time: number): void {
    const owners = this.#owners;
    if (owners.length === 0 || owners[owners.length - 1] !== owner) {
      owners.push(owner);
      this.#starts.push(this.end);
    }
    if (this.count === 0 || time > this.maxTime) this.maxTime = time;
    this.count += 1;
    this.end = to;
  }

  /** The last record, which begins at `start`, is taken back; `maxTime` is what it was before. */
  takeBack(start: number, maxTime: number): void {
    this.count -= 1;
    this.end = start;
    this.maxTime = maxTime;
    if (this.#starts[this.#starts.length - 1] === start) {
      this.#starts.pop();
      this.#owners.pop();
    }
  }

  /** Takes out all records of an owner; returns how many bytes that were. */
  exclude(owner: number): number {
    const owners = this.#owners.splice(0);
    const starts = this.#starts.splice(0);
    const before = this.end;
    if (!owners.includes(owner)) {
      this.#owners.push(...owners);
      this.#starts.push(...starts);
      return 0;
    }
    this.end = BATCH_HEAD_BYTES;
    this.count = 0;
    for (let run = 0; run < owners.length; run += 1) {
      if (owners[run] === owner) continue;
      const stop = starts[run + 1] ?? before;
      for (let at = starts[run]!; at < stop; ) at = this.#moveHere(owners[run]!, at);
    }
    return before - this.end;
  }

  /** Moves the record at `from`, which lies at `end` or behind it, to `end`. Returns where it ended. */
  #moveHere(owner: number, from: number): number {
    const { bytes } = this.memory;
    const body = endOfVarint(bytes, from);
    const stop = body + readVarint(bytes, from);
    const timeDelta = readVarint(bytes, body + 1);
    const offsetDelta = endOfVarint(bytes, body + 1);
    const rest = endOfVarint(bytes, offsetDelta);
    const size = offsetDelta - body + sizeOfVarint(this.count) + stop - rest;
    const to = writeVarint(bytes, this.end, size);
    bytes.copyWithin(to, body, offsetDelta);
    const at = writeVarint(bytes, to + offsetDelta - body, this.count);
    bytes.copyWithin(at, rest, stop);
    this.add(owner, at + stop - rest, this.firstTime + timeDelta);
    return stop;
  }

  /** The batch as it is sent, but for what `sealBatch` fills in. Valid as long as nothing is written to it. */
  finish(): Uint8Array<ArrayBuffer> {
    writeHead(this.memory.view, this, this.end, 0);
    return this.memory.bytes.subarray(0, this.end);
  }
}

/** A finished batch with other bytes for its records, and the codec that made them. */
export function withRecords(batch: Uint8Array, records: Uint8Array, codec: number): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(Buffer.allocUnsafeSlow(BATCH_HEAD_BYTES + records.length).buffer);
  made.set(batch.subarray(0, BATCH_HEAD_BYTES));
  made.set(records, BATCH_HEAD_BYTES);
  const view = new DataView(made.buffer);
  view.setInt32(AT.LENGTH, made.length - AT.LEADER_EPOCH);
  view.setInt16(AT.ATTRIBUTES, codec & CODEC_BITS);
  return made;
}

interface Head {
  readonly count: number;
  readonly firstTime: number;
  readonly maxTime: number;
}

function writeHead(view: DataView, { count, firstTime, maxTime }: Head, length: number, codec: number): void {
  view.setBigInt64(0, 0n);
  view.setInt32(AT.LENGTH, length - AT.LEADER_EPOCH);
  view.setInt32(AT.LEADER_EPOCH, -1);
  view.setInt8(AT.MAGIC, MAGIC);
  view.setUint32(AT.CRC, 0);
  view.setInt16(AT.ATTRIBUTES, codec);
  view.setInt32(AT.LAST_OFFSET_DELTA, count - 1);
  view.setBigInt64(AT.BASE_TIMESTAMP, BigInt(firstTime));
  view.setBigInt64(AT.MAX_TIMESTAMP, BigInt(maxTime));
  view.setBigInt64(AT.PRODUCER_ID, -1n);
  view.setInt16(AT.PRODUCER_EPOCH, -1);
  view.setInt32(AT.BASE_SEQUENCE, -1);
  view.setInt32(AT.COUNT, count);
}
