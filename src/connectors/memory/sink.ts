import { assertNever } from '../../lib/errors.ts';
import type { Batch, RowsPart } from '../../pipeline/batch.ts';
import type { Checkpoint } from '../../pipeline/checkpoint.ts';
import { withFailed } from '../../pipeline/failed-tables.ts';
import { PipelineError } from '../../pipeline/pipeline-error.ts';
import type { SinkTable, TargetId } from '../../pipeline/route.ts';
import type { CommitResult, FailedTables, Sink, SinkLoad } from '../../pipeline/sink.ts';
import { allColumns, type TableId, tableKey } from '../../pipeline/table.ts';
import type { ValueVisitor } from '../../pipeline/value-visitor.ts';
import { type Faults, noFaults } from './faults.ts';
import type { MemoryRows } from './memory-server.ts';

/** What a target holds durably; lives on when its sink dies. */
export class MemoryTarget {
  readonly tables = new Map<string, Map<number, number>>();
  checkpoint: Checkpoint | null = null;

  rows({ schema, table }: TargetId): MemoryRows {
    return this.tables.get(`${schema}\0${table}`) ?? new Map();
  }
}

type Write = { readonly table: TableId; readonly target: string } & (
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly id: number; readonly value: number | null }
);

export interface MemorySinkOptions {
  readonly holdsCheckpoint: boolean;
  readonly faults?: Faults;
  /** The tables that this commit cannot write. */
  refuse?(tables: readonly TableId[]): FailedTables;
}

/** Writes by key into a MemoryTarget. Keeps the contract of a sink to the letter, and throws where the engine does not; for tests. */
export class MemorySink implements Sink {
  readonly commitIntervalMs = 10;
  readonly holdsCheckpoint: boolean;
  readonly dirtyRows = 0;
  readonly #target: MemoryTarget;
  readonly #faults: Faults;
  readonly #refuse: (tables: readonly TableId[]) => FailedTables;
  readonly #ready = new Map<string, string>();
  readonly #known = new Set<string>();
  #writes: Write[] = [];
  #committing: Promise<unknown> | null = null;
  #flying: { readonly checkpoint: Checkpoint; readonly writes: readonly Write[] } | null = null;
  #sequence: number | null = null;
  #dead = false;

  constructor(target: MemoryTarget, { holdsCheckpoint, faults = noFaults, refuse = () => [] }: MemorySinkOptions) {
    this.#target = target;
    this.holdsCheckpoint = holdsCheckpoint;
    this.#faults = faults;
    this.#refuse = refuse;
  }

  /** As if the process ended here: nothing of it becomes durable any more; the commit on its way does only if `lands`. */
  kill(lands: boolean): void {
    if (lands) this.#land();
    this.#dead = true;
  }

  async recover(): Promise<Checkpoint | null> {
    await this.#committing?.catch(() => {});
    this.#writes = [];
    this.#sequence = null;
    await this.#faults.at('recover');
    return this.holdsCheckpoint ? this.#target.checkpoint : null;
  }

  async prepare(tables: readonly SinkTable[]): Promise<FailedTables> {
    await this.#faults.at('prepare');
    for (const { table, target } of tables) {
      const key = `${target.schema}\0${target.table}`;
      this.#ready.set(tableKey(table.id), key);
      this.#known.add(tableKey(table.id));
      if (!this.#target.tables.has(key)) this.#target.tables.set(key, new Map());
    }
    return [];
  }

  async write(batch: Batch): Promise<FailedTables> {
    await this.#faults.at('write');
    for (const part of batch.parts) {
      switch (part.kind) {
        case 'rows':
          this.#writeRows(part);
          break;
        case 'empty': {
          const target = this.#targetOf(part.table.id);
          if (target !== null) this.#writes.push({ kind: 'empty', table: part.table.id, target });
          break;
        }
        case 'schema':
        case 'ddl':
        case 'progress':
          break;
        default:
          assertNever(part);
      }
    }
    return [];
  }

  load(): SinkLoad {
    return { rows: this.#writes.length, bytes: this.#writes.length * 16, isFull: false };
  }

  async commit(checkpoint: Checkpoint): Promise<CommitResult> {
    if (this.#committing !== null) throw new Error('a commit is in flight already');
    if (this.#sequence !== null && checkpoint.sequence !== this.#sequence + 1)
      throw new Error(`sequence ${checkpoint.sequence} after ${this.#sequence}`);
    this.#flying = { checkpoint, writes: this.#writes };
    this.#writes = [];
    const committing = this.#commit();
    this.#committing = committing;
    try {
      return await committing;
    } finally {
      this.#committing = null;
    }
  }

  drop(table: TableId): void {
    this.#ready.delete(tableKey(table));
    this.#writes = this.#writes.filter((write) => tableKey(write.table) !== tableKey(table));
  }

  async close(): Promise<void> {
    await this.#committing?.catch(() => {});
  }

  async #commit(): Promise<CommitResult> {
    try {
      await this.#faults.at('commit-before');
      if (this.#dead) throw new Error('killed');
      const result = this.#land();
      await this.#faults.at('commit-after');
      return result;
    } finally {
      this.#flying = null;
    }
  }

  /** Rows and checkpoint become durable at once. */
  #land(): CommitResult {
    if (this.#flying === null) return { failed: [], rowsWritten: 0 };
    const { checkpoint, writes } = this.#flying;
    this.#flying = null;
    const touched = new Map(writes.map(({ table }) => [tableKey(table), table]));
    const failed = this.#refuse([...touched.values()]);
    for (const { table } of failed) {
      touched.delete(tableKey(table));
      this.drop(table);
    }
    const rowsWritten = this.#apply(writes.filter(({ table }) => touched.has(tableKey(table))));
    if (this.holdsCheckpoint) this.#save(withFailed(checkpoint, failed));
    this.#sequence = checkpoint.sequence;
    return { failed, rowsWritten };
  }

  #apply(writes: readonly Write[]): number {
    for (const write of writes) {
      const rows = this.#target.tables.get(write.target);
      if (rows === undefined) throw new Error(`${write.table.table} has no target`);
      if (write.kind === 'empty') rows.clear();
      else if (write.value === null) rows.delete(write.id);
      else rows.set(write.id, write.value);
    }
    return writes.length;
  }

  /** I2. */
  #save(checkpoint: Checkpoint): void {
    const before = this.#target.checkpoint?.sequence ?? 0;
    if (checkpoint.sequence !== before + 1)
      throw new PipelineError('fatal', 'Sink.CheckpointConflict', `sequence ${checkpoint.sequence} after ${before}`);
    this.#target.checkpoint = checkpoint;
  }

  /** The target of a table; null when its rows are left out. */
  #targetOf(table: TableId): string | null {
    if (!this.#known.has(tableKey(table))) throw new Error(`${table.table} was never prepared`);
    return this.#ready.get(tableKey(table)) ?? null;
  }

  #writeRows(part: RowsPart): void {
    const target = this.#targetOf(part.table.id);
    if (target === null) return;
    const columns = allColumns(part.table);
    const image = part.op === 'delete' ? 'before' : 'after';
    for (let row = 0; row < part.count; row++) {
      const values: number[] = [];
      part.visit(row, image, columns, collector(values));
      const [id = 0, value = 0] = values;
      this.#writes.push({ kind: 'set', table: part.table.id, target, id, value: image === 'before' ? null : value });
    }
  }
}

/** Takes integers only: tables here hold nothing else. */
function collector(values: number[]): ValueVisitor {
  const unexpected = () => {
    throw new Error('a memory table holds integers only');
  };
  return {
    integer: (value) => values.push(value),
    null: unexpected,
    bigInteger: unexpected,
    decimal: unexpected,
    float: unexpected,
    double: unexpected,
    text: unexpected,
    bytes: unexpected,
    date: unexpected,
    time: unexpected,
    datetime: unexpected,
    instant: unexpected,
    bits: unexpected,
    label: unexpected,
    json: unexpected,
    geometry: unexpected,
    vector: unexpected,
  };
}
