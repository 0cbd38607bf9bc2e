export const DDL_KINDS = [
  'CREATETABLE',
  'DROPTABLE',
  'RENAMETABLE',
  'TRUNCATETABLE',
  'ADDCOLUMN',
  'DROPCOLUMN',
  'RENAMECOLUMN',
  'MODIFYCOLUMN',
] as const;
export type DdlKind = (typeof DDL_KINDS)[number];

/** How many statements of each kind there were. */
export type DdlCounts = Readonly<Partial<Record<DdlKind, number>>>;

export const DDL_POLICIES = ['NORMAL', 'IGNORE', 'WARNING', 'CRITICAL'] as const;
/** NORMAL forwards, IGNORE drops, WARNING drops and warns, CRITICAL stops the run. */
export type DdlPolicy = (typeof DDL_POLICIES)[number];

export type DdlPolicies = Readonly<Record<DdlKind, DdlPolicy>>;

/** Columns are added at the end as nullable; every other kind is reported and left out. */
export const DEFAULT_DDL_POLICIES: DdlPolicies = {
  CREATETABLE: 'WARNING',
  DROPTABLE: 'WARNING',
  RENAMETABLE: 'WARNING',
  TRUNCATETABLE: 'WARNING',
  ADDCOLUMN: 'NORMAL',
  DROPCOLUMN: 'WARNING',
  RENAMECOLUMN: 'WARNING',
  MODIFYCOLUMN: 'WARNING',
};

export interface FailoverLimit {
  readonly count: number;
  readonly intervalMinutes: number;
}

export const DEFAULT_FAILOVER_LIMIT: FailoverLimit = { count: 100, intervalMinutes: 5 };

/** How a run treats what goes wrong; from StartParam, the project, and the defaults. */
export interface Policies {
  readonly ddl: DdlPolicies;
  /** Dirty rows allowed; null is unlimited. */
  readonly errorLimit: number | null;
  readonly failover: FailoverLimit;
}
