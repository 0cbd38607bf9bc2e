/**
 * What is listed and looked for without reading a task's versions: who made it and when, its folder and its data sources,
 * which never change. And what is to be found at a start among thousands of rows: the running, and the old.
 */
export const taskFacts = `
ALTER TABLE task ADD COLUMN creator TEXT;
ALTER TABLE task ADD COLUMN editor TEXT;
ALTER TABLE task ADD COLUMN edited_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN submitted_at INTEGER;
ALTER TABLE task ADD COLUMN started_at INTEGER;
ALTER TABLE task ADD COLUMN ddl_policies TEXT;
ALTER TABLE task ADD COLUMN folder TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN source_name TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN sink_name TEXT NOT NULL DEFAULT '';
UPDATE task SET edited_at = created_at,
  source_name = coalesce((SELECT definition ->> '$.sourceName' FROM task_version AS v WHERE v.task = task.id AND v.version = task.saved), ''),
  sink_name = coalesce((SELECT definition ->> '$.sinkName' FROM task_version AS v WHERE v.task = task.id AND v.version = task.saved), '');
UPDATE task SET folder = rtrim(settings ->> '$.FileFolderPath', '/')
  WHERE json_valid(settings) AND json_type(settings, '$.FileFolderPath') = 'text';
CREATE INDEX task_listed ON task (project, id) WHERE deleted_at IS NULL;
CREATE INDEX task_source ON task (project, source_name) WHERE deleted_at IS NULL;
CREATE INDEX task_sink ON task (project, sink_name) WHERE deleted_at IS NULL;
CREATE INDEX task_running ON task (id) WHERE state = 'RUN' AND deleted_at IS NULL;
CREATE INDEX config_process_running ON config_process (id) WHERE state = 'running';
CREATE INDEX config_process_age ON config_process (created_at);
CREATE INDEX client_token_age ON client_token (created_at);
CREATE TABLE project_config (project INTEGER NOT NULL, sink_type TEXT NOT NULL, source_type TEXT NOT NULL, policies TEXT NOT NULL,
  PRIMARY KEY (project, sink_type, source_type)) STRICT;
`;
