import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { withCrashPoints } from '../lib/crash-point.ts';
import { type Alarm, type AlarmSample, type AlarmState, evaluate, newAlarmState } from './alarm-evaluation.ts';
import { type AlarmMetric, receiversOf } from './alarm-rule.ts';
import type { AlarmNews, WatchedRule } from './alarm-store.ts';
import type { AlarmRuleId } from './ids.ts';
import type { AlarmNotification, Notifier } from './notifier.ts';
import type { RunControl } from './run-control.ts';
import type { InstanceInfo } from './task-service.ts';
import type { TaskRecord, TaskRecords, TaskStore } from './task-store.ts';

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

/**
 * Looks at the tasks of the rules that are enabled, every 10 s, and has their receivers told. What is to be told is durable
 * before it is, and until it was: whoever is killed in between tells it again.
 */
export class AlarmWatch {
  readonly #options: AlarmWatchOptions;
  #remembered = new Map<AlarmRuleId, Remembered>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #telling = new Set<Promise<void>>();
  #closed = false;

  constructor(options: AlarmWatchOptions) {
    this.#options = options;
  }

  /** Tells what an earlier life of the service did not tell to the end, then looks every 10 s. */
  async resume(): Promise<void> {
    for (const news of await this.#options.store.transaction((records) => records.alarms.news())) this.#tell(news);
    this.#start();
  }

  #start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.look().then(() => this.#start());
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

  /** What is on its way is cut, and told in the next life of the service. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    this.#options.notifier.close();
    await Promise.all(this.#telling);
  }

  async #lookAt(rule: WatchedRule, task: TaskRecord): Promise<void> {
    const { runs, clock, log } = this.#options;
    try {
      const info = runs.glance(task);
      const known = this.#remembered.get(rule.id);
      const before = known?.editedAt === rule.editedAt ? known.state : newAlarmState(rule, rule.told);
      const { state, alarms } = evaluate(rule, before, sampleOf(task, info, clock.now()));
      if (alarms.length > 0) await this.#announce(rule, { task, info, state, alarms });
      this.#remembered.set(rule.id, { editedAt: rule.editedAt, state });
    } catch (error) {
      log.warn({ rule: rule.id, task: task.id, message: messageOf(error) }, 'an alarm rule could not be looked at');
    }
  }

  /** Of a rule that was edited since it was looked at nothing is told: it begins anew with the next look. */
  async #announce(
    rule: WatchedRule,
    {
      task,
      info,
      state,
      alarms,
    }: { task: TaskRecord; info: InstanceInfo; state: AlarmState; alarms: readonly Alarm[] },
  ): Promise<void> {
    const { store, clock } = this.#options;
    const notifications = alarms.map((alarm) => notificationOf(rule, { task, info, alarm, at: clock.now() }));
    const save = async (records: TaskRecords): Promise<readonly AlarmNews[]> => {
      const current = await records.alarms.rule(rule.id);
      if (current === null || !current.enabled || current.editedAt !== rule.editedAt) return [];
      await records.alarms.saveTold(
        rule.id,
        state.conditions.map(({ told }) => told),
      );
      const news: AlarmNews[] = [];
      for (const notification of notifications)
        news.push({ id: await records.alarms.insertNews(notification), notification, rule: current });
      return news;
    };
    const news = await withCrashPoints('alarm saved', () => store.transaction(save));
    for (const one of news) this.#tell(one);
  }

  /** Beside the next looks. */
  #tell(news: AlarmNews): void {
    const telling = this.#deliver(news).finally(() => this.#telling.delete(telling));
    this.#telling.add(telling);
  }

  async #deliver({ id, notification, rule }: AlarmNews): Promise<void> {
    const { store, notifier, log } = this.#options;
    try {
      const came = await notifier.notify(notification, receiversOf(rule, notification.severity));
      if (came === 'cut') return;
      await withCrashPoints('alarm told', () => store.transaction((records) => records.alarms.deleteNews(id)));
    } catch (error) {
      const facts = { rule: notification.rule, task: notification.task, message: messageOf(error) };
      log.warn(
        facts,
        'an alarm could not be told, or that it was not saved; it will be told again after the next start',
      );
    }
  }
}

function notificationOf(
  { id, metric, conditions }: WatchedRule,
  { task, info, alarm, at }: { task: TaskRecord; info: InstanceInfo; alarm: Alarm; at: number },
): AlarmNotification {
  const { kind, value, threshold } = alarm;
  const condition = conditions[alarm.condition];
  if (condition === undefined) throw new Error(`the rule ${id} has no condition ${alarm.condition}`);
  return {
    kind,
    rule: id,
    task: task.id,
    taskName: task.name,
    project: task.project,
    metric,
    severity: condition.severity,
    value,
    threshold,
    message:
      kind === 'holds'
        ? describe(metric, task, { info, alarm, minutes: condition.durationMinutes ?? 0 })
        : describeEnd(metric, task, { alarm, minutes: condition.durationMinutes ?? 0 }),
    at,
  };
}

/** A run that ended by an error ought to run; one that was stopped ought not. */
function shouldRun({ state, failure }: TaskRecord): boolean {
  return state === 'RUN' || (state === 'PAUSE' && failure !== null);
}

/** One that is starting is alive: a start that hangs ends in an outage. */
function sampleOf(task: TaskRecord, { run }: InstanceInfo, at: number): AlarmSample {
  return {
    at,
    shouldRun: shouldRun(task),
    isRunning: run?.phase === 'running' || run?.phase === 'starting',
    lagMs: run?.phase === 'running' ? run.lagMs : null,
    failovers: run?.failovers ?? 0,
    ddl: run?.ddl ?? {},
  };
}

interface Described {
  readonly alarm: Alarm;
  readonly minutes: number;
}

function describe(
  metric: AlarmMetric,
  task: TaskRecord,
  { alarm: { value, threshold }, minutes, info: { message } }: Described & { readonly info: InstanceInfo },
): string {
  switch (metric) {
    case 'Heartbeat':
      return `${nameOf(task)} does not run.${message === null ? '' : ` ${message}`}`;
    case 'Delay':
      return `${nameOf(task)} is ${value} s behind; the limit is ${threshold} s.`;
    case 'FailoverCount':
      return `${nameOf(task)} had ${value} failovers in ${minutes} minutes; the limit is ${threshold}.`;
    case 'DdlReport':
      return `${nameOf(task)} met ${value} DDL ${value === 1 ? 'statement' : 'statements'} on its tables.`;
  }
}

/** Of what came by itself, or because somebody stopped the task. */
function describeEnd(
  metric: AlarmMetric,
  task: TaskRecord,
  { alarm: { value, threshold }, minutes }: Described,
): string {
  if (!shouldRun(task)) return `${nameOf(task)} was stopped: its ${metric} is not watched until it is started.`;
  switch (metric) {
    case 'Heartbeat':
      return `${nameOf(task)} runs again.`;
    case 'Delay':
      return `${nameOf(task)} is no longer late: it is ${value} s behind; the limit is ${threshold} s.`;
    case 'FailoverCount':
      return `${nameOf(task)} had only ${value} failovers in the last ${minutes} minutes; the limit is ${threshold}.`;
    case 'DdlReport':
      throw new Error('statements that were met have no end');
  }
}

function nameOf({ name, id }: TaskRecord): string {
  return `${name} (${id})`;
}
