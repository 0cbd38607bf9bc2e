import type { Part } from '../../pipeline/batch.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { CapturedTable } from './captured-table.ts';
import type { Chunk, ChunkReader, WindowStart } from './chunk-reader.ts';
import { KeyWindow } from './key-window.ts';
import { comparePositions } from './position.ts';

/** Rows of a chunk: enough that the fixed cost of a chunk is small, few enough that the stream waits little behind one. */
const CHUNK_ROWS = 4000;
const CHUNK_BYTES = 4 << 20;
const ROW_BYTES_GUESS = 256;

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
  readonly #queue: CapturedTable[] = [];
  #phase: Phase = { kind: 'opening' };
  #error: unknown;

  constructor(reader: ChunkReader, wake: () => void) {
    this.#reader = reader;
    this.#wake = wake;
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
          : this.#merge(table, this.#phase.chunk);
    }
  }

  close(): void {
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
    try {
      const chunk = await this.#reader.read(table.shape, start, table.cursor, limit);
      if (table.window === window) this.#phase = { kind: 'merging', chunk };
    } catch (error) {
      if (table.window === window) this.#error = error;
    }
    this.#wake();
  }

  #merge(table: CapturedTable, chunk: Chunk): Part[] {
    const { window } = table;
    table.window = null;
    this.#phase = { kind: 'opening' };
    if (window === null || window.void) return [];
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
