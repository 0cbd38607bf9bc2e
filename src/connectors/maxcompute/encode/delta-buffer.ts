import { bucketOf } from '../protocol/key-hash.ts';
import { type RowStream, WIRE_TYPE } from '../protocol/row-stream.ts';
import { UPSERT_OPERATION } from '../protocol/upsert-session.ts';

const FIRST_ENTRIES = 64;
/** What one entry takes beside its row: the arrays below. */
const ENTRY_BYTES = 4 * 6 + 1 + 8;

/** A row, or the key of one that is gone, as it was encoded at the end of the memory of rows. */
export interface EncodedChange {
  /** Where the bytes of the key begin, and end: values in the order of the columns, tags and all. */
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Where the row begins, and ends; of a deleted row, the key. */
  readonly start: number;
  readonly end: number;
  /** Of the row's values. */
  readonly crc: number;
  /** Sum of the hashes of the key's columns: says the bucket. */
  readonly hash: number;
  readonly isDelete: boolean;
}

/**
 * The changes of one partition of a Delta table within one commit, merged by key: a session is told of each key once,
 * because nobody says in which order it takes two changes of one key.
 *
 * An open-addressing hash table over the keys' bytes, in typed arrays: `slots` holds entry + 1; an entry is where its key
 * and row stand in the memory of rows.
 */
export class DeltaBuffer {
  count = 0;
  #keyStarts = new Int32Array(FIRST_ENTRIES);
  #keyLengths = new Int32Array(FIRST_ENTRIES);
  #starts = new Int32Array(FIRST_ENTRIES);
  #lengths = new Int32Array(FIRST_ENTRIES);
  #crcs = new Int32Array(FIRST_ENTRIES);
  #hashes = new Int32Array(FIRST_ENTRIES);
  #operations = new Uint8Array(FIRST_ENTRIES);
  #slots = new Int32Array(FIRST_ENTRIES * 2);

  /** What the index takes. */
  get bytes(): number {
    return this.#starts.length * ENTRY_BYTES;
  }

  /**
   * Merges in the change that stands at the end of `memory`, from `keyStart` or `start`, and takes back what of it need not
   * stay: one as long as that which it replaces takes its place.
   */
  put(memory: RowStream, change: EncodedChange): void {
    const { keyStart, start, end } = change;
    const first = Math.min(keyStart, start);
    const entry = this.#find(memory.bytes, change);
    if (entry < 0) {
      this.#add(change);
      return;
    }
    const old = Math.min(this.#keyStarts[entry]!, this.#starts[entry]!);
    const oldEnd = Math.max(
      this.#keyStarts[entry]! + this.#keyLengths[entry]!,
      this.#starts[entry]! + this.#lengths[entry]!,
    );
    if (oldEnd - old === end - first) {
      memory.bytes.copyWithin(old, first, end);
      this.#set(entry, change, old - first);
      memory.at = first;
      return;
    }
    this.#set(entry, change, 0);
  }

  /** Forgets all changes; keeps its memory for as many again. */
  reset(): void {
    if (this.count === 0) return;
    this.count = 0;
    this.#slots.fill(0);
  }

  /** The entries by bucket: those of bucket b are `order[from[b]]` to `order[from[b + 1] - 1]`. */
  byBucket(buckets: number): { readonly order: Int32Array; readonly from: Int32Array } {
    const from = new Int32Array(buckets + 1);
    const of = new Int32Array(this.count);
    for (let entry = 0; entry < this.count; entry++) {
      const bucket = bucketOf(this.#hashes[entry]!, buckets);
      of[entry] = bucket;
      from[bucket + 1]! += 1;
    }
    for (let bucket = 0; bucket < buckets; bucket++) from[bucket + 1]! += from[bucket]!;
    const next = from.slice(0, buckets);
    const order = new Int32Array(this.count);
    for (let entry = 0; entry < this.count; entry++) order[next[of[entry]!]!++] = entry;
    return { order, from };
  }

  /** Writes one entry as an upsert session has it: its values, and behind the table's `columns` those of the session. */
  writeRow(entry: number, memory: Uint8Array, columns: number, into: RowStream): void {
    const start = this.#starts[entry]!;
    into.resumeRow(memory, start, start + this.#lengths[entry]!, this.#crcs[entry]!);
    into.field(columns + 3, WIRE_TYPE.VARINT);
    into.integer(this.#operations[entry]!);
    into.field(columns + 5, WIRE_TYPE.BYTES);
    into.uncounted(0);
    into.endRow();
  }

  #find(bytes: Uint8Array, { keyStart, keyEnd, hash }: EncodedChange): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const length = keyEnd - keyStart;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (entry < 0) return -1;
      if (
        this.#hashes[entry] === hash &&
        this.#keyLengths[entry] === length &&
        equalBytes(bytes, this.#keyStarts[entry]!, keyStart, length)
      )
        return entry;
    }
  }

  #add(change: EncodedChange): void {
    if (this.count === this.#starts.length) this.#grow();
    const entry = this.count++;
    this.#set(entry, change, 0);
    this.#place(change.hash, entry);
  }

  #set(entry: number, { keyStart, keyEnd, start, end, crc, hash, isDelete }: EncodedChange, moved: number): void {
    this.#keyStarts[entry] = keyStart + moved;
    this.#keyLengths[entry] = keyEnd - keyStart;
    this.#starts[entry] = start + moved;
    this.#lengths[entry] = end - start;
    this.#crcs[entry] = crc;
    this.#hashes[entry] = hash;
    this.#operations[entry] = isDelete ? UPSERT_OPERATION.DELETE : UPSERT_OPERATION.UPSERT;
  }

  #place(hash: number, entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = spread(hash) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = entry + 1;
  }

  #grow(): void {
    const arrays = this.#arrays();
    const operations = this.#operations;
    this.#allocate(this.#starts.length * 2);
    for (const [index, array] of this.#arrays().entries()) array.set(arrays[index]!);
    this.#operations.set(operations);
    for (let entry = 0; entry < this.count; entry++) this.#place(this.#hashes[entry]!, entry);
  }

  #arrays(): Int32Array[] {
    return [this.#keyStarts, this.#keyLengths, this.#starts, this.#lengths, this.#crcs, this.#hashes];
  }

  #allocate(entries: number): void {
    this.#keyStarts = new Int32Array(entries);
    this.#keyLengths = new Int32Array(entries);
    this.#starts = new Int32Array(entries);
    this.#lengths = new Int32Array(entries);
    this.#crcs = new Int32Array(entries);
    this.#hashes = new Int32Array(entries);
    this.#operations = new Uint8Array(entries);
    this.#slots = new Int32Array(entries * 2);
  }
}

/** The hash says the bucket by its low bits: keys of one bucket would be neighbours. */
function spread(hash: number): number {
  const mixed = Math.imul(hash, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

function equalBytes(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}
