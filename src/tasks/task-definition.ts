import type { JsonObject } from '../lib/json-value.ts';
import type { TargetColumn, TargetId } from '../pipeline/route.ts';
import type { TableId } from '../pipeline/table.ts';
import type { NamedTable } from './target-names.ts';

/** Which existing rows are loaded (behaviour: "Load of existing rows"). `only`: all, and the task is over with them. */
export const INITIAL_LOADS = ['all', 'added', 'none', 'only'] as const;
export type InitialLoad = (typeof INITIAL_LOADS)[number];

/** Where rows of existing tables go, as the script names it. */
export const ROUTES = { oneclick_to_holo: 'holo', oneclick_to_kafka: 'kafka', oneclick_to_odps: 'odps' } as const;
export type RouteName = keyof typeof ROUTES;

/** What tasks read, as data sources name it; one is served so far. */
export const SOURCE_TYPE = 'mysql';

/** What a user wants, read from a script: before anything was looked up. */
export interface WantedTask {
  readonly name: string | null;
  readonly resourceGroup: string;
  readonly route: RouteName;
  readonly sourceName: string;
  readonly sinkName: string;
  /** How the script lists its tables, which is how TaskContent lists them. */
  readonly form: 'table' | 'selectedTables';
  /** A table without database is of the data source's own. */
  readonly tables: readonly { readonly database: string | null; readonly table: string }[];
  readonly initialLoad: InitialLoad;
  /** `steps[reader].parameter` without its connection: the reader's options. */
  readonly reader: JsonObject;
  /** `steps[writer].parameter` without what we generate: the writer's options. */
  readonly writer: JsonObject;
  /** How targets are named that the writer's options do not name alike: of every table, or of none. */
  readonly names?: readonly NamedTable[];
  /** Targets that a script edited by hand names itself, by tableKey. */
  readonly targets: Readonly<Record<string, TargetId>>;
}

/** One table of a version. */
export interface DefinedTable {
  readonly table: TableId;
  readonly target: TargetId;
  readonly key: readonly string[];
  readonly load: 'full' | 'none';
  /** The version in which it joined. */
  readonly since: number;
  readonly columns: readonly (TargetColumn & { readonly comment: string })[];
}

/** A version of a task: all that a run needs, but the connections' secrets. */
export interface TaskDefinition extends Omit<WantedTask, 'tables' | 'targets' | 'names'> {
  readonly tables: readonly DefinedTable[];
}
