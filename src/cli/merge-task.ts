import { sinks, sources } from '../connectors/index.ts';
import type { LogMerges } from '../pipeline/connector.ts';
import type { TableId } from '../pipeline/table.ts';
import type { Store } from '../store/store.ts';
import { readSettings, resolveDataSource } from '../tasks/connections.ts';
import type { ProjectId, TaskId } from '../tasks/ids.ts';
import type { DefinedTable } from '../tasks/task-definition.ts';
import type { TaskRecord } from '../tasks/task-store.ts';
import { configOf, useStore } from './with-store.ts';

/** A task that writes logs, and what merges them. Holds a connection. */
export interface LogTask {
  readonly record: TaskRecord;
  readonly merges: LogMerges;
  readonly tables: readonly DefinedTable[];
}

export interface FindOptions {
  readonly table?: readonly string[];
  readonly project?: string;
  readonly dataDir?: string;
  readonly config?: string;
}

/** Reads the store, beside a service that may run. Errors: Error that says what is wrong; TaskError; SettingsError; ConfigError. */
export async function findLogTask(name: string, options: FindOptions): Promise<LogTask> {
  const config = configOf(options);
  return useStore(config, async (store) => {
    const record = await findTask(store, name, options.project);
    if (record.deployed === null) throw new Error(`${record.name} is not deployed: nothing was written yet`);
    const { deployed } = record;
    const { definition, sink } = await store.transaction(async (records) => {
      const version = await records.version(record.id, deployed);
      return { ...version, sink: await resolveDataSource(records, record.project, version.definition.sinkName) };
    });
    const { type, content } = sink;
    const openMerges = sinks.get(type)?.openMerges;
    if (openMerges === undefined) throw new Error(`${record.name} writes into ${type}, which has no logs to merge`);
    const { instances, hosts } = config;
    const { settings } = readSettings({ connectors: { sources, sinks }, instances, hosts }, type, content);
    const tables = chosen(definition.tables, options.table ?? []);
    return { record, merges: openMerges({ settings, options: definition.writer }), tables };
  });
}

async function findTask(store: Store, name: string, project: string | undefined): Promise<TaskRecord> {
  const found: TaskRecord[] = [];
  for (const { id } of await projectsOf(store, project)) {
    const task = await store.transaction(async (records) =>
      /^\d{1,18}$/.test(name) ? records.task(id, BigInt(name) as TaskId) : records.taskNamed(id, name),
    );
    if (task !== null) found.push(task);
  }
  const [only, ...others] = found;
  if (only === undefined) throw new Error(`there is no task ${name}`);
  if (others.length > 0)
    throw new Error(
      `there is a task ${name} in the projects ${found.map((task) => task.project).join(', ')}: give --project`,
    );
  return only;
}

async function projectsOf(store: Store, project: string | undefined): Promise<readonly { readonly id: ProjectId }[]> {
  if (project === undefined) return store.access.listProjects();
  if (!/^\d{1,18}$/.test(project)) throw new Error('--project: a project id is a number');
  return [{ id: BigInt(project) as ProjectId }];
}

function chosen(tables: readonly DefinedTable[], names: readonly string[]): readonly DefinedTable[] {
  if (names.length === 0) return tables;
  return names.map((name) => {
    const found = tables.find(({ table }) => describeTable(table) === name);
    if (found === undefined) throw new Error(`--table: ${name} is not among the tables of the task`);
    return found;
  });
}

/** `database.table`, as people give it. */
export function describeTable({ database, table }: TableId): string {
  return `${database}.${table}`;
}
