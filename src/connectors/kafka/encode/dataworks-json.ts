import type { DdlPart, RowImage, RowsPart, SourceServer } from '../../../pipeline/batch.ts';
import { setSequenceRow } from '../../../pipeline/sequence-id.ts';
import { allColumns, type ColumnSet, type TableVersion } from '../../../pipeline/table.ts';
import type { CommitRecords } from './commit-records.ts';
import { dataWorksType, DataWorksValues } from './dataworks-values.ts';
import { DataWorksTails, type Tail } from './dataworks-tail.ts';
import { DDL_OPS } from './ddl-ops.ts';
import type { Envelope, EnvelopeOptions, HeartbeatTimes } from './envelope.ts';
import { type JsonLayout, layJson } from './json-values.ts';
import { type KeyLayout, layKey } from './key-layout.ts';
import { KeyText } from './key-text.ts';
import { Keys } from './keys.ts';
import { Memory, MemoryPool } from './memory.ts';
import { type KeyPlace, RecordFrame, recordTime } from './record-frame.ts';
import type { TableTopic } from './table-topic.ts';
import { TimeZone } from '../../../lib/time-zone.ts';

const NO_KEY = new Uint8Array(0);

/** What of a table version's records is the same for all. */
interface Layout {
  readonly to: TableTopic;
  readonly server: SourceServer;
  readonly key: KeyLayout;
  readonly values: JsonLayout;
  readonly columns: ColumnSet;
  readonly schema: string;
  /** Up to the first value of a before image. */
  readonly beforeHead: Buffer;
  readonly afterHead: Buffer;
}

/**
 * DataWorks' own JSON: a record per image, so that an update is UPDATE_BEFOR (spelled so) and UPDATE_AFTER with one
 * sequenceId, each under its own key. Source: DataWorks help, "Appendix: Message formats".
 */
export class DataWorksJson implements Envelope {
  readonly #options: EnvelopeOptions;
  readonly #frame = new RecordFrame();
  readonly #keys: Keys<KeyLayout>;
  readonly #values: DataWorksValues;
  readonly #tails: DataWorksTails;
  readonly #layouts = new WeakMap<TableVersion, Layout>();

  constructor(options: EnvelopeOptions) {
    this.#options = options;
    const pool = new MemoryPool(0);
    const keyMemory = new Memory(pool, 1);
    this.#keys = new Keys(keyMemory, new KeyText(keyMemory));
    this.#tails = new DataWorksTails(pool);
    this.#values = new DataWorksValues(new Memory(pool, 1), new TimeZone(options.timeZone));
  }

  rows(part: RowsPart, to: TableTopic, into: CommitRecords): void {
    const layout = this.#layout(part.table, part.place.server, to);
    const owner = into.ownerOf(part.table.id);
    const eventTime = Math.floor(part.timeMicros / 1000);
    const systemTime = this.#options.clock.now();
    this.#frame.start(into, to, owner, recordTime(part.timeMicros, systemTime));
    this.#tails.write(part, { eventTime, systemTime });
    let written = 0;
    for (let row = 0; row < part.count; row += 1) {
      this.#frame.nextRow();
      if (this.#row(part, row, layout)) written += 1;
      else this.#leaveOut(part.table, to);
    }
    into.countRows(owner, written);
    this.#keys.giveBack();
  }

  ddl(part: DdlPart, to: TableTopic, into: CommitRecords): void {
    const { schema, key } = this.#layout(part.table, part.place.server, to);
    const { database, table } = part.table.id;
    const eventTime = Math.floor(part.timeMicros / 1000);
    const systemTime = this.#options.clock.now();
    // What others put here is their parser's own; ours says what the policy was asked of.
    const ddlMeta = Buffer.from(JSON.stringify({ kind: part.ddl, database, table })).toString('base64');
    const value = Buffer.from(
      `{"schema":${schema},"payload":{"before":null,"after":null,"sequenceId":"${this.#tails.sequenceId(part.place)}",` +
        `"op":"${DDL_OPS[part.ddl]}","timestamp":${timestamp(eventTime, systemTime)},` +
        `"ddl":${JSON.stringify({ text: part.statement, ddlMeta })}},"version":"0.0.1"}`,
    );
    this.#frame.start(into, to, into.ownerOf(part.table.id), recordTime(part.timeMicros, systemTime));
    this.#frame.begin(this.#values, key.tablePartition, this.#keys.none, value.length);
    this.#values.put(value);
    if (!this.#frame.end(this.#values)) this.#leaveOut(part.table, to);
  }

  heartbeat(topic: string, partition: number, times: HeartbeatTimes, into: CommitRecords): void {
    const value = Buffer.from(
      '{"schema":{"dataColumn":null,"primaryKey":null,"source":null},"payload":{"before":null,"after":null,' +
        `"sequenceId":null,"op":"MHEARTBEAT","timestamp":{"eventTime":${times.eventTime},` +
        `"checkpointTime":${times.checkpointTime}},"ddl":null},"version":"0.0.1"}`,
    );
    into.add({ topic, partition, key: NO_KEY, value, time: times.eventTime });
  }

  /** False when the row has a record that is too long: then none of it is left. */
  #row(part: RowsPart, row: number, layout: Layout): boolean {
    const keys = this.#keys;
    const { before, after } = this.#tails;
    keys.read(part, row, layout.key);
    if (part.op === 'update' || part.op === 'delete') {
      const partition = keys.partition(keys.before, layout.key, layout.to);
      this.#begin(keys.before, partition, layout, layout.beforeHead);
      if (!this.#image(part, row, 'before', layout, before)) return false;
    }
    if (part.op === 'delete') return true;
    this.#begin(keys.after, keys.partition(keys.after, layout.key, layout.to), layout, layout.afterHead);
    if (this.#image(part, row, 'after', layout, after)) return true;
    this.#frame.undoRow();
    return false;
  }

  #begin(key: KeyPlace, partition: number, { values }: Layout, head: Buffer): void {
    this.#frame.begin(this.#values, partition, key, head.length + values.names.imageBytes);
    this.#values.put(head);
    this.#values.start(values);
  }

  #image(part: RowsPart, row: number, image: RowImage, { columns }: Layout, tail: Tail): boolean {
    const values = this.#values;
    part.visit(row, image, columns, values);
    const bytes = this.#tails.text.bytesOf(tail);
    values.reserve(bytes.length);
    const { at } = values;
    values.put(bytes);
    setSequenceRow(values.view, at + tail.sequenceEnd, part.place, row);
    return this.#frame.end(values);
  }

  #leaveOut(table: TableVersion, { topic, maxRecordBytes }: TableTopic): void {
    this.#options.onDirty({ table: table.id, topic, bytes: this.#frame.size, limit: maxRecordBytes });
  }

  #layout(table: TableVersion, server: SourceServer, to: TableTopic): Layout {
    const known = this.#layouts.get(table);
    if (known !== undefined && known.to === to && known.server.version === server.version) return known;
    const schema = schemaOf(table, server);
    const layout: Layout = {
      to,
      server,
      key: layKey(table, to, this.#options.partitioner),
      values: layJson(table.columns),
      columns: allColumns(table),
      schema,
      beforeHead: Buffer.from(`{"schema":${schema},"payload":{"before":{"dataColumn":{`),
      afterHead: Buffer.from(`{"schema":${schema},"payload":{"before":null,"after":{"dataColumn":{`),
    };
    this.#layouts.set(table, layout);
    return layout;
  }
}

function schemaOf({ id, columns, key }: TableVersion, { version }: SourceServer): string {
  return JSON.stringify({
    dataColumn: columns.map(({ name, type }) => ({ name, type: dataWorksType(type) })),
    primaryKey: key.length === 0 ? null : key.map((index) => columns[index]?.name),
    // The type of the data source, which MariaDB's is too.
    source: { dbType: 'mysql', dbVersion: version, dbName: id.database, schemaName: id.database, tableName: id.table },
  });
}

/** The checkpoint's time is the event's: reading again from there brings the event again. */
function timestamp(eventTime: number, systemTime: number): string {
  return `{"eventTime":${eventTime},"systemTime":${systemTime},"checkpointTime":${eventTime}}`;
}
