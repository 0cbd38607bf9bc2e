import type { DdlPart, RowsPart } from '../../../pipeline/batch.ts';
import { allColumns, type ColumnSet, type TableVersion } from '../../../pipeline/table.ts';
import { canalSqlType } from './canal-types.ts';
import { type CanalLayout, CanalValues, layCanal } from './canal-values.ts';
import type { CommitRecords } from './commit-records.ts';
import { DDL_OPS } from './ddl-ops.ts';
import type { Envelope, EnvelopeOptions } from './envelope.ts';
import { type KeyLayout, layKey } from './key-layout.ts';
import { KeyText } from './key-text.ts';
import { Keys } from './keys.ts';
import { Memory, MemoryPool } from './memory.ts';
import { PartText, TextPiece } from './part-text.ts';
import { type KeyPlace, RecordFrame, recordTime } from './record-frame.ts';
import type { TableTopic } from './table-topic.ts';
import { TimeZone } from '../../../lib/time-zone.ts';

type Type = 'INSERT' | 'UPDATE' | 'DELETE';
const START = Buffer.from('{"id":');
const OLD = Buffer.from('}],"old":[{');
const OLD_END = Buffer.from('}]');
const NO_OLD = Buffer.from('}],"old":null');
/** `id`, `es` and `ts`. */
const FIXED_BYTES_MAX = 80;

/** What of a table version's records is the same for all. */
interface Layout {
  readonly to: TableTopic;
  readonly key: KeyLayout;
  readonly values: CanalLayout;
  readonly columns: ColumnSet;
  /** The members from `database` to `type`, up to `es`. */
  readonly starts: Readonly<Record<Type, Buffer>>;
  /** Those from `sql` to the first value. */
  readonly types: Buffer;
}

/**
 * Canal's flat messages in JSON, one row each. An update says in `old` only what changed; where that is the key, it is a DELETE and an
 * INSERT, so that every message is under its own key. Source: alibaba/canal, FlatMessage and MQMessageUtils.
 */
export class CanalJson implements Envelope {
  readonly #options: EnvelopeOptions;
  readonly #frame = new RecordFrame();
  readonly #keys: Keys<KeyLayout>;
  readonly #values: CanalValues;
  /** Before images, to be compared. */
  readonly #old: CanalValues;
  readonly #oldMemory: Memory;
  readonly #text: PartText;
  readonly #times = new TextPiece();
  readonly #gtid = new TextPiece();
  readonly #layouts = new WeakMap<TableVersion, Layout>();
  #lastId = 0;

  constructor(options: EnvelopeOptions) {
    this.#options = options;
    const pool = new MemoryPool(0);
    const keyMemory = new Memory(pool, 1);
    const zone = new TimeZone(options.timeZone);
    this.#oldMemory = new Memory(pool, 1);
    this.#keys = new Keys(keyMemory, new KeyText(keyMemory));
    this.#values = new CanalValues(this.#oldMemory, zone);
    this.#old = new CanalValues(this.#oldMemory, zone);
    this.#text = new PartText(pool);
  }

  rows(part: RowsPart, to: TableTopic, into: CommitRecords): void {
    const layout = this.#layout(part.table, to);
    const owner = into.ownerOf(part.table.id);
    const now = this.#options.clock.now();
    this.#frame.start(into, to, owner, recordTime(part.timeMicros, now));
    this.#writePart(part, now);
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
    this.#oldMemory.shrink(0);
  }

  ddl(part: DdlPart, to: TableTopic, into: CommitRecords): void {
    const { database, table } = part.table.id;
    const { key } = this.#layout(part.table, to);
    const now = this.#options.clock.now();
    const value = Buffer.from(
      JSON.stringify({
        id: (this.#lastId += 1),
        database,
        table,
        pkNames: null,
        isDdl: true,
        type: DDL_OPS[part.ddl],
        es: eventTime(part.timeMicros),
        ts: now,
        sql: part.statement,
        sqlType: null,
        mysqlType: null,
        data: null,
        old: null,
        gtid: part.place.gtid ?? '',
      }),
    );
    this.#frame.start(into, to, into.ownerOf(part.table.id), recordTime(part.timeMicros, now));
    this.#frame.begin(this.#values, key.tablePartition, this.#keys.none, value.length);
    this.#values.put(value);
    if (!this.#frame.end(this.#values)) this.#leaveOut(part.table, to);
  }

  heartbeat(): void {
    // Canal's messages have none.
  }

  /** False, here and below, when a record is too long. */
  #row(part: RowsPart, row: number, layout: Layout): boolean {
    if (part.op === 'update') return this.#update(part, row, layout);
    return this.#image(part, row, layout, part.op === 'delete' ? 'DELETE' : 'INSERT');
  }

  /** The row has another key. */
  #moved(part: RowsPart, row: number, layout: Layout): boolean {
    return this.#image(part, row, layout, 'DELETE') && this.#image(part, row, layout, 'INSERT');
  }

  /** A message with one image. */
  #image(part: RowsPart, row: number, layout: Layout, type: 'INSERT' | 'DELETE'): boolean {
    const isDelete = type === 'DELETE';
    this.#begin(isDelete ? this.#keys.before : this.#keys.after, layout, type);
    part.visit(row, isDelete ? 'before' : 'after', layout.columns, this.#values);
    return this.#end(NO_OLD);
  }

  #update(part: RowsPart, row: number, layout: Layout): boolean {
    const values = this.#values;
    const old = this.#old;
    this.#begin(this.#keys.after, layout, 'UPDATE');
    part.visit(row, 'after', layout.columns, values);
    values.finish();
    old.use(this.#oldMemory, 0);
    old.limit(this.#frame.plainBytesMax);
    old.start(layout.values);
    part.visit(row, 'before', layout.columns, old);
    old.finish();
    // What both images have in common is in `data`, the rest in `old`: of a long before image, the record is as long.
    if (old.lost > 0) values.lost += old.lost + old.at;
    if (values.lost === 0) {
      values.reserve(OLD.length);
      values.put(OLD);
      values.writeChanged(old);
    }
    return this.#end(OLD_END);
  }

  /** `id`, then the members that are the table's, and between them the part's. */
  #begin(key: KeyPlace, { key: keyLayout, to, values: layout, starts, types }: Layout, type: Type): void {
    const values = this.#values;
    const start = starts[type];
    const room = START.length + FIXED_BYTES_MAX + start.length + types.length + layout.names.imageBytes;
    this.#frame.begin(values, this.#keys.partition(key, keyLayout, to), key, room);
    values.put(START);
    values.integerText((this.#lastId += 1));
    values.put(start);
    values.put(this.#text.bytesOf(this.#times));
    values.put(types);
    values.start(layout);
  }

  #end(old: Buffer): boolean {
    const values = this.#values;
    const gtid = this.#text.bytesOf(this.#gtid);
    values.reserve(old.length + gtid.length);
    values.put(old);
    values.put(gtid);
    return this.#frame.end(values);
  }

  /** Writes what all records of a part have in common. */
  #writePart({ timeMicros, place }: RowsPart, now: number): void {
    const text = this.#text;
    text.restart();
    text.begin(this.#times);
    text.number(eventTime(timeMicros));
    text.characters(',"ts":');
    text.number(now);
    text.end(this.#times);
    text.begin(this.#gtid);
    text.characters(`,"gtid":${JSON.stringify(place.gtid ?? '')}}`);
    text.end(this.#gtid);
  }

  #leaveOut(table: TableVersion, { topic, maxRecordBytes }: TableTopic): void {
    this.#options.onDirty({ table: table.id, topic, bytes: this.#frame.size, limit: maxRecordBytes });
  }

  #layout(table: TableVersion, to: TableTopic): Layout {
    const known = this.#layouts.get(table);
    if (known?.to === to) return known;
    const { id, columns, key } = table;
    const pkNames = key.length === 0 ? null : key.map((index) => columns[index]?.name);
    const names = JSON.stringify({ database: id.database, table: id.table, pkNames, isDdl: false }).slice(1, -1);
    const start = (type: Type) => Buffer.from(`,${names},"type":"${type}","es":`);
    const typesOf = <T>(type: (column: (typeof columns)[number]) => T) =>
      JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, type(column)])));
    const layout: Layout = {
      to,
      key: layKey(table, to, this.#options.partitioner),
      values: layCanal(columns),
      columns: allColumns(table),
      starts: { INSERT: start('INSERT'), UPDATE: start('UPDATE'), DELETE: start('DELETE') },
      types: Buffer.from(
        `,"sql":"","sqlType":${typesOf(canalSqlType)},"mysqlType":${typesOf(({ sourceType }) => sourceType)},"data":[{`,
      ),
    };
    this.#layouts.set(table, layout);
    return layout;
  }
}

/** The log's time of an event has no fraction. */
function eventTime(timeMicros: number): number {
  return Math.floor(timeMicros / 1e6) * 1000;
}
