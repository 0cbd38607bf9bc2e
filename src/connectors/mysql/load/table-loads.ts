import type { LogPlace, Part } from '../../../pipeline/batch.ts';
import { PipelineError } from '../../../pipeline/pipeline-error.ts';
import type { CapturedTable } from '../captured-table.ts';
import type { ChunkReader, WindowStart } from './chunk-reader.ts';
import { LongRowTurn } from './long-row-turn.ts';
import { CHUNK_ROWS, LoadLane } from './load-lane.ts';
import { LoadPace } from './load-pace.ts';
import type { LogPosition } from '../offset/position.ts';
import type { MysqlTable } from '../types.ts';

/** Chunks of one lane that wait for the stream hold no more: it would not help. */
const LANE_BYTES_MAX = 8 << 20;

export interface TableLoadsOptions {
  /** Tables loaded at the same time, each on a connection of its own. */
  readonly parallelism: number;
  readonly rowsPerSecondMax: number | null;
  /** What all chunks together that wait for the stream may hold. */
  readonly heldBytesMax: number;
  /** What the keys may take that the stream touches meanwhile. */
  readonly keyBytesMax: number;
  /** A reader with a connection of its own, made when it is first used; it waits for `onLong` when a long row comes. */
  reader(onLong: () => Promise<void>): ChunkReader;
  /** `atBoundary` has something to do. */
  wake(): void;
  /** Takes a table in doubt to the shape that the server tells. */
  reshape(table: CapturedTable, shape: MysqlTable | null): Part[];
  /** Where rows are of that join the log at `position`. */
  placeOf(position: LogPosition): LogPlace;
  /** When the log was where the stream is, microseconds since the epoch. */
  timeHere(): number;
  /** Milliseconds that only go forward. */
  readonly now?: () => number;
}

/**
 * Loads existing rows of tables beside the stream (behaviour: "How a chunk merges"). The stream calls `atBoundary` between
 * groups of events; everything else happens meanwhile.
 */
export class TableLoads {
  readonly #lanes: readonly LoadLane[];
  readonly #queue: CapturedTable[] = [];
  #failed: { table: CapturedTable; error: PipelineError }[] = [];
  #error: unknown;
  #waiting = false;

  constructor(options: TableLoadsOptions) {
    const {
      parallelism,
      rowsPerSecondMax,
      heldBytesMax,
      keyBytesMax,
      reader,
      reshape,
      placeOf,
      timeHere,
      wake,
      now = () => performance.now(),
    } = options;
    const pace = new LoadPace(rowsPerSecondMax, now);
    const awake = () => {
      this.#waiting = true;
      wake();
    };
    const parts = {
      pace,
      heldBytesMax: Math.min(LANE_BYTES_MAX, heldBytesMax / parallelism),
      keys: { bytesMax: keyBytesMax, bytes: 0 },
      take: () => this.#queue.shift(),
      wake: awake,
      reshape,
      placeOf,
      timeHere,
      fail: (table: CapturedTable, error: unknown) => {
        if (error instanceof PipelineError && error.kind === 'table') this.#failed.push({ table, error });
        else this.#error = error;
        awake();
      },
    };
    const turn = new LongRowTurn();
    this.#lanes = Array.from({ length: parallelism }, () => new LoadLane({ ...parts, turn, reader }));
  }

  add(table: CapturedTable): void {
    this.#queue.push(table);
    this.#waiting = true;
  }

  remove(table: CapturedTable): void {
    const index = this.#queue.indexOf(table);
    if (index >= 0) this.#queue.splice(index, 1);
    for (const lane of this.#lanes) lane.remove(table);
    this.#waiting = true;
  }

  /** True when `atBoundary` has something to do, or to throw. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Errors: whatever ended a chunk and does not concern its table alone. */
  atBoundary(start: WindowStart): Part[] {
    if (this.#error !== undefined) throw this.#error;
    const parts = this.#lanes.flatMap((lane) => lane.atBoundary(start));
    this.#waiting = this.#lanes.some((lane) => lane.waiting(this.#queue.length > 0));
    return parts;
  }

  /** What `atBoundary` handed on was taken: its memory is used again. */
  release(): void {
    for (const lane of this.#lanes) lane.release();
  }

  /** The tables whose loads failed, when the failure is the table's alone; each is told once. */
  takeFailed(): readonly { readonly table: CapturedTable; readonly error: PipelineError }[] {
    return this.#failed.splice(0);
  }

  close(): void {
    this.#queue.length = 0;
    for (const lane of this.#lanes) lane.close();
  }
}

/** Chunks that a table of so many rows is expected to need. */
export function chunksExpected(rowsEstimated: number): number {
  return Math.max(1, Math.ceil(rowsEstimated / CHUNK_ROWS));
}
