import type { Batch, LogPlace, Part, RowsPart } from '../../pipeline/batch.ts';
import type { Failure, TableProgress } from '../../pipeline/checkpoint.ts';
import type { Offset } from '../../pipeline/offset.ts';
import type { Described, ReadOptions, Source, SourceTable, TableSet } from '../../pipeline/source.ts';
import { type TableId, tableKey, type TableVersion } from '../../pipeline/table.ts';
import { type Faults, noFaults } from './faults.ts';
import { type MemoryChange, type MemoryOffset, type MemoryServer, memoryOffset, memoryTable } from './memory-server.ts';

const CHUNK_ROWS = 4;

interface Captured {
  readonly shape: TableVersion;
  readonly emptyFirst: boolean;
  state: TableProgress['state'];
  /** Rows up to this key are loaded; null before the first chunk. */
  cursor: number | null;
  chunksDone: number;
  rows: number;
  failure: Failure | null;
}

/** Reads a MemoryServer's log, and loads tables beside it. Keeps the contract of a source to the letter; for tests. */
export class MemorySource implements Source {
  readonly ddl = {};
  readonly #server: MemoryServer;
  readonly #faults: Faults;
  readonly #tables = new Map<string, Captured>();
  #wanted: TableSet | null = null;
  #failures: { table: TableId; failure: Failure }[] = [];
  #version = 0;
  #position = 0;
  #skip = 0;
  #wake: () => void = () => {};
  #poked = false;

  constructor(server: MemoryServer, faults: Faults = noFaults) {
    this.#server = server;
    this.#faults = faults;
  }

  async describe(
    tables: readonly { readonly id: TableId; readonly progress: TableProgress | null }[],
    signal: AbortSignal,
  ): Promise<readonly Described[]> {
    await this.#faults.at('describe');
    signal.throwIfAborted();
    return tables.map(({ id, progress }) =>
      progress !== null || this.#server.has(id)
        ? { kind: 'shape', shape: memoryTable(id) }
        : { kind: 'failure', failure: { code: 'Table.Unknown', message: 'there is no such table', remedy: null } },
    );
  }

  async *read({ after, tables, signal }: ReadOptions): AsyncGenerator<Batch> {
    this.#tables.clear();
    this.#failures = [];
    this.#version = 0;
    const from = after === null ? { position: this.#server.position, skip: 0 } : memoryOffset(after);
    this.#position = from.position;
    this.#skip = from.skip;
    this.#wanted = tables;
    this.#poked = true;
    const poke = () => this.#poke();
    const forget = this.#server.onCommit(poke);
    signal.addEventListener('abort', poke);
    try {
      while (!signal.aborted) {
        await this.#faults.at('read');
        const batch = this.#next();
        if (batch !== null) yield batch;
        else await this.#wait(signal);
      }
    } finally {
      forget();
      signal.removeEventListener('abort', poke);
    }
  }

  setTables(next: TableSet): void {
    this.#wanted = next;
    this.#poke();
  }

  failTable(table: TableId, failure: Failure): void {
    this.#failures.push({ table, failure });
    this.#poke();
  }

  async close(): Promise<void> {}

  #poke(): void {
    this.#poked = true;
    this.#wake();
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#poked || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Everything that comes next, of a size left to chance; null when there is nothing. */
  #next(): Batch | null {
    const parts: Part[] = [];
    const wasPoked = this.#poked;
    const version = this.#version;
    this.#poked = false;
    for (const { table, failure } of this.#failures.splice(0)) this.#fail(table, failure, parts);
    if (this.#skip === 0) {
      if (this.#wanted !== null) this.#apply(this.#wanted, parts);
      this.#loadChunk(parts);
    }
    const { position, skip } = this.#offset();
    let events = this.#faults.pick(6);
    if (parts.length === 0) events += 1;
    for (; events > 0 && this.#server.transaction(this.#position) !== undefined; events--) this.#readChange(parts);
    const isStill = position === this.#position && skip === this.#skip && version === this.#version;
    if (parts.length === 0 && !wasPoked && isStill) return null;
    return this.#batch(parts);
  }

  #batch(parts: readonly Part[]): Batch {
    const rows = parts.reduce((sum, part) => sum + (part.kind === 'rows' ? part.count : 0), 0);
    return {
      parts,
      rows,
      bytes: rows * 16,
      offset: this.#offset(),
      transactionEnd: this.#skip === 0,
      version: this.#version,
      timeMicros: rows === 0 ? null : Date.now() * 1000,
      caughtUp: this.#server.transaction(this.#position) === undefined,
      heldSinceMicros: null,
    };
  }

  #offset(): Offset & MemoryOffset {
    return { position: this.#position, skip: this.#skip };
  }

  #readChange(parts: Part[]): void {
    const changes = this.#server.transaction(this.#position) ?? [];
    const change = changes[this.#skip];
    this.#skip += 1;
    if (this.#skip >= changes.length) {
      this.#position += 1;
      this.#skip = 0;
    }
    if (change === undefined) return;
    const captured = this.#tables.get(tableKey(change.table));
    if (captured?.state === 'STREAMING' || captured?.state === 'SNAPSHOTTING')
      parts.push(changePart(captured.shape, change));
  }

  #apply(next: TableSet, parts: Part[]): void {
    this.#wanted = null;
    this.#version = next.version;
    const wanted = new Map(next.tables.map((table) => [tableKey(table.id), table]));
    for (const [key, captured] of this.#tables) {
      const kept = wanted.get(key);
      if (kept !== undefined && kept.progress !== null) continue;
      this.#tables.delete(key);
      if (kept === undefined && captured.state !== 'FAILED')
        parts.push({ kind: 'progress', progress: { ...this.#progress(captured), state: 'REMOVED' } });
    }
    for (const [key, table] of wanted) {
      if (this.#tables.has(key)) continue;
      const captured = capture(table);
      this.#tables.set(key, captured);
      if (table.progress !== null) continue;
      if (table.emptyFirst) parts.push({ kind: 'empty', table: captured.shape, timeMicros: 0, place: PLACE });
      parts.push({ kind: 'progress', progress: this.#progress(captured) });
    }
  }

  /**
   * Some rows of a table being loaded. The server shows more than the stream has delivered: keys that the log between
   * the two touches are left to the stream, so that a loaded row never overtakes it.
   */
  #loadChunk(parts: Part[]): void {
    const loading = [...this.#tables.values()].filter(({ state }) => state === 'SNAPSHOTTING');
    const table = loading[this.#faults.pick(loading.length)];
    if (table === undefined) return;
    const { cursor, shape } = table;
    const rows = [...this.#server.rows(shape.id)]
      .filter(([id]) => cursor === null || id > cursor)
      .sort(([a], [b]) => a - b)
      .slice(0, CHUNK_ROWS);
    const touched = this.#touchedBehind(shape.id);
    const clean = rows.filter(([id]) => !touched.has(id));
    if (clean.length > 0)
      parts.push(
        rowsPart(
          'read',
          shape,
          clean.map((row) => ({ before: null, after: row })),
        ),
      );
    table.chunksDone += 1;
    table.rows += clean.length;
    table.cursor = rows.at(-1)?.[0] ?? cursor;
    // What was left to the stream has to come first: then the table is whole at this place of the log.
    if (rows.length < CHUNK_ROWS && touched.size === 0) table.state = 'STREAMING';
    else this.#poked = true;
    parts.push({ kind: 'progress', progress: this.#progress(table) });
  }

  #touchedBehind(table: TableId): Set<number> {
    const key = tableKey(table);
    const touched = new Set<number>();
    for (let position = this.#position; ; position++) {
      const changes = this.#server.transaction(position);
      if (changes === undefined) return touched;
      for (const change of changes) if (tableKey(change.table) === key) touched.add(change.id);
    }
  }

  #fail(table: TableId, failure: Failure, parts: Part[]): void {
    const captured = this.#tables.get(tableKey(table));
    if (captured === undefined) return;
    captured.state = 'FAILED';
    captured.failure = failure;
    parts.push({ kind: 'progress', progress: this.#progress(captured) });
  }

  /** `at` tells tests where in the log the table came to this state. */
  #progress({ shape, state, chunksDone, rows, cursor, failure, emptyFirst }: Captured): TableProgress {
    const resume = { cursor, emptyFirst, at: this.#position, was: state };
    return { table: shape.id, state, chunksDone, chunksAll: chunksDone, rows, failure, resume };
  }
}

function capture({ shape, load, emptyFirst, progress }: SourceTable): Captured {
  if (progress === null) {
    const state = load === 'full' ? 'SNAPSHOTTING' : 'STREAMING';
    return { shape, emptyFirst, state, cursor: null, chunksDone: 0, rows: 0, failure: null };
  }
  const { cursor } = progress.resume as { cursor: number | null };
  const { state, chunksDone, rows, failure } = progress;
  return { shape, emptyFirst, state, cursor, chunksDone, rows, failure };
}

const PLACE: LogPlace = {
  server: { system: 'memory', version: '1', id: 1 },
  epoch: 0,
  file: 'log.1',
  fileNumber: 1,
  position: 4,
  within: 0,
  gtid: null,
};

interface Images {
  readonly before: readonly [number, number] | null;
  readonly after: readonly [number, number] | null;
}

function changePart(table: TableVersion, { id, before, after }: MemoryChange): RowsPart {
  const op = before === null ? 'insert' : after === null ? 'delete' : 'update';
  const images = {
    before: before === null ? null : ([id, before] as const),
    after: after === null ? null : ([id, after] as const),
  };
  return rowsPart(op, table, [images]);
}

function rowsPart(op: RowsPart['op'], table: TableVersion, rows: readonly Images[]): RowsPart {
  return {
    kind: 'rows',
    op,
    table,
    count: rows.length,
    timeMicros: Date.now() * 1000,
    place: PLACE,
    visit(row, image, columns, visitor) {
      const values = rows[row]?.[image];
      if (values === undefined || values === null) throw new Error(`row ${row} has no ${image} image`);
      for (const index of columns.indexes) visitor.integer(values[index] ?? 0);
    },
  };
}
