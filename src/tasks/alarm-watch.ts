import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { type Alarm, type AlarmSample, type AlarmState, evaluate, newAlarmState } from './alarm-evaluation.ts';
import { receiversOf } from './alarm-rule.ts';
import type { WatchedRule } from './alarm-store.ts';
import type { AlarmRuleId } from './ids.ts';
import type { Notifier } from './notifier.ts';
import type { RunControl } from './run-control.ts';
import type { InstanceInfo } from './task-service.ts';
import type { TaskRecord, TaskStore } from './task-store.ts';

const EVERY_MS = 10_000;

export interface AlarmWatchOptions {
  readonly store: TaskStore;
  readonly runs: RunControl;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is remembered of a rule as it was last edited. */
interface Remembered {
  readonly editedAt: number;
  readonly state: AlarmState;
}

/** Looks at the tasks of the rules that are enabled, every 10 s, and has their receivers told. */
export class AlarmWatch {
  readonly #options: AlarmWatchOptions;
  #remembered = new Map<AlarmRuleId, Remembered>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: AlarmWatchOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.look().then(() => this.start());
    }, EVERY_MS).unref();
  }

  /** One look at every rule. A rule that cannot be looked at is logged, and the others are. */
  async look(): Promise<void> {
    const { store, log } = this.#options;
    try {
      const watched = await store.transaction(async (records) => {
        const rules = await records.alarms.enabled();
        return Promise.all(rules.map(async (rule) => ({ rule, task: await records.task(rule.project, rule.task) })));
      });
      const ids = new Set(watched.map(({ rule }) => rule.id));
      this.#remembered = new Map([...this.#remembered].filter(([id]) => ids.has(id)));
      for (const { rule, task } of watched) if (task !== null) await this.#lookAt(rule, task);
    } catch (error) {
      log.warn({ message: messageOf(error) }, 'alarm rules could not be looked at; they are again in 10 s');
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  async #lookAt(rule: WatchedRule, task: TaskRecord): Promise<void> {
    const { runs, clock, log } = this.#options;
    try {
      const info = runs.glance(task);
      const known = this.#remembered.get(rule.id);
      const before = known?.editedAt === rule.editedAt ? known.state : newAlarmState(rule, rule.toldAt);
      const { state, alarms } = evaluate(rule, before, sampleOf(task, info, clock.now()));
      if (alarms.length > 0) await this.#tell(rule, { task, info, state, alarms });
      this.#remembered.set(rule.id, { editedAt: rule.editedAt, state });
    } catch (error) {
      log.warn({ rule: rule.id, task: task.id, message: messageOf(error) }, 'an alarm rule could not be looked at');
    }
  }

  /** Remembered first: whoever is killed in between is told late, and not twice. */
  async #tell(
    rule: WatchedRule,
    {
      task,
      info,
      state,
      alarms,
    }: { task: TaskRecord; info: InstanceInfo; state: AlarmState; alarms: readonly Alarm[] },
  ): Promise<void> {
    const { store, notifier, clock } = this.#options;
    const current = await store.transaction(async (records) => {
      await records.alarms.saveTold(
        rule.id,
        state.conditions.map(({ toldAt }) => toldAt),
      );
      return records.alarms.rule(rule.id);
    });
    for (const alarm of alarms) {
      const condition = rule.conditions[alarm.condition];
      if (condition === undefined || current === null) continue;
      const notification = {
        rule: rule.id,
        task: task.id,
        taskName: task.name,
        project: task.project,
        metric: rule.metric,
        severity: condition.severity,
        value: alarm.value,
        threshold: alarm.threshold,
        message: describe(rule, task, info, alarm),
        at: clock.now(),
      };
      notifier.notify(notification, receiversOf(current, condition.severity));
    }
  }
}

/** A run that ended by an error ought to run; one that was stopped ought not. One that is starting is alive: a start that hangs ends in an outage. */
function sampleOf({ state, failure }: TaskRecord, { run }: InstanceInfo, at: number): AlarmSample {
  return {
    at,
    shouldRun: state === 'RUN' || (state === 'PAUSE' && failure !== null),
    isRunning: run?.phase === 'running' || run?.phase === 'starting',
    lagMs: run?.phase === 'running' ? run.lagMs : null,
    failovers: run?.failovers ?? 0,
    ddl: run?.ddl ?? {},
  };
}

function describe(
  { metric, conditions }: WatchedRule,
  { name, id }: TaskRecord,
  { message }: InstanceInfo,
  { condition, value, threshold }: Alarm,
): string {
  const task = `${name} (${id})`;
  switch (metric) {
    case 'Heartbeat':
      return `${task} does not run.${message === null ? '' : ` ${message}`}`;
    case 'Delay':
      return `${task} is ${value} s behind; the limit is ${threshold} s.`;
    case 'FailoverCount':
      return `${task} had ${value} failovers in ${conditions[condition]?.durationMinutes ?? 0} minutes; the limit is ${threshold}.`;
    case 'DdlReport':
      return `${task} met ${value} DDL ${value === 1 ? 'statement' : 'statements'} on its tables.`;
  }
}
