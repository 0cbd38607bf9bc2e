import type { JsonObject } from '../lib/json-value.ts';
import type { AlarmNotification } from '../tasks/notifier.ts';

/** What a webhook is sent. Ids are texts: many that read JSON have no 64-bit numbers. */
export function webhookPayload(notification: AlarmNotification): JsonObject {
  const { kind, rule, task, taskName, project, metric, severity, value, threshold, message, at } = notification;
  return {
    state: kind === 'holds' ? 'alarm' : 'ended',
    ruleId: String(rule),
    taskId: String(task),
    taskName,
    projectId: String(project),
    metric,
    severity,
    value,
    threshold,
    message,
    time: new Date(at).toISOString(),
  };
}

/** What a robot says. */
export function robotText({ kind, severity, project, rule, message, at }: AlarmNotification): string {
  const state = kind === 'holds' ? severity : `${severity} is over`;
  return `[disync] ${state}: ${message} Project ${project}, rule ${rule}, ${new Date(at).toISOString()}`;
}
