import type { Arena } from './arena.ts';
import type { RowLayout } from './row-layout.ts';

/** What the last change of a key leaves behind. */
export const ENTRY = {
  /** The key is gone. */
  DELETE: 0,
  /** The row stands as encoded; the target may or may not have the key. */
  UPSERT: 1,
  /** The same, and as far as this commit shows the target has no such key: the source inserted or loaded it. */
  FRESH: 2,
  /** The target refused the row: dirty. */
  REFUSED: 3,
} as const;

const FIRST_ENTRIES = 64;
/** Index arrays larger than this are given back after the commit that needed them. */
const KEPT_ENTRIES_MAX = 65536;

/**
 * The changes of one target table within one commit, merged by key: the last one of each key counts. All keys left are
 * distinct, so deletes may go before upserts (H1–H3), in any order.
 *
 * An open-addressing hash table over the key's bytes, in typed arrays: `slots` holds entry + 1, an entry is where its row
 * (or, for a delete, its key) stands in the arena. A key's bytes follow the row's field count and, as every field says
 * its length, none is a prefix of another.
 */
export class TableBuffer {
  /** True when the target is to be emptied before these changes. */
  empty = false;
  count = 0;
  offsets!: Int32Array;
  lengths!: Int32Array;
  /** One of ENTRY. */
  states!: Uint8Array;
  /** Index into `layouts`. */
  versions!: Uint16Array;
  readonly layouts: RowLayout[] = [];

  #hashes!: Int32Array;
  #slots!: Int32Array;

  constructor() {
    this.#allocate(FIRST_ENTRIES);
  }

  /** The index of a layout among those of this commit. */
  versionOf(layout: RowLayout): number {
    const index = this.layouts.lastIndexOf(layout);
    return index >= 0 ? index : this.layouts.push(layout) - 1;
  }

  /**
   * Merges in the row or key that stands at the end of the arena, from `start` to `end`, and moves `arena.used` behind
   * what has to stay: a row as long as the one it replaces takes its place.
   */
  put(arena: Arena, start: number, end: number, keyEnd: number, state: number, version: number): void {
    const hash = hashBytes(arena.view, start + 2, keyEnd);
    const entry = this.#find(arena, hash, start + 2, keyEnd - start - 2);
    if (entry < 0) {
      this.#add(hash, start, end - start, state, version);
      arena.used = end;
      return;
    }
    const before = this.states[entry]!;
    this.states[entry] = state === ENTRY.DELETE ? state : before === ENTRY.FRESH ? before : ENTRY.UPSERT;
    this.versions[entry] = version;
    if (this.lengths[entry] === end - start) {
      arena.bytes.copyWithin(this.offsets[entry]!, start, end);
      arena.used = start;
      return;
    }
    this.offsets[entry] = start;
    this.lengths[entry] = end - start;
    arena.used = end;
  }

  /** The target is emptied here: what was changed before is void. */
  restart(): void {
    this.reset();
    this.empty = true;
  }

  reset(): void {
    this.empty = false;
    this.layouts.length = 0;
    if (this.count === 0) return;
    this.count = 0;
    if (this.offsets.length > KEPT_ENTRIES_MAX) this.#allocate(FIRST_ENTRIES);
    else this.#slots.fill(0);
  }

  #find(arena: Arena, hash: number, keyStart: number, keyLength: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] === hash && equalBytes(arena.bytes, this.offsets[entry]! + 2, keyStart, keyLength)) {
        return entry;
      }
    }
  }

  #add(hash: number, offset: number, length: number, state: number, version: number): void {
    if (this.count === this.offsets.length) this.#grow();
    const entry = this.count++;
    this.offsets[entry] = offset;
    this.lengths[entry] = length;
    this.states[entry] = state;
    this.versions[entry] = version;
    this.#hashes[entry] = hash;
    this.#place(hash, entry);
  }

  #place(hash: number, entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = entry + 1;
  }

  #grow(): void {
    const { offsets, lengths, states, versions } = this;
    const hashes = this.#hashes;
    this.#allocate(this.offsets.length * 2);
    this.offsets.set(offsets);
    this.lengths.set(lengths);
    this.states.set(states);
    this.versions.set(versions);
    this.#hashes.set(hashes);
    for (let entry = 0; entry < this.count; entry++) this.#place(this.#hashes[entry]!, entry);
  }

  /** In one piece of memory: with a thousand tables, six for each would keep the garbage collector busy. */
  #allocate(entries: number): void {
    const memory = new ArrayBuffer(entries * (5 * 4 + 2 + 1));
    this.offsets = new Int32Array(memory, 0, entries);
    this.lengths = new Int32Array(memory, entries * 4, entries);
    this.#hashes = new Int32Array(memory, entries * 8, entries);
    this.#slots = new Int32Array(memory, entries * 12, entries * 2);
    this.versions = new Uint16Array(memory, entries * 20, entries);
    this.states = new Uint8Array(memory, entries * 22, entries);
  }
}

/** Where the key of the row or key at `start` ends. */
export function keyEndOf(view: DataView, start: number, keyCount: number): number {
  let at = start + 2;
  for (let i = 0; i < keyCount; i++) at += 4 + view.getInt32(at);
  return at;
}

export function equalBytes(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}

function hashBytes(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
