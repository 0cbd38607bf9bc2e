/** A task seen as a job: its description, by version, and what a list of jobs shows without reading a version. */
export const jobs = `
CREATE TABLE task_job (task INTEGER NOT NULL REFERENCES task, version INTEGER NOT NULL, spec TEXT NOT NULL,
  PRIMARY KEY (task, version)) STRICT;
ALTER TABLE task ADD COLUMN starter TEXT;
ALTER TABLE task ADD COLUMN route TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN initial_load TEXT NOT NULL DEFAULT '';
UPDATE task SET
  route = coalesce((SELECT definition ->> '$.route' FROM task_version AS v WHERE v.task = task.id AND v.version = task.saved), ''),
  initial_load = coalesce((SELECT definition ->> '$.initialLoad' FROM task_version AS v WHERE v.task = task.id AND v.version = task.saved), '');
`;
