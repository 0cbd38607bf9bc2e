import type { SinkTable, TargetId } from './route.ts';
import { describeTable, tableKey, type TableId } from './table.ts';

/** A table that a sink has prepared. */
export interface PreparedTarget {
  readonly table: TableId;
  readonly id: TargetId;
  /** False once it failed or was dropped: its rows are left out until it is prepared again. */
  ready: boolean;
}

/** The targets that a sink has prepared, by source table. */
export class SinkTargets<T extends PreparedTarget> {
  readonly #targets = new Map<string, T>();
  readonly #keyOf: (id: TargetId) => string;

  /** `keyOf`: the same text for names that are one table to the sink. */
  constructor(keyOf: (id: TargetId) => string) {
    this.#keyOf = keyOf;
  }

  /** Also of tables whose rows are left out. */
  all(): readonly T[] {
    return [...this.#targets.values()];
  }

  /** In place of what their tables had before. */
  add(targets: readonly T[]): void {
    for (const target of targets) this.#targets.set(tableKey(target.table), target);
  }

  /** Of `tables` those that are to be prepared: for the first time, again, or for another target. */
  unprepared(tables: readonly SinkTable[]): SinkTable[] {
    return tables.filter(({ table, target }) => {
      const known = this.find(table.id);
      return known?.ready !== true || this.#keyOf(known.id) !== this.#keyOf(target);
    });
  }

  find(table: TableId): T | undefined {
    return this.#targets.get(tableKey(table));
  }

  /** The target of a table; null when its rows are left out. Errors: Error if it was never prepared. */
  of(table: TableId): T | null {
    const target = this.find(table);
    if (target === undefined) throw new Error(`${describeTable(table)} was never prepared`);
    return target.ready ? target : null;
  }
}
