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
import { type KeyPlace, RecordFrame, recordTime } from './record-frame.ts';
import type { TableTopic } from './table-topic.ts';
import { TimeZone } from './time-zone.ts';

type Type = 'INSERT' | 'UPDATE' | 'DELETE';
const TYPES = { insert: 'INSERT', read: 'INSERT', update: 'UPDATE', delete: 'DELETE' } as const;
const START = Buffer.from('{"id":');
const OLD = Buffer.from('}],"old":[{');
const ID_DIGITS_MAX = 16;

/** What of a table version's records is the same for all. */
interface Layout {
  readonly to: TableTopic;
  readonly key: KeyLayout;
  readonly values: CanalLayout;
  readonly columns: ColumnSet;
  /** The members before `isDdl`, and those from `sql` to the first value. */
  readonly names: string;
  readonly types: string;
}

/** What is around the values of one part's records: behind `id`, and behind `data` or `old`. */
interface Frame {
  readonly head: Buffer;
  readonly tail: Buffer;
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
  }

  rows(part: RowsPart, to: TableTopic, into: CommitRecords): void {
    const layout = this.#layout(part.table, to);
    const owner = into.ownerOf(part.table.id);
    const now = this.#options.clock.now();
    this.#frame.start(into, to, owner, recordTime(part.timeMicros, now));
    const usual = frameOf(part, layout, TYPES[part.op], now);
    let written = 0;
    for (let row = 0; row < part.count; row += 1) {
      this.#frame.nextRow();
      this.#keys.read(part, row, layout.key);
      if (this.#keys.isChanged ? this.#moved(part, row, layout, now) : this.#row(part, row, layout, usual))
        written += 1;
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
  #row(part: RowsPart, row: number, layout: Layout, frame: Frame): boolean {
    const { before, after } = this.#keys;
    if (part.op === 'update') return this.#update(part, row, layout, frame);
    return this.#image(part, row, layout, part.op === 'delete' ? before : after, frame);
  }

  /** The row has another key. */
  #moved(part: RowsPart, row: number, layout: Layout, now: number): boolean {
    const { before, after } = this.#keys;
    if (!this.#image(part, row, layout, before, frameOf(part, layout, 'DELETE', now))) return false;
    return this.#image(part, row, layout, after, frameOf(part, layout, 'INSERT', now));
  }

  /** A message with one image, of the key's side. */
  #image(part: RowsPart, row: number, layout: Layout, key: KeyPlace, { head, tail }: Frame): boolean {
    const values = this.#values;
    this.#begin(key, layout, head);
    part.visit(row, key === this.#keys.before ? 'before' : 'after', layout.columns, values);
    values.reserve(tail.length);
    values.put(tail);
    return this.#frame.end(values);
  }

  #update(part: RowsPart, row: number, layout: Layout, { head, tail }: Frame): boolean {
    const values = this.#values;
    const old = this.#old;
    this.#begin(this.#keys.after, layout, head);
    part.visit(row, 'after', layout.columns, values);
    values.finish();
    old.use(this.#oldMemory, 0);
    old.limit(layout.to.maxRecordBytes);
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
    values.reserve(tail.length);
    values.put(tail);
    return this.#frame.end(values);
  }

  #begin(key: KeyPlace, { key: keyLayout, to, values: layout }: Layout, head: Buffer): void {
    const values = this.#values;
    const room = START.length + ID_DIGITS_MAX + head.length + layout.names.imageBytes;
    this.#frame.begin(values, this.#keys.partition(key, keyLayout, to), key, room);
    values.put(START);
    values.integerText((this.#lastId += 1));
    values.put(head);
    values.start(layout);
  }

  #leaveOut(table: TableVersion, { topic, maxRecordBytes }: TableTopic): void {
    this.#options.onDirty({ table: table.id, topic, bytes: this.#frame.size, limit: maxRecordBytes });
  }

  #layout(table: TableVersion, to: TableTopic): Layout {
    const known = this.#layouts.get(table);
    if (known?.to === to) return known;
    const { id, columns, key } = table;
    const pkNames = key.length === 0 ? null : key.map((index) => columns[index]?.name);
    const typesOf = <T>(type: (column: (typeof columns)[number]) => T) =>
      JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, type(column)])));
    const layout: Layout = {
      to,
      key: layKey(table, to, this.#options.partitioner),
      values: layCanal(columns),
      columns: allColumns(table),
      names: `,"database":${JSON.stringify(id.database)},"table":${JSON.stringify(id.table)},"pkNames":${JSON.stringify(pkNames)}`,
      types: `"sql":"","sqlType":${typesOf(canalSqlType)},"mysqlType":${typesOf(({ sourceType }) => sourceType)},"data":[{`,
    };
    this.#layouts.set(table, layout);
    return layout;
  }
}

function frameOf({ timeMicros, place }: RowsPart, { names, types }: Layout, type: Type, now: number): Frame {
  const head = `${names},"isDdl":false,"type":"${type}","es":${eventTime(timeMicros)},"ts":${now},${types}`;
  const old = type === 'UPDATE' ? '}]' : '}],"old":null';
  return { head: Buffer.from(head), tail: Buffer.from(`${old},"gtid":${JSON.stringify(place.gtid ?? '')}}`) };
}

/** The log's time of an event has no fraction. */
function eventTime(timeMicros: number): number {
  return Math.floor(timeMicros / 1e6) * 1000;
}
