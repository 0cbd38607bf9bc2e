import type { TimeZone } from '../../../lib/time-zone.ts';
import type { LogPlace, RowImage, RowsPart } from '../../../pipeline/batch.ts';
import { SEQUENCE_ID_BYTES, setSequenceRow, writeSequenceId } from '../../../pipeline/sequence-id.ts';
import type { Partition, PartitionOf } from '../partition.ts';
import { RowStream, WIRE_TYPE } from '../protocol/row-stream.ts';
import { UPSERT_OPERATION } from '../protocol/upsert-session.ts';
import { AsideRow, RowEncoder } from './row-encoder.ts';
import type { RowLayout } from './row-layout.ts';
import { DIRTY, DIRTY_REASONS } from './wire.ts';

/** Where rows go, and what is told of those that cannot go anywhere. */
export interface RowStreams {
  /**
   * The stream that takes the next row of a partition; may be another one each time. `hash` is the sum of the hashes of the key, of
   * which `bucketOf` makes the bucket; 0 for `log` and `rows`. Null: there is none yet; then nothing of this row is written.
   */
  streamOf(partition: Partition, hash: number): RowStream | null;
  /** A row was left out, or the values that an update found. */
  onDirty(reason: string): void;
}

export interface RowTarget {
  readonly layout: RowLayout;
  readonly partitions: PartitionOf;
  readonly streams: RowStreams;
}

const UPSERT = UPSERT_OPERATION.UPSERT;
const DELETE = UPSERT_OPERATION.DELETE;
/** Behind `__version` and `__app_version`, which stay null, and behind `__key_cols`, which does too. */
const OPERATION = 2;
const VALUE_COLUMNS = 4;

const LETTERS = Buffer.from('IUDTYN');
const [INSERTED, UPDATED, DELETED, VOID, YES, NO] = [0, 1, 2, 3, 4, 5] as const;

/**
 * Writes the rows of parts into row streams, a row at a time: into memory aside, from where it goes to its stream once it is
 * known to be clean, and its partition and bucket with it. Of a row nothing or all is written: both rows of an update, the
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
  #left = 0;

  /** `zone`: whose clock a DATETIME of the source is taken to show. */
  constructor(zone: TimeZone) {
    this.#encoder = new RowEncoder(zone);
  }

  /** Deletes of which nothing is written, because rows that were appended stay: since this was made. */
  get deletesLeftOut(): number {
    return this.#left;
  }

  /**
   * Writes the rows of `part` from row `from` on. Returns the row to go on with: the part's count when all were written, or the
   * first one for which there was no stream.
   */
  write(part: RowsPart, from: number, target: RowTarget): number {
    this.#begin(part);
    target.partitions.start(part.timeMicros);
    const { count } = part;
    switch (target.layout.form) {
      case 'delta':
        for (let row = from; row < count; row += 1) if (!this.#delta(row, target)) return row;
        return count;
      case 'log':
        for (let row = from; row < count; row += 1) if (!this.#log(row, target)) return row;
        return count;
      case 'rows':
        if (part.op === 'delete') {
          this.#left += count - from;
          return count;
        }
        for (let row = from; row < count; row += 1) if (!this.#plain(row, target)) return row;
        return count;
    }
  }

  /**
   * Writes into a log that all rows before `place` are void: the source was emptied there, or a load begins. False if there was
   * no stream for it.
   */
  writeVoid({ place, timeMicros }: { place: LogPlace; timeMicros: number }, target: RowTarget): boolean {
    const { layout, partitions, streams } = target;
    writeSequenceId(this.#sequenceView, 0, place, 0);
    this.#executeMs = Math.floor(timeMicros / 1000);
    partitions.start(timeMicros);
    const stream = streams.streamOf(partitions.withoutRow(), 0);
    if (stream === null) return false;
    const row = this.#after;
    row.begin();
    this.#meta(row, layout, VOID, false, false);
    stream.takeRow(row.stream);
    return true;
  }

  #begin(part: RowsPart): void {
    if (part !== this.#part) writeSequenceId(this.#sequenceView, 0, part.place, 0);
    this.#part = part;
    this.#executeMs = Math.floor(part.timeMicros / 1000);
  }

  #delta(row: number, { layout, partitions, streams }: RowTarget): boolean {
    const part = this.#part!;
    const after = this.#after;
    const before = this.#before;
    let into: Partition | null = null;
    if (part.op !== 'delete') {
      after.begin();
      this.#encoder.write(after, part, row, 'after', layout.runs, layout.hasher);
      into = this.#clean(after, row, 'after', partitions, streams);
      // The target keeps what it has of this row.
      if (into === null) return true;
      operation(after.stream, layout, UPSERT);
    }
    let outOf: Partition | null = null;
    if (part.op === 'delete' || part.op === 'update') {
      before.begin();
      this.#encoder.write(before, part, row, 'before', layout.keyRuns, layout.hasher);
      outOf = partitions.of(part, row, 'before');
      // What was dirty before is not there to be deleted; of a delete alone, that is worth a word.
      if (before.dirty !== DIRTY.NONE || outOf === null) {
        if (part.op === 'delete') streams.onDirty(this.#reason(before, partitions));
        outOf = null;
      } else if (into === outOf && sameKey(before, after, layout)) outOf = null;
      else operation(before.stream, layout, DELETE);
    }
    const oldStream = outOf === null ? null : streams.streamOf(outOf, before.hash);
    if (outOf !== null && oldStream === null) return false;
    if (into !== null) {
      const stream = streams.streamOf(into, after.hash);
      if (stream === null) return false;
      // The stream may be the same, and the old key goes before the new one.
      oldStream?.takeRow(before.stream);
      stream.takeRow(after.stream);
    } else oldStream?.takeRow(before.stream);
    return true;
  }

  #log(row: number, { layout, partitions, streams }: RowTarget): boolean {
    const part = this.#part!;
    const { op } = part;
    setSequenceRow(this.#sequenceView, SEQUENCE_ID_BYTES, part.place, row);
    let into: Partition | null = null;
    if (op !== 'delete') {
      into = this.#image(row, 'after', op === 'update' ? UPDATED : INSERTED, { layout, partitions, streams });
      if (into === null) return true;
    }
    const stream = into === null ? null : streams.streamOf(into, 0);
    if (into !== null && stream === null) return false;
    let outOf: Partition | null = null;
    if (op === 'delete' || op === 'update')
      outOf = this.#image(row, 'before', op === 'update' ? UPDATED : DELETED, { layout, partitions, streams });
    const oldStream = outOf === null ? null : streams.streamOf(outOf, 0);
    if (outOf !== null && oldStream === null) return false;
    oldStream?.takeRow(this.#before.stream);
    stream?.takeRow(this.#after.stream);
    return true;
  }

  #image(row: number, image: RowImage, what: number, { layout, partitions, streams }: RowTarget): Partition | null {
    const aside = image === 'before' ? this.#before : this.#after;
    aside.begin();
    this.#meta(aside, layout, what, image === 'before', image === 'after');
    this.#encoder.write(aside, this.#part!, row, image, layout.runs, layout.hasher);
    return this.#clean(aside, row, image, partitions, streams);
  }

  #plain(row: number, { layout, partitions, streams }: RowTarget): boolean {
    const after = this.#after;
    after.begin();
    this.#encoder.write(after, this.#part!, row, 'after', layout.runs, layout.hasher);
    const into = this.#clean(after, row, 'after', partitions, streams);
    if (into === null) return true;
    const stream = streams.streamOf(into, 0);
    stream?.takeRow(after.stream);
    return stream !== null;
  }

  /** The partition of a row that can be written; null, and said to be dirty, if it cannot. */
  #clean(
    aside: AsideRow,
    row: number,
    image: RowImage,
    partitions: PartitionOf,
    streams: RowStreams,
  ): Partition | null {
    const partition = aside.dirty === DIRTY.NONE ? partitions.of(this.#part!, row, image) : null;
    if (partition === null) streams.onDirty(this.#reason(aside, partitions));
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

function operation(stream: RowStream, { upsertColumns }: RowLayout, what: number): void {
  stream.field(upsertColumns + OPERATION, WIRE_TYPE.VARINT);
  stream.integer(what);
  // Empty: all columns are set.
  stream.field(upsertColumns + VALUE_COLUMNS, WIRE_TYPE.BYTES);
  stream.uncounted(0);
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
