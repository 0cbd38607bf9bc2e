import type { DataSourceId, ProjectId } from './ids.ts';
import type { Caller } from './task-service.ts';

/** 0 is development, 1 production: separate name spaces; a task takes 1, else 0. */
export type EnvType = 0 | 1;

export interface DataSource {
  readonly id: DataSourceId;
  readonly project: ProjectId;
  readonly name: string;
  readonly type: string;
  readonly subType: string | null;
  readonly env: EnvType;
  readonly description: string;
  /** `Content` as it may be shown: JSON text, secrets masked. */
  readonly maskedContent: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly operator: string;
}

export interface NewDataSource {
  readonly name: string;
  readonly type: string;
  readonly subType: string | null;
  readonly env: EnvType;
  readonly description: string;
  /** JSON text, as it came; its secrets are stored encrypted. */
  readonly content: string;
}

export interface DataSourceFilter {
  readonly name: string | null;
  readonly type: string | null;
  readonly subType: string | null;
  readonly env: EnvType | null;
  readonly pageNumber: number;
  readonly pageSize: number;
}

/** The registered connections of a project. Methods throw TaskError. */
export interface DataSourceService {
  create(caller: Caller, source: NewDataSource): Promise<DataSourceId>;
  /** A page, newest first, with the number over all pages. */
  list(caller: Caller, filter: DataSourceFilter): Promise<{ rows: readonly DataSource[]; total: number }>;
  /**
   * Deletes one; the project is found by the data source, so `projects` are those that the caller may touch.
   * Refused with `wrong-state` while a task that is not deleted uses it.
   */
  delete(projects: readonly ProjectId[], id: DataSourceId): Promise<void>;
}
