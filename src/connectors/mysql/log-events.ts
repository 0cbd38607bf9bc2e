import type { Logger } from '../../lib/log.ts';
import type { LogPlace, Part, RowOp } from '../../pipeline/batch.ts';
import type { Failure } from '../../pipeline/checkpoint.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { DdlKind, Policies } from '../../pipeline/policies.ts';
import { tableKey } from '../../pipeline/table.ts';
import type { BinlogReader } from './binlog-reader.ts';
import type { CapturedTable } from './captured-table.ts';
import type { CatchUp } from './offset/catch-up.ts';
import { readDdl } from './ddl/statement.ts';
import { DdlFollower } from './ddl/ddl-follower.ts';
import { type GroupTracker, UNNAMED_GROUP } from './group-tracker.ts';
import type { MysqlReaderOptions } from './options.ts';
import type { LogPlaces } from './log-place.ts';
import { LoggedStatements } from './ddl/logged-statements.ts';
import { comparePositions, describePosition, type KnownPlace, type LogPosition } from './offset/position.ts';
import { CorruptEvent, withPlace } from './protocol/corrupt-event.ts';
import * as ev from './protocol/event.ts';
import { readGtidList, readPreviousGtids } from './protocol/file-gtids.ts';
import {
  type GroupStart,
  readGtid,
  readLoadStatement,
  readMariadbGtid,
  readStatement,
  readTaggedGtid,
  type Statement,
} from './protocol/group-events.ts';
import { Cursor } from './protocol/lenenc.ts';
import type { NestedEvents } from './protocol/nested-events.ts';
import { PartialRows } from './protocol/partial-rows.ts';
import { BinlogRows, type RowLayout } from './protocol/row-images.ts';
import { type Family, readMappedName, readTableMap, type TableMap } from './protocol/table-map.ts';
import { bindTable, reshape } from './ddl/table-binding.ts';
import type { MysqlTable } from './types.ts';
import type { XaTransactions } from './xa/xa-transactions.ts';
import { readXaPrepare, readXaStatement } from './xa/xid.ts';

type LoggedOp = keyof MysqlReaderOptions['dmlPolicies'];

export interface LogEventsOptions {
  readonly policies: Policies;
  readonly dml: MysqlReaderOptions['dmlPolicies'];
  readonly log: Logger;
  /** The tables of the run, by tableKey. */
  readonly tables: ReadonlyMap<string, CapturedTable>;
  readonly group: GroupTracker;
  /** XA transactions whose rows wait for their outcome; null hands them on when they are prepared. */
  readonly xa: XaTransactions | null;
  /** Where XA transactions that were prepared before a first start had all ended: their commits up to there are no news. */
  readonly xaKnownFrom: LogPosition | null;
  /** What was passed where reading began anew for XA transactions; null where that is not known. */
  readonly readFromGtids: string | null;
  /** When the file that is resumed was begun, as the checkpoint knows it; 0 when it does not. */
  readonly fileBegun: { readonly file: string; readonly at: number } | null;
  /** Rows older than this (seconds since the epoch) are left out; null for none. */
  readonly notBefore: number | null;
  /** The server compares names of tables without regard to case, and logs them in lower case. */
  readonly lowerCaseNames: boolean;
  readonly family: Family;
  readonly places: LogPlaces;
  charsetOf(collation: number): string | undefined;
  shapeNow(table: CapturedTable): Promise<MysqlTable | null>;
  /** Fails a table and gives the news of it. */
  fail(table: CapturedTable, failure: Failure): Part;
  onDdl(kind: DdlKind): void;
}

/** Each statement has its own table maps: those of before are kept to know them again only. */
const MAPPED_MAX = 4096;

/** What a table id of the log stands for since its last table map. */
interface Mapped {
  readonly raw: Buffer;
  /** Null of a table that is not captured: nothing more is read of its map than its name. */
  readonly captured: Captured | null;
}

interface Captured {
  readonly map: TableMap;
  readonly table: CapturedTable;
  /** Made at the first rows; of the shape that the table had then. */
  layout: RowLayout | null;
  shape: MysqlTable | null;
}

/** Turns the events of the log into parts, one event at a time. */
export class LogEvents {
  readonly #options: LogEventsOptions;
  readonly #mapped = new Map<number, Mapped>();

  #notBefore: number | null;
  /**
   * Only XA transactions without outcome are collected: the others were `delivered` before, or lie before the place of a
   * first start, which has `leftOut` them. null: all is wanted.
   */
  unwanted: 'delivered' | 'leftOut' | null = null;
  /** Tells transactions of the log that were passed before; null once they have all come. */
  catchUp: CatchUp | null = null;
  #wasPassed = false;

  readonly #ddl: DdlFollower;
  readonly #loggedStatements: LoggedStatements;

  constructor(options: LogEventsOptions) {
    this.#options = options;
    this.#ddl = new DdlFollower(options);
    this.#loggedStatements = new LoggedStatements(options);
    this.#notBefore = options.notBefore;
  }

  /** Seconds since the epoch: what was committed before is left out; null once the log has come so far. */
  get notBefore(): number | null {
    return this.#notBefore;
  }

  #isTooOld(): boolean {
    const { timeMicros } = this.#options.group;
    if (this.#notBefore === null || timeMicros === null) return false;
    if (timeMicros < this.#notBefore * 1e6) return true;
    this.#notBefore = null;
    return false;
  }

  /** The set of tables changed: what a table id stands for is looked up again. */
  forgetBindings(): void {
    this.#mapped.clear();
  }

  /** Takes a table in doubt to the shape that the server tells; null when it has none. */
  reshape(table: CapturedTable, shape: MysqlTable | null): Part[] {
    const { policies, log, fail } = this.#options;
    const { parts, failure } = reshape(table, shape, { policies: policies.ddl, log });
    return failure === null ? [...parts] : [fail(table, failure)];
  }

  /** Handles the event that `reader` took; gives a promise only where the server must be asked first. */
  handle(reader: BinlogReader, parts: Part[]): Promise<void> | undefined {
    try {
      return this.#handle(reader, parts);
    } catch (error) {
      throw withPlace(error, describePosition(reader.position));
    }
  }

  #handle(reader: BinlogReader, parts: Part[]): Promise<void> | undefined {
    const { group } = this.#options;
    const { buffer, bodyStart: start, bodyEnd: end } = reader;
    switch (reader.type) {
      case ev.TABLE_MAP:
        if (this.#isKept(reader)) return;
        this.#map(buffer, start, end);
        return;
      case ev.WRITE_ROWS_V1:
      case ev.WRITE_ROWS_V2:
        return this.#rows(reader, 'insert', parts);
      case ev.UPDATE_ROWS_V1:
      case ev.UPDATE_ROWS_V2:
      case ev.PARTIAL_UPDATE_ROWS:
        return this.#rows(reader, 'update', parts);
      case ev.DELETE_ROWS_V1:
      case ev.DELETE_ROWS_V2:
        return this.#rows(reader, 'delete', parts);
      case ev.GTID:
      case ev.ANONYMOUS_GTID:
        this.#begin(readGtid(buffer, start, end, reader.type === ev.ANONYMOUS_GTID), reader);
        return;
      case ev.GTID_TAGGED:
        this.#begin(readTaggedGtid(buffer, start, end), reader);
        return;
      case ev.MARIADB_GTID: {
        const begun = readMariadbGtid(buffer, start, end, reader.serverId);
        this.#begin(begun, reader);
        if (!begun.standalone) group.markExplicit();
        if (begun.prepares) this.#options.xa?.begin(this.#groupBegin());
        return;
      }
      case ev.QUERY:
        this.#query(reader, parts);
        return;
      case ev.EXECUTE_LOAD_QUERY:
        this.#changeAsText(reader, readLoadStatement(buffer, start, end), parts);
        return;
      case ev.XA_PREPARE:
        this.#prepare(reader);
        return;
      case ev.XID:
        group.end(reader.position);
        this.#options.xa?.committed();
        return;
      case ev.FORMAT_DESCRIPTION:
        this.#checkFile(reader);
        this.#mapped.clear();
        this.#options.xa?.abandon();
        return;
      case ev.PREVIOUS_GTIDS:
      case ev.MARIADB_GTID_LIST:
        this.#fileBegins(reader);
        group.moveTo(reader.position);
        return;
      case ev.HEARTBEAT:
        if (!group.open) reader.takeHeartbeatPosition();
        group.moveTo(reader.position);
        return;
      case ev.INCIDENT:
        throw new PipelineError(
          'fatal',
          'MySQL.Incident',
          `the server lost changes before ${describePosition(reader.position)} and says so in its log`,
          {
            hint: 'Terminate the task and start it again with a new load.',
          },
        );
      default:
        group.moveTo(reader.position);
    }
  }

  #fileBegins({ type, buffer, bodyStart, bodyEnd }: BinlogReader): void {
    const { family, group } = this.#options;
    if (this.unwanted === 'delivered' || (family === 'mysql') !== (type === ev.PREVIOUS_GTIDS)) return;
    const read = family === 'mysql' ? readPreviousGtids : readGtidList;
    group.passed.fileBegins(read(buffer, bodyStart, bodyEnd));
  }

  /** A group that did not end (the server crashed within it) never happened. */
  #begin(start: GroupStart, reader: BinlogReader): void {
    this.#options.xa?.abandon();
    if (this.#mapped.size > MAPPED_MAX) this.#mapped.clear();
    this.#wasPassed = this.catchUp?.wasPassed(start, this.#options.group.boundary) ?? false;
    this.#options.group.begin(start, reader.timestamp, this.#wasCounted);
  }

  /** Of what is read only XA transactions without outcome are of interest. */
  get #isUnwanted(): boolean {
    return this.unwanted !== null || this.#wasPassed;
  }

  /** It is among the transactions that the offset says were passed. */
  get #wasCounted(): boolean {
    return this.unwanted === 'delivered' || this.#wasPassed;
  }

  /** Where the event last taken is. */
  #placeOf({ position: { file }, begin, within }: BinlogReader): LogPlace {
    const { places, group } = this.#options;
    return places.at({ file, position: begin }, within, group.gtid);
  }

  /** Where the group begins. */
  #groupBegin(): KnownPlace {
    const { group, readFromGtids } = this.#options;
    return { ...group.boundary, gtids: this.#wasCounted ? readFromGtids : group.passed.whole };
  }

  #map(buffer: Buffer, start: number, end: number): void {
    const id = tableId(buffer, start, end);
    const known = this.#mapped.get(id);
    if (
      known !== undefined &&
      known.raw.length === end - start &&
      buffer.compare(known.raw, 0, known.raw.length, start, end) === 0
    )
      return;
    const { tables, family } = this.#options;
    const table = tables.get(tableKey(readMappedName(buffer, start, end)));
    const captured =
      table === undefined ? null : { map: readTableMap(buffer, start, end, family), table, layout: null, shape: null };
    this.#mapped.set(id, { raw: Buffer.from(buffer.subarray(start, end)), captured });
  }

  #rows(reader: BinlogReader, op: LoggedOp, parts: Part[]): Promise<void> | undefined {
    const { group } = this.#options;
    if (this.#isKept(reader) || this.#isUnwanted) return;
    if (!group.rows(reader.timestamp) || this.#isTooOld()) return;
    const mapped = this.#mapped.get(tableId(reader.buffer, reader.bodyStart, reader.bodyEnd));
    if (mapped === undefined) {
      throw new PipelineError(
        'transient',
        'MySQL.NoTableMap',
        `rows without a table map at ${describePosition(reader.position)}`,
      );
    }
    const { captured } = mapped;
    if (captured === null || !captured.table.flows) return;
    const { table, layout, shape } = captured;
    if (layout === null || shape !== table.shape || table.suspect) return this.#bind(reader, op, parts, captured);
    this.#emit(reader, op, parts, layout, table);
  }

  async #bind(reader: BinlogReader, op: LoggedOp, parts: Part[], captured: Captured): Promise<void> {
    const { table, map } = captured;
    const binding = await bindTable(table, map, {
      policies: this.#options.policies.ddl,
      log: this.#options.log,
      charsetOf: this.#options.charsetOf,
      shapeNow: this.#options.shapeNow,
    });
    if (binding.failure !== null) parts.push(this.#options.fail(table, binding.failure));
    parts.push(...binding.parts);
    captured.layout = binding.layout;
    captured.shape = table.shape;
    if (binding.layout === null) return;
    try {
      this.#emit(reader, op, parts, binding.layout, table);
    } catch (error) {
      throw withPlace(error, describePosition(reader.position));
    }
  }

  #emit(reader: BinlogReader, op: LoggedOp, parts: Part[], layout: RowLayout, table: CapturedTable): void {
    // Before a window hears of it: the row that is loaded is all that the target has of such a key.
    if (this.#options.dml[op] === 'IGNORE') return;
    const start = imagesStart(reader, op, layout.count);
    const timeMicros = this.#options.group.timeMicros ?? reader.timestamp * 1e6;
    const place = this.#placeOf(reader);
    const images = { layout, buffer: reader.buffer, start, end: reader.bodyEnd, timeMicros, place };
    const part = reader.type === ev.PARTIAL_UPDATE_ROWS ? new PartialRows(images) : new BinlogRows({ op, ...images });
    table.windows.collect(part);
    parts.push(part);
  }

  /** Rows of an XA transaction wait for its outcome, and their table maps with them. */
  #isKept(reader: BinlogReader): boolean {
    const { xa } = this.#options;
    if (xa === null || !xa.collecting) return false;
    xa.collect(reader);
    return true;
  }

  /** In one phase it is a commit; in two its outcome comes later. */
  #prepare(reader: BinlogReader): void {
    const { xa, group } = this.#options;
    const { xid, onePhase } = readXaPrepare(reader.buffer, reader.bodyStart, reader.bodyEnd);
    if (onePhase && xa !== null) return this.#handOn(reader, xa.commitCurrent());
    xa?.prepared(xid, group.timeMicros ?? reader.timestamp * 1e6);
    group.end(reader.position);
  }

  /** Deals with the beginning and the outcome of XA transactions; true when nothing else is to be done with the statement. */
  #xaStatement(reader: BinlogReader, sql: string): boolean {
    const { xa, group } = this.#options;
    const statement = readXaStatement(sql);
    if (xa === null || statement === null) return false;
    const { does, xid } = statement;
    if (does === 'start') {
      if (!xa.collecting) xa.begin(this.#groupBegin());
      return false;
    }
    if (does === 'rollback' || this.#isUnwanted) {
      xa.drop(xid);
      return false;
    }
    const events = xa.commit(xid);
    if (events === null) {
      this.#checkUnknown(reader, xid);
      return false;
    }
    if (!group.open) group.begin(UNNAMED_GROUP, reader.timestamp);
    this.#handOn(reader, events);
    return true;
  }

  /** The kept events come next; the group ends with the last of them. */
  #handOn(reader: BinlogReader, events: NestedEvents | null): void {
    const { group } = this.#options;
    if (events === null || this.#isUnwanted) {
      this.#options.xa?.committed();
      group.end(reader.position);
      return;
    }
    group.markExplicit();
    reader.insert(events);
  }

  #checkUnknown(reader: BinlogReader, xid: string): void {
    const { xaKnownFrom } = this.#options;
    if ((xaKnownFrom !== null && comparePositions(reader.position, xaKnownFrom) <= 0) || this.#isTooOld()) return;
    throw new PipelineError(
      'fatal',
      'MySQL.XaUnknown',
      `the XA transaction ${xid}, committed at ${describePosition(reader.position)}, was prepared before the place where reading began`,
      {
        hint: 'Its rows cannot be known: start the task again with a new load, or from an earlier place. If none of its tables is captured, set the reader’s xa to atPrepare until it is passed.',
      },
    );
  }

  #query(reader: BinlogReader, parts: Part[]): void {
    const statement = readStatement(reader.buffer, reader.bodyStart, reader.bodyEnd);
    if (!this.#xaStatement(reader, statement.sql)) this.#statement(reader, statement, parts);
  }

  #statement(reader: BinlogReader, statement: Statement, parts: Part[]): void {
    const { group } = this.#options;
    const place = this.#placeOf(reader);
    const ended = group.statement(statement.sql, reader.timestamp, reader.position);
    this.#changeAsText(reader, statement, parts);
    if (!ended || this.#isUnwanted) return;
    const ddl = readDdl(statement.sql, statement.database, statement.ansiQuotes);
    if (ddl === null) return;
    const timeMicros = group.timeMicros ?? reader.timestamp * 1e6;
    this.#ddl.follow(ddl, { text: statement.sql, timeMicros, place }, parts);
  }

  #changeAsText({ position }: BinlogReader, statement: Statement, parts: Part[]): void {
    if (!this.#isUnwanted && !this.#isTooOld()) this.#loggedStatements.follow(statement, position, parts);
  }

  /** A file of the same name that was begun at another time is another history. */
  #checkFile(reader: BinlogReader): void {
    const { fileBegun } = this.#options;
    if (
      fileBegun === null ||
      fileBegun.at === 0 ||
      reader.position.file !== fileBegun.file ||
      reader.fileBegun === fileBegun.at
    )
      return;
    throw new PipelineError(
      'fatal',
      'MySQL.HistoryChanged',
      `${fileBegun.file} is not the file that was being read: the server's log was begun anew`,
      {
        hint: 'Terminate the task and start it again with a new load.',
      },
    );
  }
}

/** [ table id 6 ][ flags 2 ]: how table maps and rows begin. */
function tableId(buffer: Buffer, start: number, end: number): number {
  if (end - start < 8) throw new CorruptEvent('rows or their table map end early');
  return buffer.readUIntLE(start, 6);
}

/** Behind the header of a ROWS event: checks that the images hold every column. */
function imagesStart(reader: BinlogReader, op: RowOp, columnsMapped: number): number {
  const cursor = new Cursor(reader.buffer, reader.bodyStart, reader.bodyEnd);
  cursor.skip(8);
  if (reader.type >= ev.WRITE_ROWS_V2) cursor.skip(cursor.uint(2) - 2);
  const columns = cursor.length();
  if (columns !== columnsMapped) throw new CorruptEvent('rows have another number of columns than their table map');
  const bitmaps = op === 'update' ? 2 : 1;
  for (let bitmap = 0; bitmap < bitmaps; bitmap += 1) {
    for (let column = 0; column < columns; column += 8) {
      const bits = cursor.byte();
      const all = columns - column >= 8 ? 0xff : (1 << (columns - column)) - 1;
      if ((bits & all) !== all) {
        throw new PipelineError(
          'fatal',
          'MySQL.RowImage',
          `an event at ${describePosition(reader.position)} has only some of its columns`,
          {
            hint: 'SET GLOBAL binlog_row_image = FULL, reconnect the writers, and start the task again with a new load.',
          },
        );
      }
    }
  }
  return cursor.at;
}
