import type { TimeZone } from '../../../lib/time-zone.ts';
import type { LogPlace, RowImage, RowsPart } from '../../../pipeline/batch.ts';
import { SEQUENCE_ID_BYTES, setSequenceRow, writeSequenceId } from '../../../pipeline/sequence-id.ts';
import type { Partition, PartitionOf } from '../partition.ts';
import { WIRE_TYPE } from '../protocol/row-stream.ts';
import { AsideRow, RowEncoder } from './row-encoder.ts';
import type { RowLayout } from './row-layout.ts';
import { DIRTY, DIRTY_REASONS } from './wire.ts';

/** Takes rows, and is told of those that cannot go anywhere. */
export interface RowTaker {
  /**
   * Takes a row that stands aside and copies what it keeps. Of a Delta table it is a change by key: with `isDelete` the row is the
   * key alone; what an upsert session wants behind the values is not in it.
   */
  take(partition: Partition, row: AsideRow, layout: RowLayout, isDelete: boolean): void;
  /** A row was left out, or the values that an update found. */
  onDirty(reason: string): void;
}

export interface RowTarget {
  readonly layout: RowLayout;
  readonly partitions: PartitionOf;
  readonly rows: RowTaker;
}

const LETTERS = Buffer.from('IUDTYN');
const [INSERTED, UPDATED, DELETED, VOID, YES, NO] = [0, 1, 2, 3, 4, 5] as const;

/**
 * Hands on the rows of parts, one at a time: each is written into memory aside, from where it is taken once it is known to be
 * clean, and its partition and the hash of its key with it. Of a row nothing or all is handed on: both rows of an update, the
 * delete of the old key and the upsert of the new one. Allocates nothing per row.
 */
export class RowWriter {
  readonly #encoder: RowEncoder;
  readonly #before = new AsideRow();
  readonly #after = new AsideRow();
  readonly #sequenceId = new Uint8Array(SEQUENCE_ID_BYTES);
  readonly #sequenceView = new DataView(this.#sequenceId.buffer);
  #part: RowsPart | null = null;
  #executeMs = 0;
  /** The newest time of a change so far. */
  #newestMicros = 0;
  #left = 0;

  /** `zone`: whose clock a DATETIME of the source is taken to show. */
  constructor(zone: TimeZone) {
    this.#encoder = new RowEncoder(zone);
  }

  /** Deletes of which nothing is written, because rows that were appended stay: since this was made. */
  get deletesLeftOut(): number {
    return this.#left;
  }

  write(part: RowsPart, target: RowTarget): void {
    this.#begin(part);
    target.partitions.start(part.timeMicros);
    const { count } = part;
    switch (target.layout.form) {
      case 'delta':
        for (let row = 0; row < count; row += 1) this.#delta(row, target);
        return;
      case 'log':
        for (let row = 0; row < count; row += 1) this.#log(row, target);
        return;
      case 'rows':
        if (part.op === 'delete') this.#left += count;
        else for (let row = 0; row < count; row += 1) this.#plain(row, target);
    }
  }

  /**
   * Tells a log that all rows before `place` are void: the source was emptied there, or a load begins. A statement that waited for
   * others has a time before theirs: it gets the time of the newest, so that no merge of a time between has one without the other.
   */
  writeVoid({ place, timeMicros }: { place: LogPlace; timeMicros: number }, target: RowTarget): void {
    const { layout, partitions, rows } = target;
    const micros = Math.max(timeMicros, this.#newestMicros);
    writeSequenceId(this.#sequenceView, 0, place, 0);
    this.#executeMs = Math.floor(micros / 1000);
    partitions.start(micros);
    const row = this.#after;
    row.begin();
    this.#meta(row, layout, VOID, false, false);
    rows.take(partitions.withoutRow(), row, layout, false);
  }

  #begin(part: RowsPart): void {
    if (part !== this.#part) writeSequenceId(this.#sequenceView, 0, part.place, 0);
    this.#part = part;
    // Existing rows have the time when they were selected, which the log may come to much later.
    if (part.op !== 'read') this.#newestMicros = Math.max(this.#newestMicros, part.timeMicros);
    this.#executeMs = Math.floor(part.timeMicros / 1000);
  }

  #delta(row: number, { layout, partitions, rows }: RowTarget): void {
    const part = this.#part!;
    const after = this.#after;
    const before = this.#before;
    let into: Partition | null = null;
    if (part.op !== 'delete') {
      after.begin();
      this.#encoder.write(after, part, row, 'after', layout.runs, layout.hasher);
      into = this.#clean(after, row, 'after', partitions, rows);
      // The target keeps what it has of this row.
      if (into === null) return;
    }
    if (part.op === 'delete' || part.op === 'update') {
      before.begin();
      this.#encoder.write(before, part, row, 'before', layout.keyRuns, layout.hasher);
      const outOf = partitions.of(part, row, 'before');
      // What was dirty before is not there to be deleted; of a delete alone, that is worth a word.
      if (before.dirty !== DIRTY.NONE || outOf === null) {
        if (part.op === 'delete') rows.onDirty(this.#reason(before, partitions));
      } else if (into !== outOf || !sameKey(before, after, layout)) rows.take(outOf, before, layout, true);
    }
    if (into !== null) rows.take(into, after, layout, false);
  }

  #log(row: number, target: RowTarget): void {
    const part = this.#part!;
    const { op } = part;
    const { layout, rows } = target;
    setSequenceRow(this.#sequenceView, SEQUENCE_ID_BYTES, part.place, row);
    let into: Partition | null = null;
    if (op !== 'delete') {
      into = this.#image(row, 'after', op === 'update' ? UPDATED : INSERTED, target);
      if (into === null) return;
    }
    if (op === 'delete' || op === 'update') {
      const outOf = this.#image(row, 'before', op === 'update' ? UPDATED : DELETED, target);
      if (outOf !== null) rows.take(outOf, this.#before, layout, false);
    }
    if (into !== null) rows.take(into, this.#after, layout, false);
  }

  #image(row: number, image: RowImage, what: number, { layout, partitions, rows }: RowTarget): Partition | null {
    const aside = image === 'before' ? this.#before : this.#after;
    aside.begin();
    this.#meta(aside, layout, what, image === 'before', image === 'after');
    this.#encoder.write(aside, this.#part!, row, image, layout.runs, layout.hasher);
    return this.#clean(aside, row, image, partitions, rows);
  }

  #plain(row: number, { layout, partitions, rows }: RowTarget): void {
    const after = this.#after;
    after.begin();
    this.#encoder.write(after, this.#part!, row, 'after', layout.runs, layout.hasher);
    const into = this.#clean(after, row, 'after', partitions, rows);
    if (into !== null) rows.take(into, after, layout, false);
  }

  /** The partition of a row that can be written; null, and said to be dirty, if it cannot. */
  #clean(aside: AsideRow, row: number, image: RowImage, partitions: PartitionOf, rows: RowTaker): Partition | null {
    const partition = aside.dirty === DIRTY.NONE ? partitions.of(this.#part!, row, image) : null;
    if (partition === null) rows.onDirty(this.#reason(aside, partitions));
    return partition;
  }

  #reason(aside: AsideRow, partitions: PartitionOf): string {
    return aside.dirty === DIRTY.NONE ? partitions.refused : (DIRTY_REASONS[aside.dirty] ?? '');
  }

  #meta({ stream }: AsideRow, { meta }: RowLayout, what: number, isBefore: boolean, isAfter: boolean): void {
    stream.field(meta._sequence_id_, WIRE_TYPE.BYTES);
    stream.blob(this.#sequenceId, 0, SEQUENCE_ID_BYTES);
    stream.field(meta._operation_type_, WIRE_TYPE.BYTES);
    stream.blob(LETTERS, what, what + 1);
    stream.field(meta._execute_time_, WIRE_TYPE.VARINT);
    stream.integer(this.#executeMs);
    stream.field(meta._before_image_, WIRE_TYPE.BYTES);
    stream.blob(LETTERS, isBefore ? YES : NO, (isBefore ? YES : NO) + 1);
    stream.field(meta._after_image_, WIRE_TYPE.BYTES);
    stream.blob(LETTERS, isAfter ? YES : NO, (isAfter ? YES : NO) + 1);
  }
}

/** Whether the key of `before`, a row of key columns alone, is that of `after`: the same bytes, tags included. */
function sameKey(before: AsideRow, after: AsideRow, { keyPlaces }: RowLayout): boolean {
  if (before.hash !== after.hash) return false;
  for (let key = 0; key < keyPlaces.length; key += 1) {
    const place = keyPlaces[key]!;
    const from = after.starts[place]!;
    const length = after.starts[place + 1]! - from;
    const other = before.starts[key]!;
    if (before.starts[key + 1]! - other !== length) return false;
    for (let at = 0; at < length; at += 1)
      if (before.stream.bytes[other + at] !== after.stream.bytes[from + at]) return false;
  }
  return true;
}
