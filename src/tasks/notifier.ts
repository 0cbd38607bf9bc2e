import type { AlarmMetric, AlarmReceivers, Severity } from './alarm-rule.ts';
import type { AlarmRuleId, ProjectId, TaskId } from './ids.ts';

/** One condition of a rule that holds, as its receivers are told. */
export interface AlarmNotification {
  readonly rule: AlarmRuleId;
  readonly task: TaskId;
  readonly taskName: string;
  readonly project: ProjectId;
  readonly metric: AlarmMetric;
  readonly severity: Severity;
  /** In the metric's unit (see AlarmCondition). */
  readonly value: number;
  readonly threshold: number;
  /** For people. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Tells the receivers of alarms. */
export interface Notifier {
  /** Takes it, and returns at once; what cannot be delivered is logged, without its receivers. */
  notify(notification: AlarmNotification, receivers: readonly AlarmReceivers[]): void;
  /** Gives up what is on its way. */
  close(): void;
}

/** Tells nobody; for tests. */
export const silentNotifier: Notifier = { notify: () => {}, close: () => {} };
