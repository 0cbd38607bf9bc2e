import type { Clock } from '../lib/clock.ts';
import { parseJson, stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import { maskSecrets } from '../lib/mask-secrets.ts';
import type { Seal } from '../lib/seal.ts';
import type { Failure } from '../pipeline/checkpoint.ts';
import type { DdlPolicies } from '../pipeline/policies.ts';
import type { TargetId } from '../pipeline/route.ts';
import type { DataSource, DataSourceFilter, DataSourceShare, EnvType } from '../tasks/data-source-service.ts';
import type { DataSourceId, ProcessId, ProjectId, TaskId } from '../tasks/ids.ts';
import type { Page } from '../tasks/page.ts';
import type { ConfigScope } from '../tasks/project-config-service.ts';
import type { JobSpec } from '../tasks/job-spec.ts';
import type { InitialLoad, RouteName, TaskDefinition } from '../tasks/task-definition.ts';
import type { TaskState } from '../tasks/task-state.ts';
import type { TaskType } from '../tasks/task-service.ts';
import type {
  NewTask,
  ProcessRecord,
  ProcessResult,
  ShownChange,
  StoredDataSource,
  TaskChange,
  TaskFilter,
  TaskRecord,
  TaskRecords,
  TokenRecord,
  VersionRecord,
} from '../tasks/task-store.ts';
import { SqliteAlarmRecords } from './alarm-records.ts';
import type { Database, SqlRow } from './database.ts';
import { listTaskRows } from './task-list.ts';

const EVERY_SOURCE = '';
/** Said so that the index of running tasks serves it. */
const RUNNING = "SELECT * FROM task WHERE state = 'RUN' AND deleted_at IS NULL";

/** Reads and writes of the store's tables. Nothing here waits: a transaction is over within one turn of the event loop. */
export class SqliteTaskRecords implements TaskRecords {
  readonly alarms: SqliteAlarmRecords;
  readonly #database: Database;
  readonly #seal: Seal;
  readonly #clock: Clock;

  constructor(database: Database, seal: Seal, clock: Clock) {
    this.alarms = new SqliteAlarmRecords(database, seal, clock);
    this.#database = database;
    this.#seal = seal;
    this.#clock = clock;
  }

  async task(project: ProjectId, id: TaskId): Promise<TaskRecord | null> {
    return readOne(
      this.#database.get('SELECT * FROM task WHERE project = ? AND id = ? AND deleted_at IS NULL', project, id),
      readTask,
    );
  }

  async taskNamed(project: ProjectId, name: string): Promise<TaskRecord | null> {
    return readOne(
      this.#database.get('SELECT * FROM task WHERE project = ? AND name = ? AND deleted_at IS NULL', project, name),
      readTask,
    );
  }

  async runningTasks(): Promise<readonly TaskRecord[]> {
    return this.#database.all(`${RUNNING} ORDER BY id`).map(readTask);
  }

  async runningTask(id: TaskId): Promise<TaskRecord | null> {
    return readOne(this.#database.get(`${RUNNING} AND id = ?`, id), readTask);
  }

  async taskUsing(project: ProjectId, dataSource: string): Promise<TaskRecord | null> {
    return readOne(
      this.#database.get(
        `SELECT * FROM task WHERE project = ?1 AND source_name = ?2 AND deleted_at IS NULL
         UNION ALL SELECT * FROM task WHERE project = ?1 AND sink_name = ?2 AND deleted_at IS NULL LIMIT 1`,
        project,
        dataSource,
      ),
      readTask,
    );
  }

  async listTasks(
    project: ProjectId,
    filter: TaskFilter,
    page: Page,
  ): Promise<{ rows: readonly TaskRecord[]; total: number }> {
    const { rows, total } = listTaskRows(this.#database, project, filter, page);
    return { rows: rows.map(readTask), total };
  }

  async insertTask({ project, name, type, settings, folder, creator }: NewTask, first: VersionRecord): Promise<TaskId> {
    const now = this.#clock.now();
    const { id } = this.#database.run(
      "INSERT INTO task (project, name, type, settings, folder, source_name, sink_name, creator, editor, state, saved, created_at, edited_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'SAVED', ?, ?, ?)",
      project,
      name,
      type,
      settings,
      folder,
      first.definition.sourceName,
      first.definition.sinkName,
      creator,
      creator,
      first.version,
      now,
      now,
    );
    await this.insertVersion(id as TaskId, first);
    return id as TaskId;
  }

  async updateTask(id: TaskId, change: TaskChange): Promise<void> {
    const columns = Object.entries(change).map(([name, value]) => {
      const column = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [column, typeof value === 'object' && value !== null ? JSON.stringify(value) : value] as const;
    });
    if (columns.length === 0) return;
    this.#database.run(
      `UPDATE task SET ${columns.map(([column]) => `${column} = ?`).join(', ')} WHERE id = ?`,
      ...columns.map(([, value]) => value),
      id,
    );
  }

  async deleteTask(id: TaskId): Promise<void> {
    this.#database.run('UPDATE task SET deleted_at = ? WHERE id = ?', this.#clock.now(), id);
    this.#database.run('DELETE FROM alarm_rule WHERE task = ?', id);
  }

  async insertVersion(id: TaskId, { version, definition, content, shown }: VersionRecord): Promise<void> {
    this.#database.run(
      'INSERT INTO task_version VALUES (?, ?, ?, ?, ?, ?)',
      id,
      version,
      stringifyJson(definition as unknown as Json),
      content,
      JSON.stringify(shown),
      this.#clock.now(),
    );
    const { route, initialLoad } = definition;
    this.#database.run('UPDATE task SET route = ?, initial_load = ? WHERE id = ?', route, initialLoad, id);
  }

  async jobSpec(id: TaskId, version: number): Promise<JobSpec | null> {
    return readOne(
      this.#database.get('SELECT spec FROM task_job WHERE task = ? AND version = ?', id, version),
      readJobSpec,
    );
  }

  async lastJobSpec(id: TaskId): Promise<JobSpec | null> {
    return readOne(
      this.#database.get('SELECT spec FROM task_job WHERE task = ? ORDER BY version DESC LIMIT 1', id),
      readJobSpec,
    );
  }

  async saveJobSpec(id: TaskId, version: number, spec: JobSpec, warnings: readonly string[]): Promise<void> {
    const text = stringifyJson(spec as unknown as Json);
    this.#database.run(
      'INSERT OR REPLACE INTO task_job (task, version, spec, warnings) VALUES (?, ?, ?, ?)',
      id,
      version,
      text,
      JSON.stringify(warnings),
    );
  }

  async jobWarnings(id: TaskId, version: number): Promise<readonly string[]> {
    const row = this.#database.get('SELECT warnings FROM task_job WHERE task = ? AND version = ?', id, version);
    return row === undefined ? [] : (JSON.parse(String(row['warnings'])) as string[]);
  }

  async version(id: TaskId, version: number): Promise<VersionRecord> {
    const row = this.#database.get('SELECT * FROM task_version WHERE task = ? AND version = ?', id, version);
    if (row === undefined) throw new Error(`task ${id} has no version ${version}`);
    return readVersion(row);
  }

  async savedContent(project: ProjectId, type: TaskType, id: TaskId): Promise<string | null> {
    const row = this.#database.get(
      'SELECT content FROM task JOIN task_version ON task = id AND version = saved WHERE project = ? AND type = ? AND id = ? AND deleted_at IS NULL',
      project,
      type,
      id,
    );
    return row === undefined ? null : String(row['content']);
  }

  async content(id: TaskId, version: number): Promise<string> {
    const row = this.#database.get('SELECT content FROM task_version WHERE task = ? AND version = ?', id, version);
    if (row === undefined) throw new Error(`task ${id} has no version ${version}`);
    return String(row['content']);
  }

  async versions(id: TaskId, from: number, to: number): Promise<readonly VersionRecord[]> {
    return this.#database
      .all('SELECT * FROM task_version WHERE task = ? AND version > ? AND version <= ? ORDER BY version', id, from, to)
      .map(readVersion);
  }

  async projectsNamed(name: string): Promise<readonly ProjectId[]> {
    return this.#database
      .all('SELECT id FROM project WHERE name = ? ORDER BY id', name)
      .map(({ id }) => id as ProjectId);
  }

  async projectConfig(project: ProjectId, { sinkType, sourceType }: ConfigScope): Promise<string | null> {
    const row = this.#database.get(
      'SELECT policies FROM project_config WHERE project = ? AND sink_type = ? AND source_type = ?',
      project,
      sinkType,
      sourceType ?? EVERY_SOURCE,
    );
    return row === undefined ? null : String(row['policies']);
  }

  async replaceProjectConfig(project: ProjectId, { sinkType, sourceType }: ConfigScope, config: string): Promise<void> {
    this.#database.run(
      'INSERT OR REPLACE INTO project_config VALUES (?, ?, ?, ?)',
      project,
      sinkType,
      sourceType ?? EVERY_SOURCE,
      config,
    );
  }

  async filledTargets(id: TaskId): Promise<readonly TargetId[]> {
    return this.#database
      .all('SELECT schema, name FROM filled_target WHERE task = ?', id)
      .map(({ schema, name }) => ({ schema: String(schema), table: String(name) }));
  }

  async insertFilled(id: TaskId, targets: readonly TargetId[]): Promise<void> {
    for (const { schema, table } of targets)
      this.#database.run('INSERT OR IGNORE INTO filled_target VALUES (?, ?, ?)', id, schema, table);
  }

  async insertProcess({
    project,
    user,
    type,
    task,
    baseVersion,
    input,
  }: Pick<ProcessRecord, 'project' | 'user' | 'type' | 'task' | 'baseVersion' | 'input'>): Promise<ProcessId> {
    const { id } = this.#database.run(
      "INSERT INTO config_process (project, user, type, task, base_version, input, state, created_at) VALUES (?, ?, ?, ?, ?, ?, 'running', ?)",
      project,
      user,
      type,
      task,
      baseVersion,
      input,
      this.#clock.now(),
    );
    return id as ProcessId;
  }

  async process(project: ProjectId, id: ProcessId): Promise<ProcessRecord | null> {
    return readOne(
      this.#database.get('SELECT * FROM config_process WHERE project = ? AND id = ?', project, id),
      readProcess,
    );
  }

  async runningProcesses(): Promise<readonly ProcessRecord[]> {
    return this.#database.all("SELECT * FROM config_process WHERE state = 'running' ORDER BY id").map(readProcess);
  }

  async endProcess(id: ProcessId, end: { result: ProcessResult } | { message: string }): Promise<void> {
    const result = 'result' in end ? stringifyJson(end.result as unknown as Json) : null;
    const message = 'message' in end ? end.message : null;
    this.#database.run(
      "UPDATE config_process SET state = ?, result = ?, message = ? WHERE id = ? AND state = 'running'",
      result === null ? 'fail' : 'success',
      result,
      message,
      id,
    );
  }

  async token(project: ProjectId, operation: string, token: string): Promise<TokenRecord | null> {
    const row = this.#database.get(
      'SELECT parameters, answer FROM client_token WHERE project = ? AND operation = ? AND token = ?',
      project,
      operation,
      token,
    );
    return row === undefined
      ? null
      : { parameters: String(row['parameters']), answer: BigInt(row['answer'] as bigint) };
  }

  async insertToken(
    project: ProjectId,
    operation: string,
    token: string,
    { parameters, answer }: TokenRecord,
  ): Promise<void> {
    this.#database.run(
      'INSERT INTO client_token VALUES (?, ?, ?, ?, ?, ?)',
      project,
      operation,
      token,
      parameters,
      answer,
      this.#clock.now(),
    );
  }

  async purge(time: number): Promise<void> {
    this.#database.run('DELETE FROM client_token WHERE created_at < ?', time);
    this.#database.run("DELETE FROM config_process WHERE created_at < ? AND state <> 'running'", time);
  }

  async dataSourceNamed(project: ProjectId, env: EnvType, name: string): Promise<StoredDataSource | null> {
    return readOne(
      this.#database.get(`${DATA_SOURCES} WHERE project = ? AND env = ? AND name = ?`, project, env, name),
      (row) => this.#readDataSource(row),
    );
  }

  async dataSource(id: DataSourceId): Promise<StoredDataSource | null> {
    return readOne(this.#database.get(`${DATA_SOURCES} WHERE id = ?`, id), (row) => this.#readDataSource(row));
  }

  async dataSources(
    project: ProjectId,
    filter: DataSourceFilter,
  ): Promise<{ rows: readonly DataSource[]; total: number }> {
    const { name, type, subType, env, enabled, pageNumber, pageSize } = filter;
    const wheres = ['project = ?'];
    const values: (bigint | number | string)[] = [project];
    const add = (where: string, value: number | string | null) => {
      if (value === null) return;
      wheres.push(where);
      values.push(value);
    };
    add('instr(lower(name), lower(?)) > 0', name);
    add('type = ?', type);
    add('sub_type = ?', subType);
    add('env = ?', env);
    add('enabled = ?', enabled === null ? null : Number(enabled));
    const where = wheres.join(' AND ');
    const total = Number(
      this.#database.get(`SELECT count(*) AS n FROM data_source WHERE ${where}`, ...values)?.['n'] ?? 0,
    );
    const rows = this.#database.all(
      `${DATA_SOURCES} WHERE ${where} ORDER BY id DESC LIMIT ? OFFSET ?`,
      ...values,
      pageSize,
      (pageNumber - 1) * pageSize,
    );
    return { rows: rows.map(readMaskedDataSource), total };
  }

  async insertDataSource(source: Omit<StoredDataSource, 'id' | 'shared'>): Promise<DataSourceId> {
    const { project, name, type, subType, env, description, content, maskedContent } = source;
    const { enabled, createdAt, modifiedAt, operator } = source;
    const sealed = this.#seal.close(content, sealedDataSourceOwner(source));
    const { id } = this.#database.run(
      'INSERT INTO data_source (project, name, type, sub_type, env, description, content, masked, enabled, created_at, modified_at, operator) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      project,
      name,
      type,
      subType,
      env,
      description,
      sealed,
      maskedContent,
      Number(enabled),
      createdAt,
      modifiedAt,
      operator,
    );
    return id as DataSourceId;
  }

  async updateDataSource(source: StoredDataSource): Promise<void> {
    const { id, env, description, content, maskedContent, enabled, modifiedAt, operator } = source;
    this.#database.run(
      'UPDATE data_source SET env = ?, description = ?, content = ?, masked = ?, enabled = ?, modified_at = ?, operator = ? WHERE id = ?',
      env,
      description,
      this.#seal.close(content, sealedDataSourceOwner(source)),
      maskedContent,
      Number(enabled),
      modifiedAt,
      operator,
      id,
    );
  }

  async deleteDataSource(id: DataSourceId): Promise<void> {
    this.#database.run('DELETE FROM data_source WHERE id = ?', id);
  }

  async dataSourceSharedAs(
    project: ProjectId,
    env: EnvType,
    name: string,
    user: string | null,
  ): Promise<StoredDataSource | null> {
    const row = this.#database.get(
      `${DATA_SOURCES} WHERE env = ? AND id IN (SELECT data_source FROM data_source_share
        WHERE project = ? AND name = ? AND (? IS NULL OR user IN ('', ?))) ORDER BY id LIMIT 1`,
      env,
      project,
      name,
      user,
      user,
    );
    return readOne(row, (found) => this.#readDataSource(found));
  }

  async shares(id: DataSourceId): Promise<readonly DataSourceShare[]> {
    return this.#database
      .all('SELECT * FROM data_source_share WHERE data_source = ? ORDER BY project, user', id)
      .map((row) => ({
        project: row['project'] as ProjectId,
        user: row['user'] === '' ? null : String(row['user']),
        permission: row['permission'] as DataSourceShare['permission'],
        name: String(row['name']),
      }));
  }

  async replaceShares(id: DataSourceId, shares: readonly DataSourceShare[]): Promise<void> {
    this.#database.run('DELETE FROM data_source_share WHERE data_source = ?', id);
    for (const { project, user, permission, name } of shares)
      this.#database.run(
        'INSERT INTO data_source_share VALUES (?, ?, ?, ?, ?)',
        id,
        project,
        user ?? '',
        permission,
        name,
      );
  }

  #readDataSource(row: SqlRow): StoredDataSource {
    const source = readMaskedDataSource(row);
    return {
      ...source,
      content: this.#seal.open(row['content'] as Uint8Array, sealedDataSourceOwner(source)),
    };
  }
}

const DATA_SOURCES =
  'SELECT *, EXISTS (SELECT 1 FROM data_source_share WHERE data_source = data_source.id) AS shared FROM data_source';

/** What the sealed Content of a row belongs to. */
export function sealedDataSourceOwner({
  project,
  env,
  name,
}: {
  project?: unknown;
  env?: unknown;
  name?: unknown;
}): string {
  return `data source ${String(project)} ${String(env)} ${String(name)}`;
}

function readOne<T>(row: SqlRow | undefined, read: (row: SqlRow) => T): T | null {
  return row === undefined ? null : read(row);
}

function readTask(row: SqlRow): TaskRecord {
  return {
    id: row['id'] as TaskId,
    project: row['project'] as ProjectId,
    name: String(row['name']),
    type: row['type'] as TaskType,
    settings: String(row['settings']),
    folder: String(row['folder']),
    sourceName: String(row['source_name']),
    sinkName: String(row['sink_name']),
    route: row['route'] as RouteName,
    initialLoad: row['initial_load'] as InitialLoad,
    creator: row['creator'] as string | null,
    editor: row['editor'] as string | null,
    starter: row['starter'] as string | null,
    createdAt: Number(row['created_at']),
    editedAt: Number(row['edited_at']),
    submittedAt: numberOrNull(row['submitted_at']),
    startedAt: numberOrNull(row['started_at']),
    finishedAt: numberOrNull(row['finished_at']),
    state: row['state'] as TaskState,
    saved: Number(row['saved']),
    deployed: numberOrNull(row['deployed']),
    incarnation: row['incarnation'] as string | null,
    startParam: row['start_param'] as string | null,
    ddlPolicies: row['ddl_policies'] === null ? null : (JSON.parse(String(row['ddl_policies'])) as DdlPolicies),
    failure: row['failure'] === null ? null : (JSON.parse(String(row['failure'])) as Failure),
  };
}

function numberOrNull(value: SqlRow[string] | undefined): number | null {
  return value === null ? null : Number(value);
}

function readJobSpec({ spec }: SqlRow): JobSpec {
  return parseJson(String(spec)) as unknown as JobSpec;
}

function readVersion(row: SqlRow): VersionRecord {
  return {
    version: Number(row['version']),
    definition: readDefinition(String(row['definition'])),
    content: String(row['content']),
    shown: JSON.parse(String(row['shown'])) as ShownChange,
  };
}

function readProcess(row: SqlRow): ProcessRecord {
  return {
    id: row['id'] as ProcessId,
    project: row['project'] as ProjectId,
    user: String(row['user']),
    type: row['type'] as TaskType,
    task: row['task'] as TaskId | null,
    baseVersion: Number(row['base_version']),
    input: String(row['input']),
    state: row['state'] as ProcessRecord['state'],
    result: row['result'] === null ? null : (parseJson(String(row['result'])) as unknown as ProcessResult),
    message: row['message'] as string | null,
  };
}

function readMaskedDataSource(row: SqlRow): DataSource {
  return {
    id: row['id'] as DataSourceId,
    project: row['project'] as ProjectId,
    name: String(row['name']),
    type: String(row['type']),
    subType: row['sub_type'] as string | null,
    env: Number(row['env']) as EnvType,
    description: String(row['description']),
    // What was masked by fewer rules, when it was written, is masked by those of today.
    maskedContent: stringifyJson(maskSecrets(parseJson(String(row['masked'])))),
    enabled: row['enabled'] === 1n,
    shared: row['shared'] === 1n,
    createdAt: Number(row['created_at']),
    modifiedAt: Number(row['modified_at']),
    operator: String(row['operator']),
  };
}

/** Versions that were saved before readers had options have none. */
function readDefinition(text: string): TaskDefinition {
  return { reader: {}, ...(parseJson(text) as unknown as Omit<TaskDefinition, 'reader'>) };
}
