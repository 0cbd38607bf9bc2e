import type { Json } from '../../lib/json-value.ts';
import { type TableId, tableKey, type TableVersion } from '../../pipeline/table.ts';

/** Rows of a table: an integer key and an integer value. */
export type MemoryRows = ReadonlyMap<number, number>;

export interface MemoryChange {
  readonly table: TableId;
  readonly id: number;
  /** Null before an insert. */
  readonly before: number | null;
  /** Null after a delete. */
  readonly after: number | null;
}

/** The shape of every table here: `id` is the key. */
export function memoryTable(id: TableId): TableVersion {
  const column = (name: string) => ({
    name,
    type: { kind: 'integer', bytes: 8, unsigned: false } as const,
    nullable: false,
    sourceType: 'bigint',
    comment: '',
    generated: false,
  });
  return { id, columns: [column('id'), column('value')], key: [0] };
}

/** A database in memory with a log of its transactions; a position is the number of transactions before it. */
export class MemoryServer {
  readonly #tables = new Map<string, Map<number, number>>();
  readonly #log: (readonly MemoryChange[])[] = [];
  readonly #waiting = new Set<() => void>();

  get position(): number {
    return this.#log.length;
  }

  has(table: TableId): boolean {
    return this.#tables.has(tableKey(table));
  }

  createTable(table: TableId): void {
    this.#tables.set(tableKey(table), new Map());
  }

  rows(table: TableId): MemoryRows {
    return this.#tables.get(tableKey(table)) ?? new Map();
  }

  /** One transaction: sets a row's value, or with null deletes it. What changes nothing is left out. */
  commit(changes: readonly { readonly table: TableId; readonly id: number; readonly value: number | null }[]): void {
    const done: MemoryChange[] = [];
    for (const { table, id, value } of changes) {
      const rows = this.#tables.get(tableKey(table));
      if (rows === undefined) throw new Error(`there is no table ${table.table}`);
      const before = rows.get(id) ?? null;
      if (before === null && value === null) continue;
      if (value === null) rows.delete(id);
      else rows.set(id, value);
      done.push({ table, id, before, after: value });
    }
    if (done.length === 0) return;
    this.#log.push(done);
    for (const wake of this.#waiting) wake();
  }

  transaction(position: number): readonly MemoryChange[] | undefined {
    return this.#log[position];
  }

  /** The rows as they were at a place of the log, worked out from the log alone. */
  rowsAt(table: TableId, position: number): MemoryRows {
    const key = tableKey(table);
    const rows = new Map<number, number>();
    for (const change of this.#log.slice(0, position).flat()) {
      if (tableKey(change.table) !== key) continue;
      if (change.after === null) rows.delete(change.id);
      else rows.set(change.id, change.after);
    }
    return rows;
  }

  /** Calls `wake` at every new transaction until the function it gives is called. */
  onCommit(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}

/** What a place in the log is as an offset: `skip` changes of the transaction at `position` are behind it. */
export interface MemoryOffset {
  readonly position: number;
  readonly skip: number;
}

export function memoryOffset(json: Json): MemoryOffset {
  if (json === null || typeof json !== 'object' || !('position' in json))
    throw new Error('not an offset of a memory source');
  return json as unknown as MemoryOffset;
}
