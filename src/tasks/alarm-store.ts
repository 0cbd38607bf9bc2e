import type { AlarmRule, AlarmRuleSpec } from './alarm-rule.ts';
import type { AlarmRuleId, TaskId } from './ids.ts';
import type { Page } from './page.ts';

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
}
