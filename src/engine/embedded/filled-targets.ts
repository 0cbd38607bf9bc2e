import type { Batch } from '../../pipeline/batch.ts';
import type { PipelineDef } from '../../pipeline/pipeline-def.ts';
import type { TargetId } from '../../pipeline/route.ts';
import { tableKey } from '../../pipeline/table.ts';

/**
 * Targets that hold rows of this task, or are about to: those are emptied before a new load, and no others, because rows
 * that somebody else wrote are kept. Known before the first row is written, so that no crash can hide it.
 */
export class FilledTargets {
  readonly #filled = new Map<string, TargetId>();
  /** Those that hold none yet, by table, of every version so far: a table that leaves still delivers rows for a while. */
  readonly #empty = new Map<string, TargetId>();

  /** Learns of a version. */
  add({ routes, filled }: PipelineDef): void {
    for (const target of filled) this.#filled.set(keyOf(target), target);
    for (const { table, target } of routes) {
      if (this.#filled.has(keyOf(target))) this.#empty.delete(tableKey(table));
      else this.#empty.set(tableKey(table), target);
    }
  }

  /** Remembers by `remember`, before it returns, the targets that the batch brings the first rows for. */
  async note(batch: Batch, remember: (targets: readonly TargetId[]) => Promise<void>): Promise<void> {
    if (this.#empty.size === 0) return;
    const tables: string[] = [];
    const fresh = new Map<string, TargetId>();
    for (const part of batch.parts) {
      if (part.kind !== 'rows') continue;
      const table = tableKey(part.table.id);
      const target = this.#empty.get(table);
      if (target === undefined) continue;
      tables.push(table);
      if (!this.#filled.has(keyOf(target))) fresh.set(keyOf(target), target);
    }
    if (fresh.size > 0) await remember([...fresh.values()]);
    for (const [key, target] of fresh) this.#filled.set(key, target);
    for (const table of tables) this.#empty.delete(table);
  }

  get all(): readonly TargetId[] {
    return [...this.#filled.values()];
  }
}

function keyOf({ schema, table }: TargetId): string {
  return `${schema}\0${table}`;
}
