/** What a sink noted before it made rows visible: one record per task, of its newest incarnation. */
export const sinkJournal = `
CREATE TABLE sink_journal (task TEXT NOT NULL, installation TEXT NOT NULL, incarnation TEXT NOT NULL, revision INTEGER NOT NULL,
  record TEXT NOT NULL, PRIMARY KEY (installation, task)) STRICT, WITHOUT ROWID;
`;
