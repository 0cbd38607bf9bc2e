import type { Failure } from '../pipeline/checkpoint.ts';
import type { TargetId } from '../pipeline/route.ts';
import type { DataSource, DataSourceFilter, EnvType } from './data-source-service.ts';
import type { DataSourceId, ProcessId, ProjectId, TaskId } from './ids.ts';
import type { TaskDefinition } from './task-definition.ts';
import type { TaskState } from './task-state.ts';
import type { TaskType } from './task-service.ts';

export interface TaskRecord {
  readonly id: TaskId;
  readonly project: ProjectId;
  readonly name: string;
  readonly type: TaskType;
  /** CreateDISyncTask's TaskParam: JSON text. */
  readonly settings: string;
  readonly state: TaskState;
  /** Numbers of versions. */
  readonly saved: number;
  readonly deployed: number | null;
  /** Null before the first start, and after Terminate. */
  readonly incarnation: string | null;
  /** The StartParam of the last start; null without one. */
  readonly startParam: string | null;
  /** Why the last run ended by itself. */
  readonly failure: Failure | null;
}

/** What a plan showed of the tables of a version, against the version before it. */
export interface ShownChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface VersionRecord {
  readonly version: number;
  readonly definition: TaskDefinition;
  readonly content: string;
  readonly shown: ShownChange;
}

export interface ProcessResult {
  readonly content: string;
  readonly plan: string;
  readonly definition: TaskDefinition;
  readonly shown: ShownChange;
  readonly message: string | null;
}

export interface ProcessRecord {
  readonly id: ProcessId;
  readonly project: ProjectId;
  readonly type: TaskType;
  /** Null when it plans a new task. */
  readonly task: TaskId | null;
  /** The saved version that it is planned against; 0 for a new task. */
  readonly baseVersion: number;
  /** What is wanted, as JSON text. */
  readonly input: string;
  readonly state: 'running' | 'success' | 'fail';
  readonly result: ProcessResult | null;
  readonly message: string | null;
}

export interface StoredDataSource extends DataSource {
  /** `Content` as it came: secrets in clear. */
  readonly content: string;
}

export interface TokenRecord {
  readonly parameters: string;
  /** The id that was answered. */
  readonly answer: bigint;
}

/** Reads and writes within one transaction. */
export interface TaskRecords {
  task(project: ProjectId, id: TaskId): Promise<TaskRecord | null>;
  taskNamed(project: ProjectId, name: string): Promise<TaskRecord | null>;
  /** Tasks that are not deleted, of every project. */
  allTasks(): Promise<readonly TaskRecord[]>;
  insertTask(task: Omit<TaskRecord, 'id'>, first: VersionRecord): Promise<TaskId>;
  updateTask(id: TaskId, changes: Partial<Omit<TaskRecord, 'id' | 'project' | 'type'>>): Promise<void>;
  deleteTask(id: TaskId): Promise<void>;
  insertVersion(id: TaskId, version: VersionRecord): Promise<void>;
  version(id: TaskId, version: number): Promise<VersionRecord>;
  /** Versions after `from` up to `to`, oldest first. */
  versions(id: TaskId, from: number, to: number): Promise<readonly VersionRecord[]>;
  filledTargets(id: TaskId): Promise<readonly TargetId[]>;
  insertFilled(id: TaskId, targets: readonly TargetId[]): Promise<void>;

  insertProcess(
    process: Pick<ProcessRecord, 'project' | 'type' | 'task' | 'baseVersion' | 'input'>,
  ): Promise<ProcessId>;
  process(project: ProjectId, id: ProcessId): Promise<ProcessRecord | null>;
  runningProcesses(): Promise<readonly ProcessRecord[]>;
  endProcess(id: ProcessId, end: { result: ProcessResult } | { message: string }): Promise<void>;

  token(project: ProjectId, operation: string, token: string): Promise<TokenRecord | null>;
  insertToken(project: ProjectId, operation: string, token: string, record: TokenRecord): Promise<void>;
  /** Forgets tokens and processes made before `time` (ms), but none that is still running. */
  purge(time: number): Promise<void>;

  dataSourceNamed(project: ProjectId, env: EnvType, name: string): Promise<StoredDataSource | null>;
  dataSource(id: DataSourceId): Promise<StoredDataSource | null>;
  dataSources(project: ProjectId, filter: DataSourceFilter): Promise<{ rows: readonly DataSource[]; total: number }>;
  insertDataSource(source: Omit<StoredDataSource, 'id'>): Promise<DataSourceId>;
  deleteDataSource(id: DataSourceId): Promise<void>;
}

/** The durable home of tasks and data sources. */
export interface TaskStore {
  /** Of this store, made once. */
  readonly installation: string;
  /** All of `work`, or nothing; durable once this resolves. `work` waits for nothing but its records. */
  transaction<T>(work: (records: TaskRecords) => Promise<T>): Promise<T>;
}
