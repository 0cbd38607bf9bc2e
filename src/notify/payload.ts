import type { JsonObject } from '../lib/json-value.ts';
import type { AlarmNotification } from '../tasks/notifier.ts';

/** What a webhook is sent. Ids are texts: many that read JSON have no 64-bit numbers. */
export function webhookPayload(notification: AlarmNotification): JsonObject {
  const { rule, task, taskName, project, metric, severity, value, threshold, message, at } = notification;
  return {
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

/** What a robot of DingTalk is sent. */
export function dingPayload({ severity, project, rule, message, at }: AlarmNotification): JsonObject {
  const content = `[disync] ${severity}: ${message} Project ${project}, rule ${rule}, ${new Date(at).toISOString()}`;
  return { msgtype: 'text', text: { content } };
}
