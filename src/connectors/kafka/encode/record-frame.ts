import type { ByteWriter } from './byte-writer.ts';
import { compressedLength } from './compression.ts';
import { BATCH_BYTES_MAX, type CommitRecords, type TopicRecords } from './commit-records.ts';
import type { Memory } from './memory.ts';
import { BATCH_HEAD_BYTES, type RecordBatch } from './record-batch.ts';
import type { TableTopic } from './table-topic.ts';
import { sizeOfVarint, writeVarint, writeVarlong } from './varint.ts';

/** A record's head without its key, and what is behind its value, at most. */
const FRAME_BYTES = 48;
/** Of one record before compression: brokers and readers have to hold it, too. */
const PLAIN_BYTES_MAX = 64 * 1024 * 1024;
/** No headers. */
const NONE = Uint8Array.of(0);
/** Records of one row, at most. */
const RECORDS_MAX = 3;

/**
 * The time of a change's records, in milliseconds. Brokers refuse times that are far ahead of their own
 * (`message.timestamp.after.max.ms`), and a source's clock may be.
 */
export function recordTime(timeMicros: number, now: number): number {
  return Math.min(Math.floor(timeMicros / 1000), now);
}

/** A key as it lies in a writer's memory; null is a record without a key. */
export interface KeyPlace {
  readonly memory: Memory;
  start: number;
  end: number;
}

/**
 * Puts records into their batches: writes what is around a value, while the value is written in place. A record is
 *     length varint | attributes int8 | time delta varlong | offset delta varint | key length, key | value length, value | headers
 * Lengths stand before what they measure: room for as many bytes as the last record's had is left, and only where that was
 * wrong bytes are moved.
 */
export class RecordFrame {
  #into!: CommitRecords;
  #to!: TableTopic;
  #topic!: TopicRecords;
  #owner = 0;
  #time = 0;

  #batch!: RecordBatch;
  #partition = 0;
  #body = 0;
  #rest = 0;
  #valueLengthAt = 0;
  #lengthSize = 2;
  #valueLengthSize = 2;
  #size = 0;

  /** The records of the row so far, to take them back. */
  #count = 0;
  readonly #batches: RecordBatch[] = [];
  readonly #starts = new Int32Array(RECORDS_MAX);
  readonly #maxTimes = new Float64Array(RECORDS_MAX);

  /** The records that follow are one table's; `time` in milliseconds since the epoch. */
  start(into: CommitRecords, to: TableTopic, owner: number, time: number): void {
    this.#into = into;
    this.#to = to;
    this.#topic = into.topic(to.topic);
    this.#topic.batchBytesMax = Math.min(BATCH_BYTES_MAX, to.maxRecordBytes, to.maxBatchBytes);
    this.#owner = owner;
    this.#time = time;
    this.#count = 0;
  }

  /** The records that follow are of the next row. */
  nextRow(): void {
    this.#count = 0;
  }

  /** Opens a record, with room for a value of so many bytes: `writer` stands where the value begins. */
  begin(writer: ByteWriter, partition: number, key: KeyPlace | null, room: number): void {
    const batch = this.#into.openBatch(this.#topic, partition);
    if (batch.count === 0) batch.firstTime = this.#time;
    const { end, memory } = batch;
    const wanted = end + FRAME_BYTES + (key === null ? 0 : key.end - key.start) + room;
    if (wanted > memory.bytes.length) memory.grow(wanted, end);
    const { bytes } = memory;
    this.#batch = batch;
    this.#partition = partition;
    this.#body = end + this.#lengthSize;
    bytes[this.#body] = 0;
    let at = writeVarlong(bytes, this.#body + 1, this.#time - batch.firstTime);
    at = writeVarint(bytes, at, batch.count);
    this.#rest = at;
    this.#valueLengthAt = key === null ? writeVarint(bytes, at, -1) : writeKey(bytes, at, key);
    writer.use(memory, this.#valueLengthAt + this.#valueLengthSize);
    writer.limit(this.plainBytesMax);
  }

  /** What is longer before compression is given up while it is written. */
  get plainBytesMax(): number {
    return this.#to.compression === 'none' ? this.#to.maxRecordBytes : PLAIN_BYTES_MAX;
  }

  /** The value is written. False when the record is longer than its topic takes: then none of it is left. */
  end(writer: ByteWriter, headers: Uint8Array = NONE): boolean {
    if (writer.lost > 0) {
      this.#size = writer.lost + writer.at - this.#batch.end;
      return this.#giveUp();
    }
    writer.reserve(headers.length + FRAME_BYTES);
    const { bytes } = this.#batch.memory;
    const start = this.#valueLengthAt + this.#valueLengthSize;
    const length = writer.at - start;
    const size = sizeOfVarint(length);
    if (size !== this.#valueLengthSize) {
      bytes.copyWithin(this.#valueLengthAt + size, start, writer.at);
      this.#valueLengthSize = size;
    }
    return this.#close(writeVarint(bytes, this.#valueLengthAt, length) + length, headers);
  }

  /** The record has no value. */
  endNull(): boolean {
    return this.#close(writeVarint(this.#batch.memory.bytes, this.#valueLengthAt, -1), NONE);
  }

  /** Takes back the row's records. */
  undoRow(): void {
    while (this.#count > 0) {
      this.#count -= 1;
      const batch = this.#batches[this.#count]!;
      const start = this.#starts[this.#count]!;
      this.#into.bytes -= batch.end - start;
      batch.takeBack(start, this.#maxTimes[this.#count]!);
    }
  }

  /** The bytes of the last record, or what they would be. */
  get size(): number {
    return this.#size;
  }

  #close(valueEnd: number, headers: Uint8Array): boolean {
    const batch = this.#batch;
    const { bytes } = batch.memory;
    let end = valueEnd;
    for (let index = 0; index < headers.length; index += 1) bytes[end++] = headers[index]!;
    const length = end - this.#body;
    const size = sizeOfVarint(length);
    const moved = batch.end + size - this.#body;
    if (moved !== 0) {
      bytes.copyWithin(batch.end + size, this.#body, end);
      this.#lengthSize = size;
      this.#rest += moved;
      end += moved;
    }
    writeVarint(bytes, batch.end, length);
    // As the first of a batch: whether the topic takes it must not hang on what was written before.
    const alone = 3 + end - this.#rest;
    this.#size = sizeOfVarint(alone) + alone;
    if (BATCH_HEAD_BYTES + this.#size > this.#to.maxRecordBytes && !this.#fitsCompressed(end)) return this.#giveUp();
    if (batch.count > 0 && end > this.#topic.batchBytesMax) this.#beginBatch(end);
    else this.#add(batch, end);
    return true;
  }

  /** The record is too long. */
  #giveUp(): false {
    const { memory, end } = this.#batch;
    memory.shrink(end);
    return false;
  }

  /** A record that is too long as it stands may fit compressed: it is in a batch of its own then. */
  #fitsCompressed(end: number): boolean {
    const { maxRecordBytes, compression } = this.#to;
    if (compression === 'none') return false;
    const rest = this.#batch.memory.bytes.subarray(this.#rest, end);
    return BATCH_HEAD_BYTES + FRAME_BYTES + compressedLength(rest, compression) <= maxRecordBytes;
  }

  #add(batch: RecordBatch, end: number): void {
    this.#batches[this.#count] = batch;
    this.#starts[this.#count] = batch.end;
    this.#maxTimes[this.#count] = batch.maxTime;
    this.#count += 1;
    this.#into.bytes += end - batch.end;
    batch.add(this.#owner, end, this.#time);
  }

  /** The record does not fit into the batch behind which it was written: it becomes the first of the next one. */
  #beginBatch(end: number): void {
    const full = this.#batch;
    const length = end - this.#rest;
    const size = Math.max(BATCH_HEAD_BYTES + FRAME_BYTES + length, Math.min(full.end, BATCH_BYTES_MAX));
    const batch = this.#into.nextBatch(this.#topic.partitions[this.#partition]!, size);
    batch.firstTime = this.#time;
    const { bytes } = batch.memory;
    // Attributes, and no time or offset from those of the batch.
    const at = writeVarint(bytes, batch.end, 3 + length);
    bytes.fill(0, at, at + 3);
    bytes.set(full.memory.bytes.subarray(this.#rest, end), at + 3);
    // Its bytes are gone from here on.
    full.memory.shrink(full.end);
    this.#add(batch, at + 3 + length);
  }
}

function writeKey(bytes: Uint8Array, at: number, { memory, start, end }: KeyPlace): number {
  const key = memory.bytes;
  let to = writeVarint(bytes, at, end - start);
  for (let from = start; from < end; from += 1) bytes[to++] = key[from]!;
  return to;
}
