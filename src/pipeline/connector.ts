import type { HostPolicy } from '../lib/host-policy.ts';
import type { Json } from '../lib/json-value.ts';
import type { Logger } from '../lib/log.ts';
import type { TimeZone } from '../lib/time-zone.ts';
import type { CataloguePage, ReadCatalogueOptions } from './catalogue.ts';
import type { CheckpointOwner } from './checkpoint.ts';
import type { SinkJournal } from './journal.ts';
import type { Policies } from './policies.ts';
import type { Problem } from './problem.ts';
import type { TargetId, TargetPlan } from './route.ts';
import type { Sink } from './sink.ts';
import type { Source } from './source.ts';
import type { ProbeOptions, Stage, StageName } from './stages.ts';
import type { TableId, TableVersion } from './table.ts';

/**
 * One thing that was looked at: `fine`; a `warning`, which has a price; or a `problem`, which stands in the way.
 * A plan and an examination say the same, as both are made of these.
 */
export interface Finding {
  readonly level: 'fine' | 'warning' | 'problem';
  /** The setting, right or table, such as `binlog_format`. */
  readonly about: string;
  /** Of a problem: a code of docs/errors.md. */
  readonly code: string | null;
  /** As it was found, such as `binlog_format is STATEMENT`. */
  readonly found: string;
  /** What follows from it; may be empty when it is fine. */
  readonly consequence: string;
  /** What to do, with the exact statement where there is one; empty when it is fine. */
  readonly remedy: string;
}

/** A server and what its account may do, looked at as if every table of some databases were to be captured. */
export interface Examination {
  /** Such as `MySQL 9.7.4`. */
  readonly server: string;
  /** Whom the server takes us for, such as `'repl'@'%'`. */
  readonly account: string;
  readonly databases: readonly string[];
  readonly findings: readonly Finding[];
}

/** What planning needs to know of one source table. */
export interface TableDescription {
  readonly table: TableVersion;
  /** The server's own estimate. */
  readonly rowsEstimated: number;
  readonly warnings: readonly string[];
}

export interface SourceDescription {
  /** Such as `MySQL 9.7.4` or `MariaDB 10.11.19`. */
  readonly server: string;
  readonly tables: readonly TableDescription[];
  /** All that stands in the way, of the server and of each table; empty when the task can run. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export interface DescribeOptions {
  readonly settings: Json;
  readonly tables: readonly TableId[];
  /** Whether existing rows will be read too: needs a way to know what the server shows (behaviour: "How a chunk merges"). */
  readonly load: boolean;
  /** Tables without a primary key will do. */
  readonly withoutKey: boolean;
  readonly signal: AbortSignal;
}

export interface ExamineOptions {
  readonly settings: Json;
  /** Databases whose tables are looked at; none looks at the server alone. */
  readonly databases: readonly string[];
  readonly signal: AbortSignal;
}

export interface ListTablesOptions {
  readonly settings: Json;
  readonly signal: AbortSignal;
}

export interface TableList {
  /** In the order of their names. */
  readonly tables: readonly TableId[];
  /** Names that differ in case only are one name. */
  readonly ignoresCase: boolean;
}

export interface OpenSourceOptions {
  readonly settings: Json;
  readonly options: Json;
  readonly policies: Policies;
  /** What the source may hold of rows that it has read and not handed on; also the most that one of them may take. */
  readonly memoryBytes: number;
  readonly log: Logger;
}

/** What both ends know of the system behind a data source. */
export interface DataSourceConnector {
  /** The API's word for it, such as `mysql`. */
  readonly type: string;
  /**
   * Reads a data source's `Content`; the settings keep `hosts`, which every connection made with them obeys (host-policy.ts).
   * Errors: SettingsError, naming what is wrong. Result is plain data, with secrets.
   */
  parseSettings(content: Json, hosts: HostPolicy): Json;
  /** A page of what there is. Errors: PipelineError when the server cannot be asked. */
  readCatalogue(options: ReadCatalogueOptions): Promise<CataloguePage>;
  /** The stages of `probe`, in their order. */
  readonly probeStages: readonly StageName[];
  /** Takes one stage after the other to the server, each as it comes, until one fails. Never throws. */
  probe(options: ProbeOptions): AsyncGenerator<Stage>;
}

/** What the list of connectors knows of one source system. */
export interface SourceConnector extends DataSourceConnector {
  /** Reads the reader's own options out of `steps[reader].parameter`. Errors: SettingsError. */
  parseOptions(parameter: Json): Json;
  /** The database that bare table names are of; null when the data source names none. */
  defaultDatabase(settings: Json): string | null;
  /** Looks at the server and the tables. Errors: PipelineError `transient` or `fatal` when the server cannot be asked. */
  describe(options: DescribeOptions): Promise<SourceDescription>;
  /** Looks at everything, and says of each thing whether it is fine. Errors: PipelineError when the server cannot be asked. */
  examine(options: ExamineOptions): Promise<Examination>;
  /** The tables there are. Errors: PipelineError when the server cannot be asked. */
  listTables(options: ListTablesOptions): Promise<TableList>;
  open(options: OpenSourceOptions): Source;
}

export interface PlanTargetsOptions {
  readonly settings: Json;
  /** The writer's parameter as the script gives it. */
  readonly options: Json;
  /** The data source that the tables are of, by its name. */
  readonly sourceName: string;
  readonly tables: readonly TableVersion[];
  /** Parallel to `tables`: what a task names itself of a target, in place of what the options say. Without it, nothing. */
  readonly named?: readonly (Partial<TargetId> | null)[];
  readonly signal: AbortSignal;
}

/**
 * What readers of the sink may count on. `exact`: each change once; `converges`: replays repeat, and end equal by key;
 * `transactional`: each change once for those that read committed records only; `transactional-v1` the same, but for the
 * known faults of the brokers' older protocol; `idempotent`: a restart repeats changes; `plain`: a lost answer does too.
 */
export type Guarantee = 'exact' | 'converges' | 'transactional' | 'transactional-v1' | 'idempotent' | 'plain';

export interface SinkPlan {
  /** Such as `PostgreSQL 15.18` or `Hologres 3.0`. */
  readonly server: string;
  /** Parallel to the tables asked about. */
  readonly tables: readonly TargetPlan[];
  readonly guarantee: Guarantee;
  /** Several tables may have one target, as the options want it. */
  readonly sharesTargets: boolean;
  /** What stands in the way, whichever the tables are. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export interface OpenSinkOptions {
  readonly settings: Json;
  readonly options: Json;
  /** The data source that rows come from, by its name. */
  readonly sourceName: string;
  readonly owner: CheckpointOwner;
  readonly policies: Policies;
  /** What the rows may take that wait for a commit, or are in one; beside them, a single row that is larger. */
  readonly memoryBytes: number;
  /** Where it may note what it is about to do. */
  readonly journal: SinkJournal;
  readonly log: Logger;
}

/** What a merge would do with the log of one table. */
export interface PlannedMerge {
  /** The table that is made of it. */
  readonly table: string;
  /** Its partitions that are written, and begun from; null when there was none. */
  readonly into: string;
  readonly from: string | null;
  /** The statements, with what they have to run with, for people. */
  readonly script: string;
  /** Does it. Errors: those of the sink's system; run again, it goes on. */
  run(signal?: AbortSignal): Promise<void>;
}

/** Makes tables of the logs of changes that a sink has written. Holds a connection. */
export interface LogMerges {
  /** Whose days and minutes they are. */
  readonly zone: TimeZone;
  /**
   * Looks at the tables, changes nothing. `key`: names of the source's primary key; `untilMs`: changes before this time, a whole
   * minute. Errors: Error that says why the log cannot be merged; those of the sink's system.
   */
  plan(
    order: { readonly target: TargetId; readonly key: readonly string[]; readonly untilMs: number },
    signal?: AbortSignal,
  ): Promise<PlannedMerge>;
  close(): void;
}

/** What the list of connectors knows of one sink system. */
export interface SinkConnector extends DataSourceConnector {
  /** Reads the writer's own options out of `steps[writer].parameter`. Errors: SettingsError. */
  parseOptions(parameter: Json): Json;
  /** Whether tables without a primary key can be written, by the options. */
  takesTablesWithoutKey(options: Json): boolean;
  /** What it would make of these tables; changes nothing. */
  planTargets(options: PlanTargetsOptions): Promise<SinkPlan>;
  open(options: OpenSinkOptions): Sink;
  /** For sinks that can write logs of changes. Errors: SettingsError for options by which none is written. */
  openMerges?(options: { settings: Json; options: Json }): LogMerges;
  /** Removes the checkpoint that the sink holds for a task, of any incarnation. */
  forget(options: { settings: Json; installation: string; task: string }): Promise<void>;
}

/** A setting that cannot be used: names the parameter and the remedy. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly parameter: string;

  constructor(parameter: string, message: string) {
    super(message);
    this.parameter = parameter;
  }
}
