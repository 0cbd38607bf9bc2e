import { parseJson, stringifyJson } from '../lib/json.ts';
import { type DdlPolicies, DEFAULT_DDL_POLICIES } from '../pipeline/policies.ts';
import { readDdlPolicies } from './ddl-policies.ts';
import type { ProjectId } from './ids.ts';
import type { ConfigScope, ProjectConfigService } from './project-config-service.ts';
import type { Caller } from './task-service.ts';
import type { TaskRecords, TaskStore } from './task-store.ts';

/** The projects' own defaults. */
export class ProjectConfigs implements ProjectConfigService {
  readonly #store: TaskStore;

  constructor(store: TaskStore) {
    this.#store = store;
  }

  async ddlPolicies({ project }: Caller, scope: ConfigScope): Promise<DdlPolicies> {
    return this.#store.transaction((records) => projectDdlPolicies(records, project, scope));
  }

  async replaceDdlPolicies({ project }: Caller, scope: ConfigScope, config: string): Promise<void> {
    const policies = readDdlPolicies(parseJson(config), 'ProjectConfig');
    await this.#store.transaction((records) => records.replaceProjectConfig(project, scope, stringifyJson(policies)));
  }
}

/** Each kind from the narrowest scope that names it: source and sink, the sink with every source, the built-in defaults. */
export async function projectDdlPolicies(
  records: TaskRecords,
  project: ProjectId,
  { sinkType, sourceType }: ConfigScope,
): Promise<DdlPolicies> {
  const read = async (source: string | null): Promise<Partial<DdlPolicies>> => {
    const config = await records.projectConfig(project, { sinkType, sourceType: source });
    return config === null ? {} : readDdlPolicies(parseJson(config), 'the stored configuration');
  };
  const own = sourceType === null ? {} : await read(sourceType);
  return { ...DEFAULT_DDL_POLICIES, ...(await read(null)), ...own };
}
