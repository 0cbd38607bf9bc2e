import { crashPoint } from '../../../lib/crash-point.ts';
import type { LogPlace, Part } from '../../../pipeline/batch.ts';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import { describeTable, type TableId } from '../../../pipeline/table.ts';
import type { CapturedTable } from '../captured-table.ts';
import type { Chunk, ChunkReader, Refused, ShapeSeen, WindowStart } from './chunk-reader.ts';
import type { ChunkCursor } from './chunk-sql.ts';
import type { KeyQuota, KeyWindow } from './key-window.ts';
import type { LoadPace } from './load-pace.ts';
import type { LongRowTurn } from './long-row-turn.ts';
import { comparePositions, type LogPosition } from '../offset/position.ts';
import type { SelectedFrom, TextRows } from '../protocol/text-rows.ts';
import type { MysqlTable } from '../types.ts';

/** Rows of a chunk: enough that the fixed cost of a chunk is small, few enough that the stream waits little behind one. */
export const CHUNK_ROWS = 4000;
const CHUNK_BYTES = 4 << 20;
const ROW_BYTES_GUESS = 256;
/** A lane that holds more may hold a long row: the turn for those is its own until it does not. */
const LONG_BYTES = 4 << 20;
/** Chunks of one table on their way: one is read while the one before it waits for the stream, or is written. */
const CHUNKS_AHEAD = 2;
/** Tables whose chunks are on their way together, as long as each is about one chunk. */
const TABLES_AHEAD = 8;

/** A table without a key is read so often while others write it, before it is given up. */
const READS_IN_VAIN_MAX = 50;

/*
 *   opened at a boundary ──► reading ──► read ──(stream at its HIGH)──► merged
 *                                          └─(the shape changed, or too much was touched)──► given up, opened again
 *
 * Of a table whose shape is in doubt the shape is read first, in the same way: it holds where the stream comes to HIGH, if no
 * statement on the table came before.
 */
interface Flight {
  readonly table: CapturedTable;
  readonly start: WindowStart;
  readonly window: KeyWindow;
  readonly after: ChunkCursor | null;
  found: Chunk | Refused | ShapeSeen | null;
  /** Its table left, or a chunk before it was given up. */
  dropped: boolean;
}

/** What a lane needs of the load it is part of. */
export interface LaneParts {
  readonly turn: LongRowTurn;
  reader(onLong: () => Promise<void>): ChunkReader;
  readonly pace: LoadPace;
  /** Chunks that were read and wait for the stream: no other is read while they hold more than this. */
  readonly heldBytesMax: number;
  readonly keys: KeyQuota;
  /** The next table to load; undefined when there is none. */
  take(): CapturedTable | undefined;
  /** A chunk was read: `atBoundary` has something to do. */
  wake(): void;
  /** Takes a table in doubt to the shape that the server tells. */
  reshape(table: CapturedTable, shape: MysqlTable | null): Part[];
  fail(table: CapturedTable, error: unknown): void;
  placeOf(position: LogPosition): LogPlace;
  timeHere(): number;
}

/** One connection that loads: chunks are read one behind the other, a big table alone, small ones some at a time. */
export class LoadLane {
  readonly #parts: LaneParts;
  readonly #reader: ChunkReader;
  #tables: CapturedTable[] = [];
  /** In the order in which they were opened, read and merged. */
  #flights: Flight[] = [];
  /** Of chunks that were handed on. */
  readonly #spent: TextRows[] = [];
  #reading = false;
  #lastMs = 0;
  #othersWrote = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#reader = parts.reader(() => parts.turn.take(this));
  }

  /** Chunks wait for the stream, or windows could be opened. */
  waiting(more: boolean): boolean {
    return this.#flights.some(({ found }) => found !== null) || this.#canOpen(more);
  }

  /** Merges what the stream has come to, and opens windows here for what is read next. */
  atBoundary(start: WindowStart): Part[] {
    const parts: Part[] = [];
    for (let flight = this.#flights[0]; flight !== undefined; flight = this.#flights[0]) {
      if (flight.found === null || comparePositions(start.position, flight.found.high) < 0) break;
      this.#flights.shift();
      parts.push(...this.#land(flight, flight.found, start.position));
      flight.table.windows.close(flight.window);
    }
    for (let table = this.#next(); table !== undefined; table = this.#next()) parts.push(...this.#open(table, start));
    void this.#read();
    return parts;
  }

  /** What `atBoundary` handed on was taken. */
  release(): void {
    for (const rows of this.#spent.splice(0)) this.#reader.recycle(rows);
    if (!this.#reading) this.#leaveTurn();
  }

  remove(table: CapturedTable): void {
    this.#tables = this.#tables.filter((other) => other !== table);
    this.#dropFlights(table);
    if (!this.#reading) this.#leaveTurn();
  }

  close(): void {
    for (const table of this.#tables) this.#dropFlights(table);
    this.#tables = [];
    this.#reader.close();
    this.#parts.turn.leave(this);
  }

  #canOpen(more: boolean): boolean {
    return this.#tables.some((table) => this.#isReady(table)) || (more && this.#hasRoom());
  }

  #next(): CapturedTable | undefined {
    const ready = this.#tables.find((table) => this.#isReady(table));
    if (ready !== undefined || !this.#hasRoom()) return ready;
    const table = this.#parts.take();
    if (table === undefined) return this.#rest();
    this.#tables.push(table);
    return table;
  }

  /** Nothing is left to load: the source keeps no connection for it. */
  #rest(): undefined {
    if (this.#tables.length === 0) this.#reader.rest();
  }

  #isReady(table: CapturedTable): boolean {
    const own = this.#flights.filter((flight) => flight.table === table);
    const last = own.at(-1);
    if (last === undefined) return true;
    return own.length < CHUNKS_AHEAD && last.found?.kind === 'chunk' && !last.found.last && !last.window.void;
  }

  #hasRoom(): boolean {
    return this.#tables.length < TABLES_AHEAD && this.#tables.every((table) => this.#isNearEnd(table));
  }

  #isNearEnd(table: CapturedTable): boolean {
    return table.chunksAll - table.chunksDone <= 1 || this.#lastChunkOf(table)?.last === true;
  }

  #lastChunkOf(table: CapturedTable): Chunk | null {
    const found = this.#flights.findLast((flight) => flight.table === table)?.found ?? null;
    return found?.kind === 'chunk' ? found : null;
  }

  #open(table: CapturedTable, start: WindowStart): Part[] {
    const after = this.#lastChunkOf(table)?.cursor ?? table.cursor;
    const window = table.windows.open(table.shape.version, this.#parts.keys);
    this.#flights.push({ table, start, window, after, found: null, dropped: false });
    if (table.state !== 'WAITING') return [];
    table.state = 'SNAPSHOTTING';
    const progress: Part = { kind: 'progress', progress: table.progress() };
    if (!table.emptyFirst) return [progress];
    const place = this.#parts.placeOf(start.position);
    return [{ kind: 'empty', table: table.shape.version, timeMicros: this.#parts.timeHere(), place }, progress];
  }

  /** Reads what was opened, one chunk behind the other, until there is nothing more or enough waits. */
  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    for (let flight = this.#nextToRead(); flight !== undefined; flight = this.#nextToRead()) {
      const { pace } = this.#parts;
      this.#leaveTurn();
      await pace.wait(this.#lastMs, this.#othersWrote);
      if (flight.dropped) continue;
      try {
        const found = await this.#find(flight);
        if (flight.dropped) continue;
        flight.found = found;
        this.#parts.wake();
      } catch (error) {
        if (flight.dropped) continue;
        this.#giveUp(flight.table, error);
      }
    }
    this.#reading = false;
    this.#leaveTurn();
  }

  /** Unless it holds long rows. */
  #leaveTurn(): void {
    const spent = this.#spent.reduce((bytes, rows) => bytes + rows.bytes, 0);
    if (this.#held + spent < LONG_BYTES) this.#parts.turn.leave(this);
  }

  async #find({ table, start, window, after }: Flight): Promise<Chunk | Refused | ShapeSeen> {
    const { pace } = this.#parts;
    if (table.suspect) return this.#reader.shape(table.id);
    const begun = pace.now();
    const chunk = await this.#reader.read(table.shape, start, after, pace.limit(limitOf(table)));
    this.#lastMs = pace.now() - begun;
    this.#othersWrote = comparePositions(chunk.high, start.position) > 0;
    if (chunk.kind === 'refused') return chunk;
    pace.took(chunk.rows.count);
    table.sawRows(chunk.rows.count, chunk.rows.bytes);
    window.narrow(chunk.rows.all(this.#from(table, chunk, start.position)));
    return chunk;
  }

  #giveUp(table: CapturedTable, error: unknown): void {
    this.remove(table);
    this.#parts.fail(table, error);
  }

  /** Bytes of the chunks that wait for the stream. */
  get #held(): number {
    return this.#flights.reduce((bytes, { found }) => bytes + (found?.kind === 'chunk' ? found.rows.bytes : 0), 0);
  }

  #nextToRead(): Flight | undefined {
    return this.#held > this.#parts.heldBytesMax ? undefined : this.#flights.find(({ found }) => found === null);
  }

  /** The stream has come to where what was found holds. */
  #land({ table, window }: Flight, found: Chunk | Refused | ShapeSeen, here: LogPosition): Part[] {
    if (window.void) {
      // What was read behind it began where it ended.
      this.#dropFlights(table);
      if (table.shape.version.key.length === 0 && (table.readsInVain += 1) > READS_IN_VAIN_MAX)
        this.#giveUp(table, neverQuiet(table.id));
      return [];
    }
    switch (found.kind) {
      case 'chunk':
        return this.#merge(window, found, this.#from(table, found, here), table);
      case 'refused':
        this.#giveUp(table, found.error);
        return [];
      case 'shape':
        return table.suspect ? this.#parts.reshape(table, found.shape) : [];
    }
  }

  #from(table: CapturedTable, { selectedMicros }: Chunk, here: LogPosition): SelectedFrom {
    return { table: table.shape.version, timeMicros: selectedMicros, place: this.#parts.placeOf(here) };
  }

  #merge(window: KeyWindow, chunk: Chunk, from: SelectedFrom, table: CapturedTable): Part[] {
    this.#spent.push(chunk.rows);
    crashPoint('before chunk merged');
    const untouched = window.untouched();
    const parts: Part[] = [];
    if (untouched.length > 0) parts.push(chunk.rows.part(from, untouched));
    table.cursor = chunk.cursor ?? table.cursor;
    table.chunksDone += 1;
    table.rows += untouched.length;
    if (chunk.last) {
      table.state = 'STREAMING';
      table.chunksAll = table.chunksDone;
      this.#tables = this.#tables.filter((other) => other !== table);
    } else table.chunksAll = Math.max(table.chunksAll, table.chunksDone + 1);
    parts.push({ kind: 'progress', progress: table.progress() });
    crashPoint('after chunk merged');
    return parts;
  }

  #dropFlights(table: CapturedTable): void {
    for (const flight of this.#flights) {
      if (flight.table !== table) continue;
      flight.dropped = true;
      table.windows.close(flight.window);
    }
    this.#flights = this.#flights.filter(({ dropped }) => !dropped);
  }
}

function neverQuiet(table: TableId): PipelineError {
  return new PipelineError(
    'table',
    'Table.BusyWithoutKey',
    `${describeTable(table)} has no primary key, and changed each of ${READS_IN_VAIN_MAX} times while its rows were read`,
    {
      table,
      hint: 'Add a primary key, or deploy the task again while nothing writes the table, or start it with initialLoad none (or added).',
    },
  );
}

function limitOf({ rowBytes }: CapturedTable): number {
  return Math.max(1, Math.min(CHUNK_ROWS, Math.floor(CHUNK_BYTES / (rowBytes || ROW_BYTES_GUESS))));
}
