import { freeMemory } from '../../../lib/free-memory.ts';
import { DeltaBuffer, type EncodedChange } from './delta-buffer.ts';
import type { AsideRow } from './row-encoder.ts';
import type { RowLayout } from './row-layout.ts';
import { RowList } from './row-list.ts';
import type { Partition } from '../partition.ts';
import { RowStream } from '../protocol/row-stream.ts';
import type { Target } from '../target.ts';
import type { PlannedColumn } from '../wanted-table.ts';

/** Memory of rows that stays for the next commit. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Indexes of rows that stay for the next commit: those of the first partitions, of at most so many bytes each. */
const KEPT_INDEXES = 2;
const KEPT_INDEX_BYTES = 12 * 2 ** 20;
/** What a partition takes before it has rows, and what the index takes for a row while it grows. */
const SLICE_BYTES = 4096;
const INDEX_BYTES_PER_ROW = 50;

/** The rows of one partition of a target: what one session will be told. */
export interface Slice {
  readonly partition: Partition;
  readonly rows: DeltaBuffer | RowList;
}

/** What one commit does to one target. */
export interface TableChanges {
  readonly target: Target;
  /** It is emptied before rows are written. */
  truncate: boolean;
  /** Columns that it gets before rows are written. */
  readonly added: Map<string, PlannedColumn>;
  readonly slices: Map<string, Slice>;
  /** The slice of the row before: mostly that of the next one. */
  last: Slice | null;
}

/** All that one commit will write. Two of them take turns: one is filled while the other is written. */
export class CommitBuffer {
  /** Rows as they were encoded; none of them is ended. */
  memory: RowStream = new RowStream();
  /** After merging by key. */
  rows = 0;
  /** Of tables that have some, those with rows here. */
  partitions = 0;
  #slices = 0;
  readonly #tables = new Map<Target, TableChanges>();
  readonly #idle: { readonly byKey: DeltaBuffer[]; readonly lists: RowList[] } = { byKey: [], lists: [] };
  /** Used again for each row. */
  readonly #change: { -readonly [K in keyof EncodedChange]: EncodedChange[K] } = {
    keyStart: 0,
    keyEnd: 0,
    start: 0,
    end: 0,
    crc: 0,
    hash: 0,
    isDelete: false,
  };

  get bytes(): number {
    return this.memory.at + this.rows * INDEX_BYTES_PER_ROW + this.#slices * SLICE_BYTES;
  }

  /** Nothing is to be done for it. */
  get isEmpty(): boolean {
    return this.#tables.size === 0;
  }

  /** The changes of one target, which are then part of the commit. */
  of(target: Target): TableChanges {
    const known = this.#tables.get(target);
    if (known !== undefined) return known;
    const changes = { target, truncate: false, added: new Map(), slices: new Map(), last: null };
    this.#tables.set(target, changes);
    return changes;
  }

  /**
   * Takes one row, or of a Delta table one change: `row` is then the key alone if it `isDelete`.
   * Errors: PipelineError `table` when its partition would be one too many.
   */
  take(changes: TableChanges, partition: Partition, row: AsideRow, layout: RowLayout, isDelete: boolean): void {
    const { rows } = this.#slice(changes, partition);
    const { memory } = this;
    const before = rows.count;
    const first = memory.at;
    if (rows instanceof RowList) {
      const crc = memory.keepCopy(row.stream);
      rows.add(first, memory.at, crc);
    } else {
      const change = this.#change;
      const { keyPlaces } = layout;
      const keys = keyPlaces.length;
      const leads = isDelete || keyPlaces[keys - 1] === keys - 1;
      if (!leads)
        for (let key = 0; key < keys; key += 1) {
          const place = keyPlaces[key]!;
          memory.copyBytes(row.stream.bytes, row.starts[place]!, row.starts[place + 1]!);
        }
      change.keyStart = first;
      change.start = memory.at;
      change.crc = memory.keepCopy(row.stream);
      change.end = memory.at;
      change.keyEnd = !leads ? change.start : isDelete ? change.end : first + row.starts[keys]!;
      change.hash = row.hash;
      change.isDelete = isDelete;
      rows.put(memory, change);
    }
    this.rows += rows.count - before;
  }

  /** The targets with changes, in the order in which they came. */
  tables(): TableChanges[] {
    return [...this.#tables.values()];
  }

  /** What was buffered of a target is void. */
  clear(changes: TableChanges): void {
    for (const { rows, partition } of changes.slices.values()) {
      this.rows -= rows.count;
      this.#slices -= 1;
      if (partition.spec !== '') this.partitions -= 1;
    }
    changes.slices.clear();
    changes.last = null;
  }

  /** Leaves a target out of this commit. */
  exclude(target: Target): void {
    const changes = this.#tables.get(target);
    if (changes !== undefined) this.clear(changes);
    this.#tables.delete(target);
  }

  reset(): void {
    for (const { slices } of this.#tables.values()) for (const { rows } of slices.values()) this.#keep(rows);
    this.#tables.clear();
    this.rows = 0;
    this.partitions = 0;
    this.#slices = 0;
    if (this.memory.bytes.length > KEPT_BYTES) {
      freeMemory(this.memory.bytes.buffer);
      this.memory = new RowStream();
    } else this.memory.reset();
  }

  #slice(changes: TableChanges, partition: Partition): Slice {
    if (changes.last?.partition === partition) return changes.last;
    let slice = changes.slices.get(partition.spec);
    if (slice === undefined) {
      changes.target.limits.admit(partition, Date.now());
      const { byKey, lists } = this.#idle;
      const rows =
        changes.target.form === 'delta' ? (byKey.pop() ?? new DeltaBuffer()) : (lists.pop() ?? new RowList());
      slice = { partition, rows };
      changes.slices.set(partition.spec, slice);
      this.#slices += 1;
      if (partition.spec !== '') this.partitions += 1;
    }
    changes.last = slice;
    return slice;
  }

  #keep(rows: Slice['rows']): void {
    if (rows.bytes > KEPT_INDEX_BYTES) return;
    rows.reset();
    if (rows instanceof DeltaBuffer) {
      if (this.#idle.byKey.length < KEPT_INDEXES) this.#idle.byKey.push(rows);
    } else if (this.#idle.lists.length < KEPT_INDEXES) this.#idle.lists.push(rows);
  }
}
