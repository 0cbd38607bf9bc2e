import type { Brand } from '../lib/brand.ts';

/** Generated ids stay below 2^53, because clients read numbers as doubles; those that come in may be any 64-bit integer. */
export type ProjectId = Brand<bigint, 'ProjectId'>;
export type TaskId = Brand<bigint, 'TaskId'>;
export type ProcessId = Brand<bigint, 'ProcessId'>;
export type AlarmRuleId = Brand<bigint, 'AlarmRuleId'>;
export type AlarmNewsId = Brand<bigint, 'AlarmNewsId'>;
export type DataSourceId = Brand<bigint, 'DataSourceId'>;
