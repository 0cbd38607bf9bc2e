import type { AlarmRule, AlarmRuleSpec } from './alarm-rule.ts';
import type { AlarmRuleId, ProjectId, TaskId } from './ids.ts';
import type { Page } from './page.ts';

/** A rule as it is watched: without its receivers. */
export interface WatchedRule
  extends Pick<AlarmRule, 'id' | 'task' | 'metric' | 'conditions' | 'muteMinutes' | 'editedAt'> {
  readonly project: ProjectId;
  /** Parallel to `conditions`: when it was last told of, milliseconds since the epoch. */
  readonly toldAt: readonly (number | null)[];
}

/** Alarm rules within a transaction. A rule goes with its task. */
export interface AlarmRecords {
  insert(task: TaskId, spec: AlarmRuleSpec, creator: string): Promise<AlarmRuleId>;
  /** Forgets what was told. */
  replace(id: AlarmRuleId, spec: AlarmRuleSpec, editor: string): Promise<void>;
  /** Receivers in clear. */
  rule(id: AlarmRuleId): Promise<AlarmRule | null>;
  /** Newest first. */
  list(task: TaskId, page: Page): Promise<{ readonly rows: readonly AlarmRule[]; readonly total: number }>;
  delete(id: AlarmRuleId): Promise<void>;
  /** Those that are watched, of every task that is not deleted. */
  enabled(): Promise<readonly WatchedRule[]>;
  /** Remembers when each of its conditions was last told of. */
  saveTold(id: AlarmRuleId, toldAt: readonly (number | null)[]): Promise<void>;
}
