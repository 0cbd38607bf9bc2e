import type { Json, JsonObject } from '../../lib/json-value.ts';
import type { Failure, TableProgress, TableState } from '../../pipeline/checkpoint.ts';
import { type TableId, tableKey } from '../../pipeline/table.ts';
import type { ChunkCursor } from './load/chunk-sql.ts';
import { OpenWindows } from './load/key-window.ts';
import type { LogPosition } from './offset/position.ts';
import type { MysqlTable } from './types.ts';

/** What a checkpoint keeps of a table, to go on with its load and to read its rows in the log. */
interface Resume {
  readonly shape: MysqlTable;
  /** Where the shape was read: the table joins the stream once that has come so far. */
  readonly from: LogPosition;
  /** Whose log `from` is of; checkpoints of before do not say it. */
  readonly server?: string | undefined;
  readonly cursor: ChunkCursor | null;
  readonly load: 'full' | 'none';
  readonly emptyFirst: boolean;
  /** Bytes of a row, estimated by the server; 0 when it does not know. */
  readonly rowBytes: number;
  readonly suspect?: boolean;
}

/**
 * One table of a run. WAITING: not in the stream yet, or its load has not begun. SNAPSHOTTING: its changes flow, its existing rows are being loaded.
 * STREAMING: its changes flow. FAILED, REMOVED: nothing of it is handed on.
 */
export class CapturedTable {
  readonly id: TableId;
  readonly emptyFirst: boolean;
  readonly load: 'full' | 'none';
  /** Where the table joins the stream: a place in the log of `server`. */
  from: LogPosition;
  server: string | undefined;
  shape: MysqlTable;
  state: TableState;
  chunksDone: number;
  chunksAll: number;
  rows: number;
  failure: Failure | null;
  cursor: ChunkCursor | null;
  /** Bytes of a row: as the server estimates it, then as the last chunks were. */
  rowBytes: number;
  /** Open while chunks of this table are on their way. */
  readonly windows = new OpenWindows();
  /** How often its rows were read, and changed meanwhile: of a table without a key. */
  readsInVain = 0;
  /** The log has come to where its shape was seen: what alters it from here on is news. */
  joined = false;
  /** A statement that may have changed it was seen, and the log does not tell names: the server must be asked. */
  suspect: boolean;

  private constructor(
    id: TableId,
    resume: Resume,
    progress: Pick<TableProgress, 'state' | 'chunksDone' | 'chunksAll' | 'rows' | 'failure'>,
  ) {
    this.id = id;
    this.shape = resume.shape;
    this.from = resume.from;
    this.server = resume.server;
    this.cursor = resume.cursor;
    this.load = resume.load;
    this.emptyFirst = resume.emptyFirst;
    this.rowBytes = resume.rowBytes;
    this.suspect = resume.suspect ?? false;
    this.state = progress.state;
    this.chunksDone = progress.chunksDone;
    this.chunksAll = progress.chunksAll;
    this.rows = progress.rows;
    this.failure = progress.failure;
  }

  /** A table that starts afresh. */
  static fresh(options: Omit<Resume, 'cursor'> & { chunksAll: number }): CapturedTable {
    const { chunksAll, ...resume } = options;
    return new CapturedTable(
      resume.shape.version.id,
      { ...resume, cursor: null },
      { state: 'WAITING', chunksDone: 0, chunksAll, rows: 0, failure: null },
    );
  }

  /** A table as a checkpoint left it. Errors: Error if the checkpoint is not one of this source. */
  static resumed(progress: TableProgress): CapturedTable {
    return new CapturedTable(progress.table, readResume(progress.resume), progress);
  }

  get flows(): boolean {
    return this.state === 'SNAPSHOTTING' || this.state === 'STREAMING';
  }

  /** A chunk was read. Behind long rows short ones are believed in a little at a time. */
  sawRows(count: number, bytes: number): void {
    if (count > 0) this.rowBytes = Math.max(Math.ceil(bytes / count), Math.floor(this.rowBytes / 4));
  }

  progress(): TableProgress {
    const { shape, from, server, cursor, load, emptyFirst, rowBytes, suspect } = this;
    return {
      table: this.id,
      state: this.state,
      chunksDone: this.chunksDone,
      chunksAll: Math.max(this.chunksAll, this.chunksDone),
      rows: this.rows,
      failure: this.failure,
      resume: {
        shape,
        from,
        ...(server === undefined ? {} : { server }),
        cursor,
        load,
        emptyFirst,
        rowBytes,
        suspect,
      } as unknown as JsonObject,
    };
  }
}

/** The key of a table as a statement names it; `lowerCaseNames` where the server compares names without regard to case. */
export function keyOfNamed({ database, table }: TableId, lowerCaseNames: boolean): string {
  return lowerCaseNames
    ? tableKey({ database: database.toLowerCase(), table: table.toLowerCase() })
    : tableKey({ database, table });
}

/** The shape that a checkpoint keeps of a table. */
export function readResume(json: Json): Resume {
  if (json === null || typeof json !== 'object' || !('shape' in json))
    throw new Error('the stored table state is not one of a MySQL source');
  return json as unknown as Resume;
}
