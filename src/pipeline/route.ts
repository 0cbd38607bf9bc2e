import type { Problem } from './problem.ts';
import type { TableId, TableVersion } from './table.ts';

/** A table at the sink. `schema` is empty where the sink has none. */
export interface TargetId {
  readonly schema: string;
  readonly table: string;
}

export interface TargetColumn {
  readonly name: string;
  /** The sink's own text of the type, such as `numeric(12,2)`. */
  readonly type: string;
  readonly nullable: boolean;
}

/** What the sink would do with one source table: shown in the plan, done by `Sink.prepare`. */
export interface TargetPlan {
  readonly target: TargetId;
  readonly columns: readonly TargetColumn[];
  readonly key: readonly string[];
  /** The statements that create it when it is missing, for people to read. */
  readonly createSql: string;
  readonly exists: boolean;
  /** Rows it holds now: estimated, 0 when it is missing or empty. */
  readonly rows: number;
  readonly warnings: readonly string[];
  /** The warning for a table that joins, unless the task has filled this target before; null when there is nothing to find. */
  readonly ifForeign: string | null;
  /** Reasons why this table cannot be written as planned; empty when it can. */
  readonly problems: readonly Problem[];
  /** Columns that an existing target lacks, as problems: of a table that is running already they come, or are left out, by policy. */
  readonly lacking: readonly Problem[];
}

/** Which source table goes to which sink table. */
export interface Route {
  readonly table: TableId;
  readonly target: TargetId;
  /** `full`: existing rows are loaded, then changes stream; `none`: changes only. */
  readonly load: 'full' | 'none';
  /** The task version in which the table joined, for the last time if it left between: an older state of it is void. */
  readonly since: number;
}

/** A route with the shape of its source table, as a sink needs it. */
export interface SinkTable {
  readonly table: TableVersion;
  readonly target: TargetId;
}
