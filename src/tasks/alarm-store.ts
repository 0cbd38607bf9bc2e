import type { Told } from './alarm-evaluation.ts';
import type { AlarmRule, AlarmRuleSpec } from './alarm-rule.ts';
import type { AlarmNewsId, AlarmRuleId, ProjectId, TaskId } from './ids.ts';
import type { AlarmNotification } from './notifier.ts';
import type { Page } from './page.ts';

/** A rule as it is watched: without its receivers. */
export interface WatchedRule
  extends Pick<AlarmRule, 'id' | 'task' | 'metric' | 'conditions' | 'muteMinutes' | 'editedAt'> {
  readonly project: ProjectId;
  /** Parallel to `conditions`. */
  readonly told: readonly Told[];
}

/** What receivers are to be told, until they were. */
export interface AlarmNews {
  readonly id: AlarmNewsId;
  readonly notification: AlarmNotification;
  /** Every receiver of the rule, in clear. */
  readonly rule: Pick<AlarmRule, 'channels' | 'receivers'>;
}

/** Alarm rules within a transaction. A rule goes with its task. */
export interface AlarmRecords {
  insert(task: TaskId, spec: AlarmRuleSpec, creator: string): Promise<AlarmRuleId>;
  /** Forgets what was told, and what was to be told. */
  replace(id: AlarmRuleId, spec: AlarmRuleSpec, editor: string): Promise<void>;
  /** Receivers in clear. */
  rule(id: AlarmRuleId): Promise<AlarmRule | null>;
  /** Newest first. */
  /** All rules of a task, the newest first; none of one that is not in the project. */
  ofTask(project: ProjectId, task: TaskId): Promise<readonly AlarmRule[]>;
  list(task: TaskId, page: Page): Promise<{ readonly rows: readonly AlarmRule[]; readonly total: number }>;
  delete(id: AlarmRuleId): Promise<void>;
  /** Those that are watched, of every task that is not deleted. */
  enabled(): Promise<readonly WatchedRule[]>;
  /** Remembers what was told of each of its conditions. */
  saveTold(id: AlarmRuleId, told: readonly Told[]): Promise<void>;
  insertNews(notification: AlarmNotification): Promise<AlarmNewsId>;
  /** What was not told to the end, of rules that are enabled, oldest first. */
  news(): Promise<readonly AlarmNews[]>;
  deleteNews(id: AlarmNewsId): Promise<void>;
}
