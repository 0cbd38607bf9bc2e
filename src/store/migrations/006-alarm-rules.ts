/** Rules of alarms. `told`: when each of a rule's conditions was last told of, a JSON list. */
export const alarmRules = `
CREATE TABLE alarm_rule (id INTEGER PRIMARY KEY AUTOINCREMENT, task INTEGER NOT NULL REFERENCES task, description TEXT,
  enabled INTEGER NOT NULL, metric TEXT NOT NULL, mute_minutes INTEGER NOT NULL, conditions TEXT NOT NULL, channels TEXT NOT NULL,
  receivers BLOB NOT NULL, told TEXT NOT NULL DEFAULT '[]', creator TEXT NOT NULL, editor TEXT NOT NULL,
  created_at INTEGER NOT NULL, edited_at INTEGER NOT NULL) STRICT;
CREATE INDEX alarm_rule_task ON alarm_rule (task);
CREATE INDEX alarm_rule_enabled ON alarm_rule (id) WHERE enabled = 1;
`;
