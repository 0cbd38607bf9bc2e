import { crashPoint } from '../../lib/crash-point.ts';
import type { Logger } from '../../lib/log.ts';
import { openUnlessAborted } from '../../lib/with-open.ts';
import type { Batch, Part } from '../../pipeline/batch.ts';
import type { Failure } from '../../pipeline/checkpoint.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { DdlKind, Policies } from '../../pipeline/policies.ts';
import type { ReadOptions, SourceTable, StartPoint, TableSet } from '../../pipeline/source.ts';
import { type TableId, tableKey } from '../../pipeline/table.ts';
import { BinlogReader } from './binlog-reader.ts';
import type { CapturedTable } from './captured-table.ts';
import { checkServer, problemsOf } from './checks.ts';
import { ChunkReader } from './load/chunk-reader.ts';
import { connectForQueries, type Questions } from './connect.ts';
import { toPipelineError } from './errors.ts';
import { readFileHead } from './offset/file-head.ts';
import { checkPlace, openFirst } from './offset/first-start.ts';
import { GroupTracker } from './group-tracker.ts';
import { loadMethod } from './load/load-method.ts';
import { LogEvents } from './log-events.ts';
import { LogPlaces } from './log-place.ts';
import type { MysqlReaderOptions, MysqlSettings } from './options.ts';
import {
  comparePositions,
  type KnownPlace,
  type LogPosition,
  type MysqlOffset,
  offsetFromJson,
  offsetToJson,
} from './offset/position.ts';
import * as ev from './protocol/event.ts';
import { type Opening, openAfter } from './offset/resume.ts';
import { readSchema } from './schema.ts';
import { readServerFacts, type ServerFacts } from './server-facts.ts';
import { afterPreparedOnes } from './xa/prepared-before.ts';
import { XaTransactions } from './xa/xa-transactions.ts';
import { TableLoads } from './load/table-loads.ts';
import type { MysqlTable } from './types.ts';

/** A batch is handed on once it holds so much, or when the connection has nothing more ready. */
const BATCH_BYTES = 512 * 1024;
/** After so long the place that was reached is handed on, although there was nothing to deliver. */
const SPEAK_MS = 1000;
/** Within a transaction it may become so large, to end with it. */
const BATCH_BYTES_OPEN = 768 * 1024;

export interface LogRunOptions {
  readonly settings: MysqlSettings;
  readonly reader: MysqlReaderOptions;
  readonly policies: Policies;
  readonly log: Logger;
  readonly serverId: number;
  /** What all that is read and not handed on yet may take. */
  readonly memoryBytes: number;
  /** The table of a set that joins, from its checkpoint or as it was described. */
  capture(table: SourceTable): CapturedTable;
  /** A statement on a captured table is about to be followed, or left out. */
  onDdl(kind: DdlKind): void;
}

/** One reading of the log: from a place until it is ended. Holds the tables, joins and removes them between two groups. */
export class LogRun {
  readonly #options: LogRunOptions;
  readonly #tables = new Map<string, CapturedTable>();
  /** Tables that join once the log has come to where their shape was seen. */
  #joining: CapturedTable[] = [];
  #version = 0;
  #wanted: TableSet | undefined;
  #failures: { table: TableId; failure: Failure }[] = [];

  #facts!: ServerFacts;
  #reader!: BinlogReader;
  #group!: GroupTracker;
  #loads!: TableLoads;
  #events!: LogEvents;
  #places!: LogPlaces;
  /** How often the log that is read has become another. */
  #epoch = 0;
  readonly #xa: XaTransactions | null;
  /** Where the log ended when it was opened. */
  #end!: LogPosition;
  /** Whose log the offset is of that was resumed: tables of checkpoints of before are of it too. */
  #serverBefore: string | null = null;
  /** Of the offset that was resumed: it holds until all that was passed has come again. */
  #readFrom: KnownPlace | null = null;
  /** A first start at a time of the past: its tables join there, and not where their shape was seen. */
  #startsInPast = false;
  /** A first start at the end of the log. */
  #startsNow = false;
  #caughtUp = false;
  /** The last batch ended within a transaction: its end is news, whatever else comes with it. */
  #handedOnOpen = false;
  #handedOnAt = 0;
  #poked = false;
  #closed = false;

  constructor(options: LogRunOptions) {
    this.#options = options;
    this.#xa = options.reader.xa === 'atCommit' ? new XaTransactions(options.reader.xaSpillBytesMax) : null;
  }

  async *batches({ after, tables, start, signal }: ReadOptions): AsyncGenerator<Batch> {
    try {
      await this.#open(after === null ? null : offsetFromJson(after), start, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    this.#wanted ??= tables;
    this.#startsInPast = after === null && start !== null;
    this.#startsNow = after === null && start === null;
    while (!signal.aborted && !this.#closed) {
      const batch = await this.#collect();
      if (batch !== null) yield batch;
      else await this.#reader.more();
      this.#reader.release();
      this.#loads.release();
    }
  }

  /** The server that is read; undefined before it is known. */
  get server(): string | undefined {
    return this.#facts?.identity;
  }

  setTables(next: TableSet): void {
    this.#wanted = next;
    this.poke();
  }

  failTable(table: TableId, failure: Failure): void {
    this.#failures.push({ table, failure });
    this.poke();
  }

  /** Ends a wait for the server: something else is to be done. */
  poke(): void {
    this.#poked = true;
    this.#reader?.poke();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loads?.close();
    this.#reader?.close();
    this.#xa?.close();
  }

  async #open(offset: MysqlOffset | null, start: StartPoint | null, signal: AbortSignal): Promise<void> {
    const { settings, serverId, memoryBytes } = this.#options;
    const open = () => connectForQueries(settings);
    const connection = await openUnlessAborted({ open, close: (late) => late.close(), signal });
    let opening: Opening;
    let collations: Map<number, string>;
    let xaKnownFrom: LogPosition | null = null;
    const cancel = () => connection.close();
    signal.addEventListener('abort', cancel);
    try {
      this.#facts = await readServerFacts(connection);
      const problems = problemsOf(await checkServer(connection, this.#facts, { settings, load: false, databases: [] }));
      const [first] = problems;
      if (first !== undefined)
        throw new PipelineError('fatal', first.code, problems.map(({ message }) => message).join('; '), {
          hint: first.remedy,
        });
      opening = await this.#openingOf(connection, offset, start);
      if (offset === null && start === null && this.#xa !== null)
        xaKnownFrom = await afterPreparedOnes(connection, this.#facts);
      const rows = await connection.query(
        'SELECT ID id, CHARACTER_SET_NAME charset FROM information_schema.collations',
      );
      collations = new Map(rows.map((row) => [Number(row['id']), row['charset'] ?? '']));
    } catch (error) {
      throw toPipelineError(error, 'opening the binary log');
    } finally {
      signal.removeEventListener('abort', cancel);
      connection.close();
    }
    const { from, passed, deliveredUntil } = opening;
    this.#reader = await BinlogReader.open(settings, from, { serverId, identity: this.#facts.identity });
    this.#reader.limitEvents(memoryBytes);
    if (this.#closed) this.#reader.close();
    this.#epoch = (offset?.epoch ?? 0) + (opening.elsewhere ? 1 : 0);
    this.#places = new LogPlaces(this.#facts, this.#epoch);
    this.#group = new GroupTracker(from, passed);
    this.#loads = new TableLoads({
      parallelism: this.#options.reader.loadParallelism,
      rowsPerSecondMax: this.#options.reader.loadRowsPerSecondMax,
      heldBytesMax: memoryBytes / 4,
      keyBytesMax: memoryBytes / 4,
      reader: (onLong) =>
        new ChunkReader(settings, this.#facts, loadMethod(this.#facts) ?? 'lock', {
          bytesMax: memoryBytes / 2,
          onLong,
        }),
      reshape: (table, shape) => this.#events.reshape(table, shape),
      placeOf: (position) => this.#places.at(position, 0, null),
      timeHere: () => this.#hereMicros ?? Date.now() * 1000,
      wake: () => this.poke(),
    });
    this.#events = new LogEvents({
      policies: this.#options.policies,
      dml: this.#options.reader.dmlPolicies,
      log: this.#options.log,
      tables: this.#tables,
      group: this.#group,
      xa: this.#xa,
      xaKnownFrom,
      readFromGtids: offset?.readFrom?.gtids ?? null,
      fileBegun: offset === null ? null : { file: offset.file, at: opening.fileBegun },
      notBefore: offset === null ? (start?.kind === 'time' ? start.seconds : null) : offset.notBefore,
      lowerCaseNames: this.#facts.lowerCaseTableNames !== 0,
      family: this.#facts.family,
      places: this.#places,
      charsetOf: (collation) => collations.get(collation),
      shapeNow: (table) => this.#shapeNow(table),
      fail: (table, failure) => this.#fail(table, failure),
      onDdl: this.#options.onDdl,
    });
    this.#events.catchUp = opening.catchUp;
    this.#readFrom = offset?.readFrom ?? null;
    this.#end = opening.end;
    this.#serverBefore = offset?.server ?? null;
    if (deliveredUntil !== null) {
      const before = await this.#readPrepared(deliveredUntil, offset === null ? 'leftOut' : 'delivered', signal);
      if (offset === null) checkPlace(deliveredUntil, this.#group.boundary, before);
    }
    this.#group.skip(opening.skipEvents);
  }

  async #openingOf(connection: Questions, offset: MysqlOffset | null, start: StartPoint | null): Promise<Opening> {
    const { settings, serverId } = this.#options;
    const headOf = (file: string) => readFileHead(settings, file, { serverId, identity: this.#facts.identity });
    const server = { connection, facts: this.#facts, headOf };
    return offset === null ? openFirst(server, start) : openAfter(server, offset);
  }

  /** Reads what is not wanted, for the XA transactions in it that had no outcome yet. Gives the last boundary before `until`. */
  async #readPrepared(until: LogPosition, why: 'delivered' | 'leftOut', signal: AbortSignal): Promise<LogPosition> {
    const reader = this.#reader;
    let before = this.#group.boundary;
    this.#events.unwanted = why;
    while (comparePositions(this.#group.boundary, until) < 0) {
      signal.throwIfAborted();
      before = this.#group.boundary;
      if (reader.take()) await this.#events.handle(reader, []);
      else await reader.more();
      reader.release();
    }
    this.#events.unwanted = null;
    return before;
  }

  /** Everything that is whole in the connection's buffer, up to the size of a batch; null when there is nothing to say. */
  async #collect(): Promise<Batch | null> {
    const parts: Part[] = [];
    const reader = this.#reader;
    const group = this.#group;
    const versionBefore = this.#version;
    this.#poked = false;
    const now = this.#caughtUp ? Date.now() * 1000 : (group.timeMicros ?? 0);
    this.#xa?.checkAge(now, this.#options.reader.xaAgeSecondsMax);
    let bytes = 0;
    let spoke = this.#between(parts);
    for (;;) {
      if (bytes >= (group.open ? BATCH_BYTES_OPEN : BATCH_BYTES)) break;
      if (!reader.take()) {
        // The sink commits between transactions only: the rest of this one is on its way.
        if (!group.open || parts.length === 0 || this.#poked) break;
        await reader.more();
        continue;
      }
      bytes += reader.bodyEnd - reader.bodyStart;
      this.#caughtUp = reader.type === ev.HEARTBEAT || reader.type === ev.HEARTBEAT_V2;
      spoke ||= this.#caughtUp;
      const later = this.#events.handle(reader, parts);
      if (later !== undefined) await later;
      if (
        !group.open &&
        (this.#loads.waiting || this.#wanted !== undefined || this.#joining.length > 0 || this.#failures.length > 0)
      ) {
        this.#between(parts);
      }
    }
    const ended = this.#handedOnOpen && !group.open;
    // Others may change without a pause in which a heartbeat comes: the offset goes on all the same (C24).
    spoke ||= !group.open && Date.now() - this.#handedOnAt >= SPEAK_MS;
    if (parts.length === 0 && bytes < BATCH_BYTES && !spoke && !ended && this.#version === versionBefore) return null;
    return this.#batch(parts, bytes);
  }

  /** When the log was here, microseconds since the epoch: not after what comes next. Null while nothing has told. */
  get #hereMicros(): number | null {
    if (this.#caughtUp) return Date.now() * 1000;
    return this.#group.timeMicros ?? (this.#startsNow ? Date.now() * 1000 : null);
  }

  /** What is done between two groups of events: tables join and leave, windows open, chunks merge. True if a set took effect. */
  #between(parts: Part[]): boolean {
    for (const { table, failure } of this.#failures.splice(0)) {
      const captured = this.#tables.get(tableKey(table));
      if (captured !== undefined) parts.push(this.#fail(captured, failure));
    }
    for (const { table, error } of this.#loads.takeFailed()) {
      parts.push(this.#fail(table, { code: error.code, message: error.message, remedy: error.hint ?? null }));
    }
    if (this.#group.open) return false;
    const wanted = this.#wanted;
    if (wanted !== undefined) this.#apply(wanted, parts);
    if (this.#joining.length > 0) this.#join(parts);
    // What a load begins with says when: behind a checkpoint the first event tells, or a heartbeat that there is none.
    if (this.#loads.waiting && this.#hereMicros !== null)
      parts.push(
        ...this.#loads.atBoundary({
          position: this.#group.boundary,
          gtids: this.#facts.gtidMode ? this.#group.passed.known : '',
        }),
      );
    return wanted !== undefined;
  }

  #apply(next: TableSet, parts: Part[]): void {
    crashPoint('before table set applied');
    this.#wanted = undefined;
    this.#version = next.version;
    const wanted = new Map(next.tables.map((table) => [tableKey(table.id), table]));
    for (const [key, table] of this.#tables) {
      const kept = wanted.get(key);
      if (kept !== undefined && kept.progress !== null) continue;
      this.#leave(table);
      // One that failed is known to be over already; whether it is still wanted is the engine's to say.
      if (kept === undefined && table.state !== 'FAILED')
        parts.push({ kind: 'progress', progress: { ...table.progress(), state: 'REMOVED', resume: null } });
    }
    for (const [key, table] of wanted) {
      if (this.#tables.has(key)) continue;
      const captured = this.#options.capture(table);
      const moved = this.#startsInPast || this.#isElsewhere(captured);
      if (moved) this.#move(captured);
      this.#tables.set(key, captured);
      if (table.progress === null || moved) parts.push({ kind: 'progress', progress: captured.progress() });
      if (captured.state === 'WAITING') this.#joining.push(captured);
      else if (captured.state === 'SNAPSHOTTING') this.#loads.add(captured);
    }
    this.#events.forgetBindings();
    this.#startsInPast = false;
    crashPoint('after table set applied');
  }

  /** Waits for a place in the log of another server. */
  #isElsewhere({ state, server }: CapturedTable): boolean {
    return state === 'WAITING' && (server ?? this.#serverBefore ?? this.#facts.identity) !== this.#facts.identity;
  }

  /** Lets a table join at a place of this log: none of its changes may be missed, unless what it has is loaded afterwards. */
  #move(table: CapturedTable): void {
    table.from = this.#startsInPast || table.load === 'none' ? this.#group.boundary : this.#end;
    table.server = this.#facts.identity;
  }

  #leave(table: CapturedTable): void {
    this.#tables.delete(tableKey(table.id));
    this.#joining = this.#joining.filter((other) => other !== table);
    this.#loads.remove(table);
  }

  #join(parts: Part[]): void {
    const here = this.#group.boundary;
    const ready = this.#joining.filter((table) => comparePositions(here, table.from) >= 0);
    if (ready.length === 0) return;
    this.#joining = this.#joining.filter((table) => !ready.includes(table));
    for (const table of ready) {
      table.joined = true;
      if (table.load === 'full') {
        this.#loads.add(table);
        continue;
      }
      table.state = 'STREAMING';
      if (table.emptyFirst)
        parts.push({
          kind: 'empty',
          table: table.shape.version,
          timeMicros: this.#hereMicros ?? (this.#events.notBefore ?? Date.now() / 1000) * 1e6,
          place: this.#places.at(here, 0, null),
        });
      parts.push({ kind: 'progress', progress: table.progress() });
    }
  }

  #fail(table: CapturedTable, failure: Failure): Part {
    table.state = 'FAILED';
    table.failure = failure;
    this.#joining = this.#joining.filter((other) => other !== table);
    this.#loads.remove(table);
    return { kind: 'progress', progress: table.progress() };
  }

  #batch(parts: readonly Part[], bytes: number): Batch {
    const group = this.#group;
    const events = this.#events;
    this.#handedOnOpen = group.open;
    this.#handedOnAt = Date.now();
    if (events.catchUp?.isOver(group.boundary) === true) events.catchUp = null;
    const offset: MysqlOffset = {
      server: this.#facts.identity,
      ...group.boundary,
      epoch: this.#epoch,
      fileBegun: this.#reader.position.file === group.boundary.file ? this.#reader.fileBegun : 0,
      skipEvents: group.open ? group.rowEvents : 0,
      notBefore: events.notBefore,
      readFrom: events.catchUp === null ? (this.#xa?.oldest?.from ?? null) : this.#readFrom,
      gtids: group.passed.whole,
      last: group.passed.last,
      onlyGtids: events.catchUp !== null,
    };
    return {
      parts,
      rows: parts.reduce((rows, part) => rows + (part.kind === 'rows' ? part.count : 0), 0),
      bytes,
      offset: offsetToJson(offset),
      transactionEnd: !group.open,
      version: this.#version,
      timeMicros: group.timeMicros,
      caughtUp: this.#caughtUp,
      heldSinceMicros: this.#xa?.oldest?.sinceMicros ?? null,
    };
  }

  async #shapeNow(table: CapturedTable): Promise<MysqlTable | null> {
    const connection = await connectForQueries(this.#options.settings);
    try {
      const [entry] = await readSchema(connection, this.#facts, [table.id]);
      return entry?.kind === 'table' ? entry.table : null;
    } finally {
      connection.close();
    }
  }
}
