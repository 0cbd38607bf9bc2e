import type { AlarmRule, AlarmRuleSpec } from './alarm-rule.ts';
import type { AlarmRuleId, TaskId } from './ids.ts';
import type { Page } from './page.ts';
import type { Caller, Reach } from './task-service.ts';

/**
 * The alarm rules of tasks. Every method throws TaskError; the id of a rule or a task outside of the caller's projects is
 * `not-found`, like one that is nowhere. Receivers come back masked. What a method acknowledges is durable.
 */
export interface AlarmService {
  create(caller: Reach, request: { readonly task: TaskId; readonly spec: AlarmRuleSpec }): Promise<AlarmRuleId>;
  /** The whole rule anew: what is quiet is not any more. */
  update(caller: Reach, request: { readonly rule: AlarmRuleId; readonly spec: AlarmRuleSpec }): Promise<void>;
  get(caller: Reach, rule: AlarmRuleId): Promise<AlarmRule>;
  /** Newest first. */
  list(
    caller: Reach,
    request: { readonly task: TaskId; readonly page: Page },
  ): Promise<{ readonly rows: readonly AlarmRule[]; readonly total: number }>;
  delete(caller: Reach, rule: AlarmRuleId): Promise<void>;
  /** Every rule of a task of the caller's project; none for one that is not there. */
  ofTask(caller: Caller, task: TaskId): Promise<readonly AlarmRule[]>;
}
