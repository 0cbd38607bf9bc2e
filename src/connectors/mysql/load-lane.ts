import { crashPoint } from '../../lib/crash-point.ts';
import type { Part } from '../../pipeline/batch.ts';
import type { CapturedTable } from './captured-table.ts';
import type { Chunk, ChunkReader, WindowStart } from './chunk-reader.ts';
import type { ChunkCursor } from './chunk-sql.ts';
import type { KeyWindow } from './key-window.ts';
import type { LoadPace } from './load-pace.ts';
import { comparePositions } from './position.ts';

/** Rows of a chunk: enough that the fixed cost of a chunk is small, few enough that the stream waits little behind one. */
export const CHUNK_ROWS = 4000;
const CHUNK_BYTES = 4 << 20;
const ROW_BYTES_GUESS = 256;
/** Chunks of one table on their way: one is read while the one before it waits for the stream, or is written. */
const CHUNKS_AHEAD = 2;
/** Tables whose chunks are on their way together, as long as each is about one chunk. */
const TABLES_AHEAD = 8;
/** Chunks that were read and wait for the stream: no other is read while they hold more than this. */
const HELD_BYTES_MAX = 8 << 20;

/*
 *   opened at a boundary ──► reading ──► read ──(stream at its HIGH)──► merged
 *                                          └─(the shape changed, or too much was touched)──► given up, opened again
 */
interface Flight {
  readonly table: CapturedTable;
  readonly start: WindowStart;
  readonly window: KeyWindow;
  readonly after: ChunkCursor | null;
  chunk: Chunk | null;
  /** Its table left, or a chunk before it was given up. */
  dropped: boolean;
}

/** What a lane needs of the load it is part of. */
export interface LaneParts {
  readonly reader: ChunkReader;
  readonly pace: LoadPace;
  /** The next table to load; undefined when there is none. */
  take(): CapturedTable | undefined;
  /** A chunk was read: `atBoundary` has something to do. */
  wake(): void;
  fail(table: CapturedTable, error: unknown): void;
}

/** One connection that loads: chunks are read one behind the other, a big table alone, small ones some at a time. */
export class LoadLane {
  readonly #parts: LaneParts;
  #tables: CapturedTable[] = [];
  /** In the order in which they were opened, read and merged. */
  #flights: Flight[] = [];
  #reading = false;
  #lastMs = 0;
  #othersWrote = false;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** Chunks wait for the stream, or windows could be opened. */
  waiting(more: boolean): boolean {
    return this.#flights.some(({ chunk }) => chunk !== null) || this.#canOpen(more);
  }

  /** Merges what the stream has come to, and opens windows here for what is read next. */
  atBoundary(start: WindowStart): Part[] {
    const parts: Part[] = [];
    for (let flight = this.#flights[0]; flight !== undefined; flight = this.#flights[0]) {
      if (flight.chunk === null || comparePositions(start.position, flight.chunk.high) < 0) break;
      this.#flights.shift();
      parts.push(...this.#merge(flight, flight.chunk));
    }
    for (let table = this.#next(); table !== undefined; table = this.#next()) parts.push(...this.#open(table, start));
    void this.#read();
    return parts;
  }

  remove(table: CapturedTable): void {
    this.#tables = this.#tables.filter((other) => other !== table);
    this.#dropFlights(table);
  }

  close(): void {
    this.#tables = [];
    this.#flights = [];
    this.#parts.reader.close();
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
    if (this.#tables.length === 0) this.#parts.reader.rest();
  }

  #isReady(table: CapturedTable): boolean {
    const own = this.#flights.filter((flight) => flight.table === table);
    const last = own.at(-1);
    if (last === undefined) return true;
    return own.length < CHUNKS_AHEAD && last.chunk !== null && !last.chunk.last && !last.window.void;
  }

  #hasRoom(): boolean {
    return this.#tables.length < TABLES_AHEAD && this.#tables.every((table) => this.#isNearEnd(table));
  }

  #isNearEnd(table: CapturedTable): boolean {
    return table.chunksAll - table.chunksDone <= 1 || this.#lastOf(table)?.chunk?.last === true;
  }

  #lastOf(table: CapturedTable): Flight | undefined {
    return this.#flights.findLast((flight) => flight.table === table);
  }

  #open(table: CapturedTable, start: WindowStart): Part[] {
    const after = this.#lastOf(table)?.chunk?.cursor ?? table.cursor;
    const window = table.windows.open(table.shape.version);
    this.#flights.push({ table, start, window, after, chunk: null, dropped: false });
    if (table.state !== 'WAITING') return [];
    table.state = 'SNAPSHOTTING';
    const progress: Part = { kind: 'progress', progress: table.progress() };
    return table.emptyFirst ? [{ kind: 'empty', table: table.shape.version }, progress] : [progress];
  }

  /** Reads what was opened, one chunk behind the other, until there is nothing more or enough waits. */
  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    for (let flight = this.#nextToRead(); flight !== undefined; flight = this.#nextToRead()) {
      const { table, start, window, after } = flight;
      const { pace, reader } = this.#parts;
      await pace.wait(this.#lastMs, this.#othersWrote);
      if (flight.dropped) continue;
      const begun = pace.now();
      try {
        const chunk = await reader.read(table.shape, start, after, pace.limit(limitOf(table)));
        pace.took(chunk.rows.count);
        this.#lastMs = pace.now() - begun;
        this.#othersWrote = comparePositions(chunk.high, start.position) > 0;
        if (flight.dropped) continue;
        window.narrow(chunk.rows.all(table.shape.version, chunk.selectedMicros));
        flight.chunk = chunk;
        this.#parts.wake();
      } catch (error) {
        if (flight.dropped) continue;
        this.remove(table);
        this.#parts.fail(table, error);
      }
    }
    this.#reading = false;
  }

  #nextToRead(): Flight | undefined {
    const held = this.#flights.reduce((bytes, { chunk }) => bytes + (chunk?.rows.bytes ?? 0), 0);
    return held > HELD_BYTES_MAX ? undefined : this.#flights.find(({ chunk }) => chunk === null);
  }

  #merge({ table, window }: Flight, chunk: Chunk): Part[] {
    table.windows.close(window);
    if (window.void) {
      // What was read behind it began where it ended.
      this.#dropFlights(table);
      return [];
    }
    crashPoint('before chunk merged');
    const untouched = window.untouched();
    const parts: Part[] = [];
    if (untouched.length > 0) parts.push(chunk.rows.part(table.shape.version, untouched, chunk.selectedMicros));
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

function limitOf({ rowBytes }: CapturedTable): number {
  return Math.max(16, Math.min(CHUNK_ROWS, Math.floor(CHUNK_BYTES / (rowBytes || ROW_BYTES_GUESS))));
}
