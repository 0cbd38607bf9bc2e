/** Types of data sources that the API documents; which of them are served is what connectors there are. */
export const DATA_SOURCE_TYPES = [
  'odps',
  'mysql',
  'rds',
  'oss',
  'sqlserver',
  'polardb',
  'oracle',
  'mongodb',
  'emr',
  'postgresql',
  'analyticdb_for_mysql',
  'hybriddb_for_postgresql',
  'holo',
  'kafka',
  'redis',
] as const;
