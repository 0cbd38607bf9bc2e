import { type AlarmRule, type AlarmRuleSpec, checkAlarmRule, maskReceiver } from './alarm-rule.ts';
import type { AlarmService } from './alarm-service.ts';
import type { AlarmRuleId, TaskId } from './ids.ts';
import type { Page } from './page.ts';
import { TaskError } from './task-error.ts';
import { taskWithin } from './task-lookup.ts';
import type { Caller, Reach } from './task-service.ts';
import type { TaskRecords, TaskStore } from './task-store.ts';

/** Of one task. */
const RULES_MAX = 100;

/** Keeps the rules; what watches them is AlarmWatch. */
export class Alarms implements AlarmService {
  readonly #store: TaskStore;

  constructor(store: TaskStore) {
    this.#store = store;
  }

  async create(
    { projects, user }: Reach,
    { task, spec }: { readonly task: TaskId; readonly spec: AlarmRuleSpec },
  ): Promise<AlarmRuleId> {
    return this.#store.transaction(async (records) => {
      await taskWithin(records, projects, task);
      checkAlarmRule(spec);
      const { total } = await records.alarms.list(task, { pageNumber: 1, pageSize: 1 });
      if (total >= RULES_MAX)
        throw new TaskError(
          'invalid',
          'Alarm.Invalid',
          `DIJobId:[${task}] has ${total} alarm rules, which is the most.`,
        );
      return records.alarms.insert(task, spec, user);
    });
  }

  async update(
    caller: Reach,
    { rule: id, spec }: { readonly rule: AlarmRuleId; readonly spec: AlarmRuleSpec },
  ): Promise<void> {
    await this.#store.transaction(async (records) => {
      await ruleWithin(records, caller, id);
      checkAlarmRule(spec);
      await records.alarms.replace(id, spec, caller.user);
    });
  }

  async get(caller: Reach, id: AlarmRuleId): Promise<AlarmRule> {
    return this.#store.transaction(async (records) => masked(await ruleWithin(records, caller, id)));
  }

  async list(
    { projects }: Reach,
    { task, page }: { readonly task: TaskId; readonly page: Page },
  ): Promise<{ readonly rows: readonly AlarmRule[]; readonly total: number }> {
    return this.#store.transaction(async (records) => {
      await taskWithin(records, projects, task);
      const { rows, total } = await records.alarms.list(task, page);
      return { rows: rows.map(masked), total };
    });
  }

  async delete(caller: Reach, id: AlarmRuleId): Promise<void> {
    await this.#store.transaction(async (records) => {
      await ruleWithin(records, caller, id);
      await records.alarms.delete(id);
    });
  }

  async ofTask({ project }: Caller, task: TaskId): Promise<readonly AlarmRule[]> {
    const rules = await this.#store.transaction((records) => records.alarms.ofTask(project, task));
    return rules.map(masked);
  }
}

/** Errors: TaskError `not-found`. */
async function ruleWithin(records: TaskRecords, { projects }: Reach, id: AlarmRuleId): Promise<AlarmRule> {
  const rule = await records.alarms.rule(id);
  if (rule !== null) for (const project of projects) if ((await records.task(project, rule.task)) !== null) return rule;
  throw new TaskError('not-found', 'Alarm.NotFound', `DIAlarmRuleId:[${id}] is invalid.`);
}

function masked(rule: AlarmRule): AlarmRule {
  const receivers = rule.receivers.map(({ type, values }) => ({
    type,
    values: values.map((value) => maskReceiver(type, value)),
  }));
  return { ...rule, receivers };
}
