import type { AlarmMetric, AlarmReceivers, Severity } from './alarm-rule.ts';
import type { AlarmRuleId, ProjectId, TaskId } from './ids.ts';

/** One condition of a rule that holds, or held, as its receivers are told. */
export interface AlarmNotification {
  readonly kind: 'holds' | 'ended';
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
  /**
   * Tells each receiver, by itself; one that cannot be told is logged, without its address. Gives `over` once all of them were
   * told or given up, `cut` when it was closed before. Never throws.
   */
  notify(notification: AlarmNotification, receivers: readonly AlarmReceivers[]): Promise<'over' | 'cut'>;
  /** Gives up what is on its way. */
  close(): void;
}

/** Tells nobody; for tests. */
export const silentNotifier: Notifier = { notify: async () => 'over', close: () => {} };
