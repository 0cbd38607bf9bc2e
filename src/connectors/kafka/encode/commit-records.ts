import { type TableId, tableKey } from '../../../pipeline/table.ts';
import { MemoryPool } from './memory.ts';
import { BATCH_HEAD_BYTES, RecordBatch } from './record-batch.ts';
import { writeVarint, writeVarlong } from './varint.ts';

/** A finished batch, ready to be compressed, sealed and sent. Of one partition there may be several: they are in order. */
export interface FinishedBatch {
  readonly topic: string;
  readonly partition: number;
  /** A whole record batch, but for what `sealBatch` fills in. Valid until `reset`. */
  readonly records: Uint8Array<ArrayBuffer>;
  readonly count: number;
}

/** Larger batches gain nothing, and topics allow 1 MiB by default. */
export const BATCH_BYTES_MAX = 900 * 1024;

/** What one commit writes to one partition. */
export class PartitionRecords {
  readonly topic: string;
  readonly partition: number;
  readonly batches: RecordBatch[] = [];
  /** Bytes that a commit had here in one batch, at most, and the number of that commit. */
  usualBytes = 0;
  usedIn = -1;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }
}

/** What one commit writes to one topic. */
export class TopicRecords {
  readonly name: string;
  /** By index; those that were never written are missing. */
  readonly partitions: PartitionRecords[] = [];
  /** No batch of more than one record is longer: at most what the topic takes. */
  batchBytesMax = BATCH_BYTES_MAX;

  constructor(name: string) {
    this.name = name;
  }
}

/** A single record, written as it stands: checkpoints, heartbeats. */
export interface PlainRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Records of no table. */
const NOBODY = 0;

/**
 * All records of one commit, in batches by partition. Tables that share a partition share its batches, so that they keep
 * the order of the log; each run of records knows its table, which can be taken out again.
 */
export class CommitRecords {
  /** Row changes, as the source counts them. */
  rows = 0;
  /** Of all records. */
  bytes = 0;
  readonly pool: MemoryPool;
  readonly #topics = new Map<string, TopicRecords>();
  readonly #used = new Set<PartitionRecords>();
  readonly #owners = new Map<string, number>();
  #commit = 0;
  #lastTable: TableId | null = null;
  #lastOwner = NOBODY;
  readonly #rowsOf: number[] = [];

  /** `keptBytes`: memory that stays for the next commit, at most. */
  constructor(keptBytes: number) {
    this.pool = new MemoryPool(keptBytes);
  }

  /** Memory that the records hold: up to twice their bytes, and at least 4 KiB per batch. */
  get memoryBytes(): number {
    return this.pool.takenBytes;
  }

  /** The number under which a table's records run; until `reset`. */
  ownerOf(table: TableId): number {
    if (table !== this.#lastTable) {
      this.#lastOwner = this.#find(table);
      this.#lastTable = table;
    }
    return this.#lastOwner;
  }

  #find(table: TableId): number {
    const key = tableKey(table);
    const known = this.#owners.get(key);
    if (known !== undefined) return known;
    const owner = this.#owners.size + 1;
    this.#owners.set(key, owner);
    return owner;
  }

  countRows(owner: number, rows: number): void {
    this.rows += rows;
    this.#rowsOf[owner] = (this.#rowsOf[owner] ?? 0) + rows;
  }

  topic(name: string): TopicRecords {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const made = new TopicRecords(name);
    this.#topics.set(name, made);
    return made;
  }

  /** The batch of a partition that is open, or a new one. */
  openBatch({ name, partitions }: TopicRecords, partition: number): RecordBatch {
    const records = (partitions[partition] ??= new PartitionRecords(name, partition));
    const { batches } = records;
    if (batches.length > 0) return batches[batches.length - 1]!;
    // So much memory as it had in the last commit, if it was in that.
    return this.nextBatch(records, records.usedIn === this.#commit - 1 ? records.usualBytes : 0);
  }

  /** Begins a batch, with memory for so many bytes. */
  nextBatch(records: PartitionRecords, size: number): RecordBatch {
    const batch = new RecordBatch(this.pool, size);
    records.batches.push(batch);
    this.#used.add(records);
    return batch;
  }

  add({ topic, partition, key, value, time }: PlainRecord): void {
    const records = this.topic(topic);
    let batch = this.openBatch(records, partition);
    const room = 64 + (key?.length ?? 0) + (value?.length ?? 0);
    if (batch.count > 0 && batch.end + room > records.batchBytesMax) {
      batch = this.nextBatch(records.partitions[partition]!, BATCH_HEAD_BYTES + room);
    }
    if (batch.count === 0) batch.firstTime = time;
    if (batch.end + room > batch.memory.bytes.length) batch.memory.grow(batch.end + room, batch.end);
    const { bytes } = batch.memory;
    // Behind the longest head there may be, then moved to where it belongs.
    const body = batch.end + 5;
    bytes[body] = 0;
    let at = writeVarlong(bytes, body + 1, time - batch.firstTime);
    at = writeVarint(bytes, at, batch.count);
    at = writeField(bytes, at, key);
    at = writeField(bytes, at, value);
    at = writeVarint(bytes, at, 0);
    const start = writeVarint(bytes, batch.end, at - body);
    bytes.copyWithin(start, body, at);
    const end = start + at - body;
    this.bytes += end - batch.end;
    batch.add(NOBODY, end, time);
  }

  /** Takes out what was written for one table. */
  exclude(table: TableId): void {
    const owner = this.#owners.get(tableKey(table));
    if (owner === undefined) return;
    for (const { batches } of this.#used) for (const batch of batches) this.bytes -= batch.exclude(owner);
    this.rows -= this.#rowsOf[owner] ?? 0;
    this.#rowsOf[owner] = 0;
  }

  /** What is to be sent. */
  finish(): FinishedBatch[] {
    const finished: FinishedBatch[] = [];
    for (const { topic, partition, batches } of this.#used) {
      for (const batch of batches) {
        if (batch.count > 0) finished.push({ topic, partition, records: batch.finish(), count: batch.count });
      }
    }
    return finished;
  }

  /** Forgets everything. `isSent`: no socket still reads what `finish` gave; else its memory is not used again. */
  reset(isSent: boolean): void {
    for (const records of this.#used) {
      records.usualBytes = 0;
      records.usedIn = this.#commit;
      for (const batch of records.batches) {
        records.usualBytes = Math.max(records.usualBytes, Math.min(batch.end, BATCH_BYTES_MAX));
        batch.memory.free(isSent);
      }
      records.batches.length = 0;
    }
    this.pool.trim();
    this.#commit += 1;
    this.#used.clear();
    this.#owners.clear();
    this.#lastTable = null;
    this.#rowsOf.length = 0;
    this.rows = 0;
    this.bytes = 0;
  }
}

function writeField(bytes: Uint8Array, at: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(bytes, at, -1);
  const start = writeVarint(bytes, at, field.length);
  bytes.set(field, start);
  return start + field.length;
}
