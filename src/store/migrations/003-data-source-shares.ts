/** Data sources can be disabled and shared. A config process keeps who asked for it. */
export const dataSourceShares = `
ALTER TABLE data_source ADD COLUMN enabled INTEGER NOT NULL DEFAULT 1;
CREATE TABLE data_source_share (data_source INTEGER NOT NULL REFERENCES data_source ON DELETE CASCADE, project INTEGER NOT NULL,
  user TEXT NOT NULL, permission TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (data_source, project, user)) STRICT;
CREATE INDEX data_source_share_name ON data_source_share (project, name);
ALTER TABLE config_process ADD COLUMN user TEXT NOT NULL DEFAULT '';
`;
