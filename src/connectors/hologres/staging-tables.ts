import { targetKey } from './names.ts';
import type { RowLayout } from './encode/row-layout.ts';
import { createStaging } from './sql.ts';
import type { Target } from './target.ts';

/** More than so many temporary tables slow every commit down: the server empties each of them. */
const TABLES_MAX = 64;

/**
 * The temporary tables of one connection that rows are copied into before they are merged; made when first needed,
 * outside of the transaction, so that a rollback leaves them. PostgreSQL only.
 */
export class StagingTables {
  /** By target and column types; the least recently used first. */
  readonly #names = new Map<string, string>();
  /** False when the account may not make temporary tables: rows are then written without staging. */
  allowed = true;
  readonly #used = new Set<string>();
  #pending: string[] = [];
  #count = 0;

  /** The staging table for rows of this layout; what must run before it is used is in `takeStatements`. */
  of(target: Target, layout: RowLayout): string {
    const key = `${targetKey(target.id)}\0${layout.columns.map(({ baseType }) => baseType).join(',')}`;
    const known = this.#names.get(key);
    const name = known ?? `disync_rows_${++this.#count}`;
    if (known === undefined) this.#pending.push(createStaging(name, layout.columns));
    this.#names.delete(key);
    this.#names.set(key, name);
    this.#used.add(key);
    return name;
  }

  /** The statements that make what was asked for since the last call, and drop what was not used for long. */
  takeStatements(): readonly string[] {
    const statements = this.#pending;
    this.#pending = [];
    for (const [key, name] of this.#names) {
      if (this.#names.size <= TABLES_MAX) break;
      if (this.#used.has(key)) continue;
      this.#names.delete(key);
      statements.push(`DROP TABLE IF EXISTS ${name}`);
    }
    this.#used.clear();
    return statements;
  }
}
