import type { CataloguePage } from '../pipeline/catalogue.ts';
import type { Stage } from '../pipeline/stages.ts';
import type { DataSourceId, ProjectId } from './ids.ts';
import type { Caller, Reach } from './task-service.ts';

export type { CataloguePage, Stage };

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
  /** A disabled one is not taken by a plan, a deploy or a start; what runs with it goes on. */
  readonly enabled: boolean;
  /** Other projects may use it. */
  readonly shared: boolean;
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
  readonly enabled: boolean | null;
  readonly pageNumber: number;
  readonly pageSize: number;
}

/** What of a data source is to be another; null is kept. Its name and type never change. */
export interface DataSourceChanges {
  /** The whole Content, as JSON text. */
  readonly content: string | null;
  readonly description: string | null;
  readonly env: EnvType | null;
  readonly enabled: boolean | null;
}

/** Who may use a data source of another project, by which name. */
export interface DataSourceShare {
  readonly project: ProjectId;
  /** One user of that project; null is everyone in it. */
  readonly user: string | null;
  readonly permission: 'READ' | 'WRITE';
  /** What the data source is called there. */
  readonly name: string;
}

/**
 * The registered connections of a project. Methods throw TaskError; the id of a data source in a project that is not
 * within reach is `not-found`, like one that does not exist.
 */
export interface DataSourceService {
  /** Refused with `name-taken` also where the name is that of one which is shared with the project. */
  create(caller: Caller, source: NewDataSource): Promise<DataSourceId>;
  /** A page, newest first, with the number over all pages. */
  list(caller: Caller, filter: DataSourceFilter): Promise<{ rows: readonly DataSource[]; total: number }>;
  /** Runs take a new Content at their next start, or when the service is started again. */
  update(reach: Reach, id: DataSourceId, changes: DataSourceChanges): Promise<void>;
  /** Refused with `wrong-state` while a task that is not deleted uses it, in whichever project. */
  delete(reach: Reach, id: DataSourceId): Promise<void>;
  /** Makes those that can be made. What stood in the way of the others, a sentence for each; empty when all were made. */
  import(caller: Caller, sources: readonly NewDataSource[]): Promise<readonly string[]>;
  /** With whom it is shared from now on, in place of all shares before; none ends them. */
  share(caller: Caller, request: ShareRequest): Promise<void>;
  /** A page of the tables behind one of its own or one shared with it; refused with `wrong-state` when it cannot be asked. */
  catalogue(
    caller: Caller,
    request: NamedDataSource & { readonly offset: number; readonly limit: number },
  ): Promise<CataloguePage>;
  /** What each stage on the way to its server says. Takes 20 s at most. */
  stages(caller: Caller, request: NamedDataSource): Promise<readonly Stage[]>;
}

export interface NamedDataSource {
  readonly name: string;
  /** Null: production's, else development's. */
  readonly env: EnvType | null;
}

export interface ShareRequest extends NamedDataSource {
  readonly shares: readonly DataSourceShare[];
  /** Projects that the caller may touch: with others nothing is shared. */
  readonly projects: readonly ProjectId[];
}
