/** What receivers of alarms are to be told, until they were; and which conditions were told of, but not their end. */
export const alarmNews = `
CREATE TABLE alarm_news (id INTEGER PRIMARY KEY AUTOINCREMENT, rule INTEGER NOT NULL REFERENCES alarm_rule ON DELETE CASCADE,
  facts TEXT NOT NULL) STRICT;
CREATE INDEX alarm_news_rule ON alarm_news (rule);
ALTER TABLE alarm_rule ADD COLUMN open TEXT NOT NULL DEFAULT '[]';
`;
