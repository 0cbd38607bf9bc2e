import type { SinkTable, TargetId } from '../../pipeline/route.ts';
import type { TableId, TableVersion } from '../../pipeline/table.ts';
import { layRows, type RowLayout } from './encode/row-layout.ts';
import type { PartitionOf } from './partition.ts';
import type { PartitionLimits } from './partition-limits.ts';
import type { Hasher } from './protocol/key-hash.ts';
import type { TableFacts } from './protocol/table-facts.ts';
import type { SessionColumn } from './protocol/tunnel-target.ts';
import type { MaxComputeOptions } from './options.ts';

/** How the rows of one table version are written, and into which partitions. */
export interface TargetVersion {
  readonly layout: RowLayout;
  readonly partitions: PartitionOf;
}

/** One prepared table: where its rows go, and which columns are there, in their order. */
export class Target {
  readonly table: TableId;
  readonly id: TargetId;
  readonly form: MaxComputeOptions['tableType'];
  readonly limits: PartitionLimits;
  /** False once it failed or was dropped: its rows are left out until it is prepared again. */
  ready = true;
  #columns: readonly SessionColumn[];
  #hasher: Hasher = 'default';
  readonly #key: readonly string[];
  readonly #versions = new Map<TableVersion, TargetVersion>();

  constructor(
    { table, target }: SinkTable,
    form: MaxComputeOptions['tableType'],
    { facts, limits }: { readonly facts: TableFacts; readonly limits: PartitionLimits },
  ) {
    this.table = table.id;
    this.id = target;
    this.form = form;
    this.limits = limits;
    this.#columns = facts.columns;
    this.#key = facts.primaryKey;
  }

  get columns(): readonly SessionColumn[] {
    return this.#columns;
  }

  /** How keys are hashed, as far as sessions have said it. */
  get hasher(): Hasher {
    return this.#hasher;
  }

  learnHasher(hasher: Hasher): void {
    if (hasher === this.#hasher) return;
    this.#hasher = hasher;
    this.#versions.clear();
  }

  /** Takes the columns as they are there now, or will be once the commit has altered it. */
  refresh(columns: readonly SessionColumn[]): void {
    this.#columns = columns;
    this.#versions.clear();
  }

  /** How rows of a table version are written, made at first sight. Columns that the target lacks are left out. */
  version(table: TableVersion, partitionsOf: (table: TableVersion) => PartitionOf): TargetVersion {
    const known = this.#versions.get(table);
    if (known !== undefined) return known;
    const layout = layRows(table, {
      form: this.form === 'append' ? 'rows' : this.form,
      columns: this.#columns,
      ...(this.form === 'delta' ? { hashKey: this.#key, hasher: this.#hasher } : {}),
    });
    const version = { layout, partitions: partitionsOf(table) };
    this.#versions.set(table, version);
    return version;
  }
}
