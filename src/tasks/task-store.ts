import type { Failure } from '../pipeline/checkpoint.ts';
import type { DdlPolicies } from '../pipeline/policies.ts';
import type { TargetId } from '../pipeline/route.ts';
import type { AlarmRecords } from './alarm-store.ts';
import type { DataSource, DataSourceFilter, DataSourceShare, EnvType } from './data-source-service.ts';
import type { FileFilter } from './file-service.ts';
import type { DataSourceId, ProcessId, ProjectId, TaskId } from './ids.ts';
import type { Page } from './page.ts';
import type { ConfigScope } from './project-config-service.ts';
import type { JobSpec } from './job-spec.ts';
import type { InitialLoad, RouteName, TaskDefinition } from './task-definition.ts';
import type { TaskState } from './task-state.ts';
import type { TaskType } from './task-service.ts';

export interface TaskRecord {
  readonly id: TaskId;
  readonly project: ProjectId;
  readonly name: string;
  readonly type: TaskType;
  /** CreateDISyncTask's TaskParam: JSON text. */
  readonly settings: string;
  /** Where people find it; empty without one. */
  readonly folder: string;
  /** The data sources that it uses, in every version. */
  readonly sourceName: string;
  readonly sinkName: string;
  /** Of the newest version. */
  readonly route: RouteName;
  readonly initialLoad: InitialLoad;
  /** The user who made it, who last saved a change, and who last started it; null when that was not remembered. */
  readonly creator: string | null;
  readonly editor: string | null;
  readonly starter: string | null;
  /** Milliseconds since the epoch, as all times here. */
  readonly createdAt: number;
  readonly editedAt: number;
  /** Of the last deploy and the last start; null before the first, and after Terminate. */
  readonly submittedAt: number | null;
  readonly startedAt: number | null;
  /** When the last run had loaded all tables, of a task that does no more; null before, and since the next start. */
  readonly finishedAt: number | null;
  readonly state: TaskState;
  /** Numbers of versions. */
  readonly saved: number;
  readonly deployed: number | null;
  /** Null before the first start, and after Terminate. */
  readonly incarnation: string | null;
  /** The StartParam of the last start; null without one. */
  readonly startParam: string | null;
  /** What the project said at the last start; null when it was not asked yet. */
  readonly ddlPolicies: DdlPolicies | null;
  /** Why the last run ended by itself. */
  readonly failure: Failure | null;
}

/** What a task is made with; the rest begins as nothing. */
export type NewTask = Pick<TaskRecord, 'project' | 'name' | 'type' | 'settings' | 'folder' | 'creator'>;

/** What changes in the life of a task. */
export type TaskChange = Partial<
  Pick<
    TaskRecord,
    | 'settings'
    | 'editor'
    | 'editedAt'
    | 'submittedAt'
    | 'startedAt'
    | 'finishedAt'
    | 'starter'
    | 'state'
    | 'saved'
    | 'deployed'
    | 'incarnation'
    | 'startParam'
    | 'ddlPolicies'
    | 'failure'
  >
>;

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
  /** Who asked for it. */
  readonly user: string;
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

/** What is not null narrows. */
export type TaskFilter = Partial<FileFilter> & {
  readonly sourceName?: string | null;
  readonly sinkName?: string | null;
  readonly route?: RouteName | null;
};

/** Reads and writes within one transaction. */
export interface TaskRecords {
  readonly alarms: AlarmRecords;
  task(project: ProjectId, id: TaskId): Promise<TaskRecord | null>;
  taskNamed(project: ProjectId, name: string): Promise<TaskRecord | null>;
  /** Those that are to run, of every project. */
  runningTasks(): Promise<readonly TaskRecord[]>;
  /** Null when that task is not to run. */
  runningTask(id: TaskId): Promise<TaskRecord | null>;
  /** Any task with this data source at either end. */
  taskUsing(project: ProjectId, dataSource: string): Promise<TaskRecord | null>;
  /** Newest first. */
  listTasks(
    project: ProjectId,
    filter: TaskFilter,
    page: Page,
  ): Promise<{ rows: readonly TaskRecord[]; total: number }>;
  insertTask(task: NewTask, first: VersionRecord): Promise<TaskId>;
  updateTask(id: TaskId, change: TaskChange): Promise<void>;
  /** With its alarm rules. */
  deleteTask(id: TaskId): Promise<void>;
  insertVersion(id: TaskId, version: VersionRecord): Promise<void>;
  version(id: TaskId, version: number): Promise<VersionRecord>;
  /** The saved content of a task of this type; null when there is no such task. */
  savedContent(project: ProjectId, type: TaskType, id: TaskId): Promise<string | null>;
  /** The content of a version, without reading its definition. */
  content(id: TaskId, version: number): Promise<string>;
  /** Versions after `from` up to `to`, oldest first. */
  versions(id: TaskId, from: number, to: number): Promise<readonly VersionRecord[]>;
  projectsNamed(name: string): Promise<readonly ProjectId[]>;
  /** JSON text; null when the project says nothing for exactly this scope. */
  projectConfig(project: ProjectId, scope: ConfigScope): Promise<string | null>;
  replaceProjectConfig(project: ProjectId, scope: ConfigScope, config: string): Promise<void>;

  /** What a version was described by as a job; null when it was made in another way. */
  jobSpec(id: TaskId, version: number): Promise<JobSpec | null>;
  /** The one of the newest version that has one; null when the task was never described as a job. */
  lastJobSpec(id: TaskId): Promise<JobSpec | null>;
  /** `warnings`: of its plan. */
  saveJobSpec(id: TaskId, version: number, spec: JobSpec, warnings: readonly string[]): Promise<void>;
  /** None for a version that was made in another way. */
  jobWarnings(id: TaskId, version: number): Promise<readonly string[]>;
  filledTargets(id: TaskId): Promise<readonly TargetId[]>;
  insertFilled(id: TaskId, targets: readonly TargetId[]): Promise<void>;

  insertProcess(
    process: Pick<ProcessRecord, 'project' | 'user' | 'type' | 'task' | 'baseVersion' | 'input'>,
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
  insertDataSource(source: Omit<StoredDataSource, 'id' | 'shared'>): Promise<DataSourceId>;
  /** Its environment, description, content, state, and when and by whom it was changed. */
  updateDataSource(source: StoredDataSource): Promise<void>;
  deleteDataSource(id: DataSourceId): Promise<void>;
  /** One that is shared with a project under this name; with `user` null, or with that user. */
  dataSourceSharedAs(
    project: ProjectId,
    env: EnvType,
    name: string,
    user: string | null,
  ): Promise<StoredDataSource | null>;
  shares(id: DataSourceId): Promise<readonly DataSourceShare[]>;
  replaceShares(id: DataSourceId, shares: readonly DataSourceShare[]): Promise<void>;
}

/** The durable home of tasks and data sources. */
export interface TaskStore {
  /** Of this store, made once. */
  readonly installation: string;
  /** All of `work`, or nothing; durable once this resolves. `work` waits for nothing but its records. */
  transaction<T>(work: (records: TaskRecords) => Promise<T>): Promise<T>;
}
