import type { DdlPart, RowImage, RowsPart, SourceServer } from '../../../pipeline/batch.ts';
import { allColumns, type ColumnSet, type TableVersion } from '../../../pipeline/table.ts';
import type { CommitRecords } from './commit-records.ts';
import { DebeziumKey, type DebeziumKeyLayout, layDebeziumKey } from './debezium-key.ts';
import { valueSchema } from './debezium-schema.ts';
import { DebeziumTails, type SourceTexts, type Tail } from './debezium-tail.ts';
import { type DebeziumLayout, DebeziumValues, layDebezium } from './debezium-values.ts';
import type { Envelope, EnvelopeOptions } from './envelope.ts';
import { layKey } from './key-layout.ts';
import { Keys } from './keys.ts';
import { Memory, MemoryPool } from './memory.ts';
import { type KeyPlace, RecordFrame, recordTime } from './record-frame.ts';
import type { TableTopic } from './table-topic.ts';
import { writeVarint } from './varint.ts';

const OPS = { insert: 'c', read: 'r', update: 'u', delete: 'd' } as const;

/** What of a table version's records is the same for all. */
interface Layout {
  readonly to: TableTopic;
  readonly system: string;
  readonly key: DebeziumKeyLayout;
  readonly values: DebeziumLayout;
  readonly columns: ColumnSet;
  readonly source: SourceTexts;
  /** Up to the first value: of a before image, and of an after image without one. */
  readonly beforeHead: Buffer;
  readonly afterHead: Buffer;
  /** Up to the payload's first member. */
  readonly head: Buffer;
}

const BETWEEN = Buffer.from('},"after":{');
const ROW_DIGITS_MAX = 16;

/**
 * Debezium's envelope in JSON, with or without schemas. A delete is followed by a tombstone; a changed key is a delete of the old
 * one and its tombstone, then a create of the new one, each with a header that names the other.
 */
export class DebeziumJson implements Envelope {
  readonly #options: EnvelopeOptions;
  readonly #withSchema: boolean;
  readonly #frame = new RecordFrame();
  readonly #keys: Keys<DebeziumKeyLayout>;
  readonly #values: DebeziumValues;
  readonly #tails: DebeziumTails;
  readonly #layouts = new WeakMap<TableVersion, Layout>();

  constructor(options: EnvelopeOptions, { withSchema }: { readonly withSchema: boolean }) {
    this.#options = options;
    this.#withSchema = withSchema;
    const pool = new MemoryPool(0);
    const keyMemory = new Memory(pool, 1);
    this.#keys = new Keys(keyMemory, new DebeziumKey(keyMemory));
    this.#values = new DebeziumValues(new Memory(pool, 1));
    this.#tails = new DebeziumTails(pool, { withSchema });
  }

  rows(part: RowsPart, to: TableTopic, into: CommitRecords): void {
    const layout = this.#layout(part.table, part.place.server, to);
    const owner = into.ownerOf(part.table.id);
    const now = this.#options.clock.now();
    this.#frame.start(into, to, owner, recordTime(part.timeMicros, now));
    this.#tails.start(part, OPS[part.op], layout.source, now);
    let written = 0;
    for (let row = 0; row < part.count; row += 1) {
      this.#frame.nextRow();
      this.#keys.read(part, row, layout.key);
      if (this.#keys.isChanged ? this.#moved(part, row, layout) : this.#row(part, row, layout)) written += 1;
      else {
        this.#frame.undoRow();
        this.#leaveOut(part.table, to);
      }
    }
    into.countRows(owner, written);
    this.#keys.giveBack();
  }

  /** A TRUNCATE is a record without a key, which not every topic takes; Debezium has no other statements in a table's topic. */
  ddl(part: DdlPart, to: TableTopic, into: CommitRecords): void {
    if (part.ddl !== 'TRUNCATETABLE' || to.needsKeys) return;
    const layout = this.#layout(part.table, part.place.server, to);
    const { key, head } = layout;
    const now = this.#options.clock.now();
    this.#tails.start(part, 't', layout.source, now);
    this.#frame.start(into, to, into.ownerOf(part.table.id), recordTime(part.timeMicros, now));
    this.#frame.begin(this.#values, key.tablePartition, null, head.length);
    this.#values.put(head);
    if (!this.#end(0, this.#tails.usual)) this.#leaveOut(part.table, to);
  }

  heartbeat(): void {
    // Debezium's go to topics of their own.
  }

  /** False, here and below, when a record is too long. */
  #row(part: RowsPart, row: number, layout: Layout): boolean {
    const keys = this.#keys;
    const { usual } = this.#tails;
    if (part.op === 'delete') return this.#delete(part, row, layout, usual);
    this.#begin(keys.after, layout, part.op === 'update' ? layout.beforeHead : layout.afterHead);
    if (part.op === 'update') {
      this.#image(part, row, 'before', layout);
      this.#values.put(BETWEEN);
    }
    this.#image(part, row, 'after', layout);
    return this.#end(part.place.within + row, usual);
  }

  /** The row has another key. */
  #moved(part: RowsPart, row: number, layout: Layout): boolean {
    const { before, after } = this.#keys;
    const { deleted, created } = this.#tails;
    this.#tails.addMoved();
    if (!this.#delete(part, row, layout, deleted, header('__debezium.newkey', after))) return false;
    this.#begin(after, layout, layout.afterHead);
    this.#image(part, row, 'after', layout);
    return this.#end(part.place.within + row, created, header('__debezium.oldkey', before));
  }

  #delete(part: RowsPart, row: number, layout: Layout, tail: Tail, headers?: Uint8Array): boolean {
    const { before } = this.#keys;
    const { key, to } = layout;
    this.#begin(before, layout, layout.beforeHead);
    this.#image(part, row, 'before', layout);
    if (!this.#end(part.place.within + row, tail, headers)) return false;
    if (key.columns.length === 0) return true;
    this.#frame.begin(this.#values, this.#keys.partition(before, key, to), before, 0);
    return this.#frame.endNull();
  }

  #begin(place: KeyPlace, { key, to, values }: Layout, head: Buffer): void {
    const partition = this.#keys.partition(place, key, to);
    const room = head.length + 2 * values.names.imageBytes;
    this.#frame.begin(this.#values, partition, key.columns.length === 0 ? null : place, room);
    this.#values.put(head);
  }

  #image(part: RowsPart, row: number, image: RowImage, { values, columns }: Layout): void {
    this.#values.start(values);
    part.visit(row, image, columns, this.#values);
    this.#values.reserve(BETWEEN.length);
  }

  #end(row: number, { start, end }: Tail, headers?: Uint8Array): boolean {
    const values = this.#values;
    const { text } = this.#tails;
    const before = text.bytesOf(start);
    const after = text.bytesOf(end);
    values.reserve(before.length + after.length + ROW_DIGITS_MAX);
    values.put(before);
    values.integerText(row);
    values.put(after);
    return this.#frame.end(values, headers);
  }

  #leaveOut(table: TableVersion, { topic, maxRecordBytes }: TableTopic): void {
    this.#options.onDirty({ table: table.id, topic, bytes: this.#frame.size, limit: maxRecordBytes });
  }

  #layout(table: TableVersion, server: SourceServer, to: TableTopic): Layout {
    const known = this.#layouts.get(table);
    if (known !== undefined && known.to === to && known.system === server.system) return known;
    const { partitioner, sourceName, version } = this.#options;
    const { database, table: name } = table.id;
    const texts = [version, server.system, sourceName, database, name].map((text) => JSON.stringify(text));
    const head = this.#withSchema ? `{"schema":${valueSchema(sourceName, server.system, table)},"payload":{` : '{';
    const layout: Layout = {
      to,
      system: server.system,
      key: layDebeziumKey(table, layKey(table, to, partitioner), this.#withSchema ? sourceName : null),
      values: layDebezium(table.columns),
      columns: allColumns(table),
      source: {
        connector: Buffer.from(`"version":${texts[0]},"connector":${texts[1]},"name":${texts[2]}`),
        table: Buffer.from(`"db":${texts[3]},"sequence":null,"table":${texts[4]}`),
      },
      head: Buffer.from(head),
      beforeHead: Buffer.from(`${head}"before":{`),
      afterHead: Buffer.from(`${head}"before":null,"after":{`),
    };
    this.#layouts.set(table, layout);
    return layout;
  }
}

/** One header, as records have them: count, length and name, length and value. */
function header(name: string, { memory, start, end }: KeyPlace): Uint8Array {
  const bytes = new Uint8Array(name.length + end - start + 16);
  let at = writeVarint(bytes, 0, 1);
  at = writeVarint(bytes, at, name.length);
  bytes.set(Buffer.from(name), at);
  at = writeVarint(bytes, at + name.length, end - start);
  bytes.set(memory.bytes.subarray(start, end), at);
  return bytes.subarray(0, at + end - start);
}
