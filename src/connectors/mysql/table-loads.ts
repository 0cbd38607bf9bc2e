import { setTimeout as sleep } from 'node:timers/promises';
import { crashPoint } from '../../lib/crash-point.ts';
import type { Part } from '../../pipeline/batch.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { CapturedTable } from './captured-table.ts';
import type { Chunk, ChunkReader, WindowStart } from './chunk-reader.ts';
import { KeyWindow } from './key-window.ts';
import { comparePositions, type LogPosition } from './position.ts';

/** Rows of a chunk: enough that the fixed cost of a chunk is small, few enough that the stream waits little behind one. */
const CHUNK_ROWS = 4000;
const CHUNK_BYTES = 4 << 20;
const ROW_BYTES_GUESS = 256;
/** While others write, a load leaves them a part of the machine: behind a chunk it rests half as long as that took, at most this. */
const REST_MAX_MS = 25;

/*
 *   opening ──(boundary)──► reading ──(SELECT done)──► merging ──(stream at HIGH)──► opening, or done
 *       ▲                                                 │
 *       └───────────── the shape changed meanwhile ◄──────┘
 */
type Phase = { kind: 'opening' } | { kind: 'reading' } | { kind: 'merging'; chunk: Chunk };

/**
 * Loads existing rows of tables, one table after the other, beside the stream (behaviour: "How a chunk merges").
 * The stream calls `atBoundary` between groups of events; everything else happens meanwhile.
 */
export class TableLoads {
  readonly #reader: ChunkReader;
  readonly #wake: () => void;
  readonly #now: () => number;
  readonly #queue: CapturedTable[] = [];
  #phase: Phase = { kind: 'opening' };
  #error: unknown;
  #begunAt = 0;
  #begunPosition: LogPosition | null = null;
  #restMs = 0;
  #closed = false;

  /** `now`: milliseconds that only go forward. */
  constructor(reader: ChunkReader, wake: () => void, now = () => performance.now()) {
    this.#reader = reader;
    this.#wake = wake;
    this.#now = now;
  }

  add(table: CapturedTable): void {
    this.#queue.push(table);
  }

  remove(table: CapturedTable): void {
    const index = this.#queue.indexOf(table);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    table.window = null;
    // A chunk of it that is still being read finds another table, or none, at the head of the queue.
    if (index === 0) this.#phase = { kind: 'opening' };
  }

  /** True when `atBoundary` has something to do, or to throw. */
  get waiting(): boolean {
    return this.#error !== undefined || (this.#queue.length > 0 && this.#phase.kind !== 'reading');
  }

  /** Errors: whatever ended a chunk and does not concern its table alone. */
  atBoundary(start: WindowStart): Part[] {
    if (this.#error !== undefined) throw this.#error;
    const table = this.#queue[0];
    if (table === undefined) return [];
    switch (this.#phase.kind) {
      case 'opening':
        return this.#open(table, start);
      case 'reading':
        return [];
      case 'merging':
        return comparePositions(start.position, this.#phase.chunk.high) < 0
          ? []
          : this.#merge(table, this.#phase.chunk, start);
    }
  }

  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#reader.close();
  }

  #open(table: CapturedTable, start: WindowStart): Part[] {
    const parts: Part[] = [];
    if (table.state === 'WAITING') {
      table.state = 'SNAPSHOTTING';
      if (table.emptyFirst) parts.push({ kind: 'empty', table: table.shape.version });
      parts.push({ kind: 'progress', progress: table.progress() });
    }
    table.window = new KeyWindow(table.shape.version);
    this.#phase = { kind: 'reading' };
    void this.#read(table, start);
    return parts;
  }

  async #read(table: CapturedTable, start: WindowStart): Promise<void> {
    const { window } = table;
    const limit = Math.max(16, Math.min(CHUNK_ROWS, Math.floor(CHUNK_BYTES / (table.rowBytes || ROW_BYTES_GUESS))));
    if (this.#restMs >= 1) {
      await sleep(this.#restMs);
      if (this.#closed || table.window !== window) return;
    }
    this.#begunAt = this.#now();
    this.#begunPosition = start.position;
    try {
      const chunk = await this.#reader.read(table.shape, start, table.cursor, limit);
      if (table.window === window) this.#phase = { kind: 'merging', chunk };
    } catch (error) {
      if (table.window === window) this.#error = error;
    }
    this.#wake();
  }

  #merge(table: CapturedTable, chunk: Chunk, { position }: WindowStart): Part[] {
    const { window } = table;
    table.window = null;
    this.#phase = { kind: 'opening' };
    const othersWrite = this.#begunPosition !== null && comparePositions(position, this.#begunPosition) > 0;
    this.#restMs = othersWrite ? Math.min(REST_MAX_MS, (this.#now() - this.#begunAt) / 2) : 0;
    if (window === null || window.void) return [];
    crashPoint('before chunk merged');
    const all = chunk.rows.part(table.shape.version, indexes(chunk.rows.count), chunk.selectedMicros);
    const untouched = window.untouched(all);
    const parts: Part[] = [];
    if (untouched.length > 0) parts.push(chunk.rows.part(table.shape.version, untouched, chunk.selectedMicros));
    table.cursor = chunk.cursor ?? table.cursor;
    table.chunksDone += 1;
    table.rows += untouched.length;
    if (chunk.last) {
      table.state = 'STREAMING';
      table.chunksAll = table.chunksDone;
      this.#queue.shift();
    } else table.chunksAll = Math.max(table.chunksAll, table.chunksDone + 1);
    parts.push({ kind: 'progress', progress: table.progress() });
    crashPoint('after chunk merged');
    return parts;
  }

  /** The table that a failed chunk was of, when the failure is that table's alone; the error is taken back then. */
  takeTableError(): { table: CapturedTable; error: PipelineError } | null {
    const error = this.#error;
    const table = this.#queue[0];
    if (!(error instanceof PipelineError) || error.kind !== 'table' || table === undefined) return null;
    this.#error = undefined;
    return { table, error };
  }
}

/** Chunks that a table of so many rows is expected to need. */
export function chunksExpected(rowsEstimated: number): number {
  return Math.max(1, Math.ceil(rowsEstimated / CHUNK_ROWS));
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
