/** The first shape of the store. Ids of tasks start at 700001, so that they are not taken for those of processes. */
export const initial = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE project (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE access_key (id TEXT PRIMARY KEY, secret BLOB NOT NULL, active INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT;
CREATE TABLE access_key_project (access_key TEXT NOT NULL REFERENCES access_key, project INTEGER NOT NULL REFERENCES project,
  PRIMARY KEY (access_key, project)) STRICT;
CREATE TABLE data_source (id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
  sub_type TEXT, env INTEGER NOT NULL, description TEXT NOT NULL, content BLOB NOT NULL, masked TEXT NOT NULL,
  created_at INTEGER NOT NULL, modified_at INTEGER NOT NULL, operator TEXT NOT NULL, UNIQUE (project, env, name)) STRICT;
CREATE TABLE task (id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
  settings TEXT NOT NULL, state TEXT NOT NULL, saved INTEGER NOT NULL, deployed INTEGER, incarnation TEXT, start_param TEXT,
  failure TEXT, created_at INTEGER NOT NULL, deleted_at INTEGER) STRICT;
INSERT INTO sqlite_sequence (name, seq) VALUES ('task', 700000);
CREATE UNIQUE INDEX task_name ON task (project, name) WHERE deleted_at IS NULL;
CREATE TABLE task_version (task INTEGER NOT NULL REFERENCES task, version INTEGER NOT NULL, definition TEXT NOT NULL,
  content TEXT NOT NULL, shown TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (task, version)) STRICT;
CREATE TABLE filled_target (task INTEGER NOT NULL REFERENCES task, schema TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (task, schema, name)) STRICT;
CREATE TABLE config_process (id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, type TEXT NOT NULL, task INTEGER,
  base_version INTEGER NOT NULL, input TEXT NOT NULL, state TEXT NOT NULL, result TEXT, message TEXT, created_at INTEGER NOT NULL) STRICT;
CREATE TABLE client_token (project INTEGER NOT NULL, operation TEXT NOT NULL, token TEXT NOT NULL, parameters TEXT NOT NULL,
  answer INTEGER NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (project, operation, token)) STRICT;
CREATE TABLE checkpoint (task TEXT NOT NULL, installation TEXT NOT NULL, incarnation TEXT NOT NULL, sequence INTEGER NOT NULL,
  log_offset TEXT NOT NULL, version INTEGER NOT NULL, held INTEGER NOT NULL, PRIMARY KEY (installation, task)) STRICT;
CREATE TABLE checkpoint_table (task TEXT NOT NULL, installation TEXT NOT NULL, database TEXT NOT NULL, name TEXT NOT NULL,
  progress TEXT NOT NULL, PRIMARY KEY (installation, task, database, name)) STRICT;
`;
