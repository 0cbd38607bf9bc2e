import type { DataSourceShare, EnvType } from './data-source-service.ts';
import type { ProjectId } from './ids.ts';
import { TaskError } from './task-error.ts';
import type { StoredDataSource, TaskRecords } from './task-store.ts';

/**
 * Whether a data source may be shared so: with projects that the caller may touch, others like one that does not exist,
 * and under names that nothing else has there. Errors: TaskError `wrong-state`, `not-found`.
 */
export async function checkShares(
  records: TaskRecords,
  source: StoredDataSource,
  shares: readonly DataSourceShare[],
  projects: readonly ProjectId[],
): Promise<void> {
  const seen = new Set<string>();
  for (const share of shares) {
    const { project, user } = share;
    if (!projects.includes(project))
      throw new TaskError('not-found', 'Project.NotFound', `projectId:[${project}] is invalid.`);
    if (project === source.project)
      throw new TaskError(
        'wrong-state',
        'DataSource.Share',
        `projectId:[${project}] is the data source's own project.`,
      );
    const who = `${project} ${user ?? ''}`;
    if (seen.has(who))
      throw new TaskError(
        'wrong-state',
        'DataSource.Share',
        `projectId:[${project}] is named twice for ${user === null ? 'everyone' : `the user ${user}`}.`,
      );
    seen.add(who);
  }
  await checkSharedNames(records, source, shares);
}

/** Whether nothing else has these names, in the environment of the data source. Errors: TaskError `wrong-state`. */
export async function checkSharedNames(
  records: TaskRecords,
  { id, env }: StoredDataSource,
  shares: readonly DataSourceShare[],
): Promise<void> {
  for (const { project, name } of shares) {
    const own = await records.dataSourceNamed(project, env, name);
    const shared = await records.dataSourceSharedAs(project, env, name, null);
    if (own !== null || (shared !== null && shared.id !== id)) throw nameTaken(project, name, env);
  }
}

function nameTaken(project: ProjectId, name: string, env: EnvType): TaskError {
  return new TaskError(
    'wrong-state',
    'DataSource.NameTaken',
    `projectId:[${project}] has a data source named ${name} with envType ${env} already. Give another sharedName.`,
  );
}
